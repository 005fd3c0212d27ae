"""What a launcher is: something that trains the rungs of a study and says what happened."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from isoflop.store.study import Study

OnEvent = Callable[[Mapping[str, Any]], None]
"""Told of every event: `steps`, `run`, `done`, `failed`, `notice`, …, and `tick` at least every
second while nothing else happens, so that clocks can be watched; see docs/launchers.md."""


@runtime_checkable
class Launcher(Protocol):
    """Trains rungs side by side; the unit of work is one rung, all its seeds and rates packed."""

    @property
    def name(self) -> str:
        """What it is called on the command line."""
        ...

    def launch(
        self, study: Study, rungs: Sequence[str], workers: int, on_event: OnEvent
    ) -> list[str]:
        """Train rungs side by side; return when none of them is left in work.

        Args:
            study: prepared for training: settings and data are on disk.
            rungs: names, longest first.
            workers: rungs in work at once.
            on_event: told of every event.

        Returns:
            One sentence per rung that could not be trained, empty when all are.
        """
        ...
