"""How a launcher spreads rungs over processes: what an ETA must know of it."""

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from isoflop.lab.launchers.launcher import Launcher
from isoflop.lab.price.cost import START_SECONDS
from isoflop.runs.counted import counted
from isoflop.store.study import Study


@dataclass(frozen=True)
class Layout:
    """How rungs are spread.

    Args:
        at_once: rungs in work at once.
        words: the same for the user, after "training 3 rungs".
        ranks: processes on each rung.
        start_seconds: from the start of a process to its first step: importing torch.
        starts: whether a process starts once a `worker`, or anew for every `rung`.
    """

    at_once: int
    words: str
    ranks: int = 1
    start_seconds: float = START_SECONDS
    starts: Literal["worker", "rung"] = "worker"


@runtime_checkable
class Spreads(Protocol):
    """A launcher that does otherwise than one rung a worker and one start a worker."""

    def layout(self, study: Study, n_rungs: int, workers: int) -> Layout:
        """Return how it would spread so many rungs over so many workers."""
        ...


def find_layout(launcher: Launcher, study: Study, n_rungs: int, workers: int) -> Layout:
    """Return how a launcher spreads rungs; `workers` side by side if it does not say.

    Args:
        launcher: any.
        study: prepared.
        n_rungs: left to train.
        workers: rungs in work at once.
    """
    if isinstance(launcher, Spreads):
        return launcher.layout(study, n_rungs, workers)
    at_once = min(workers, n_rungs)
    return Layout(at_once, f"on {counted(at_once, 'worker')}")


def tasks_layout(n_rungs: int, workers: int) -> Layout:
    """Return the layout of engines that start a process a rung, where there is room for it."""
    at_once = min(workers, n_rungs)
    return Layout(at_once, f"at most {at_once} at once", starts="rung")
