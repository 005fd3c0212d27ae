"""What a launcher cannot do is told before the folder of a study is made."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from isoflop.lab.engines.choose import Packs
from isoflop.lab.launchers.launcher import Launcher
from isoflop.runs.ladders.ladder import Ladder, Rung
from isoflop.store.study import Study


@runtime_checkable
class Conditional(Protocol):
    """A launcher that not every machine has, or that cannot train every rung."""

    @property
    def packs(self) -> Packs:
        """Whether a rung's models may be split into packs."""
        ...

    def check(self, ladder: Ladder, rungs: Sequence[Rung], settings: Mapping[str, Any]) -> None:
        """Refuse what `launch` would.

        Args:
            ladder: what is to be trained.
            rungs: those that are left.
            settings: study.json; of a study not yet begun its `device` alone.

        Raises:
            MissingExtraError: its engine is absent.
            InputError: a program is absent, or a rung cannot be trained so.
        """
        ...


def check_launcher(launcher: Launcher, ladder: Ladder, study_path: Path, device: str) -> Packs:
    """Refuse a launcher that could not train a study, and return which packs it trains.

    Args:
        launcher: any; one that sets no conditions is taken as it is.
        ladder: what is to be trained.
        study_path: its folder, which need not exist.
        device: of a study not yet begun.

    Raises:
        MissingExtraError: its engine is absent.
        InputError: a program is absent, or a rung cannot be trained so.
    """
    if not isinstance(launcher, Conditional):
        return "any"
    rungs, settings = list(ladder.rungs), {}
    if (study_path / "ladder.toml").exists():
        study = Study.begun(study_path)
        settings = study.settings()
        kept = [rung for rung in rungs if rung in study.ladder.rungs]
        over = {rung.name for rung in kept if study.rung_finished(rung.name)}
        rungs = [rung for rung in rungs if rung.name not in over]
    launcher.check(ladder, rungs, settings or {"device": device})
    return launcher.packs
