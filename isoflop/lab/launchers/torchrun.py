"""One rung on several processes of this machine: torchrun's ranks, DDP or FSDP2.

For models too big or too slow for one device; rungs are trained one after the other, all
processes on each. On a cluster call torchrun or srun yourself, see docs/distributed.md.
"""

import queue
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from isoflop.base.errors import InputError
from isoflop.lab.distributed.share import Split, check_packs, check_split, check_study
from isoflop.lab.engines.choose import Packs
from isoflop.lab.engines.probe import count_cores
from isoflop.lab.launchers.launcher import OnEvent
from isoflop.lab.launchers.layout import Layout
from isoflop.lab.launchers.local import how_it_ended, overdue
from isoflop.lab.launchers.worker_process import Events, WorkerProcess
from isoflop.lab.price.cost import START_SECONDS
from isoflop.runs.ladders.ladder import Ladder, Rung
from isoflop.store.leases.holding import LEASE_SECONDS
from isoflop.store.outcome import note_outcome
from isoflop.store.spent import read_limits
from isoflop.store.study import Study

_LOOK_SECONDS = 0.25
"""Between two looks at silent processes."""
RANKS_START_SECONDS = 2 * START_SECONDS
"""Of a rung: torchrun imports torch, then every rank does."""
_FAREWELL_SECONDS = 20.0
"""For processes that are through to end by themselves."""


@dataclass(frozen=True)
class TorchrunLauncher:
    """Ranks of this machine; one that dies ends the others, and the rung can be resumed.

    Args:
        name: `torchrun`.
        processes: ranks; by default one a GPU, or one a core.
        shard: whether to divide weights and moments too (FSDP2), not only the rows (DDP).
        lease_seconds: how long rank 0 may stand still before another runner takes its rung.
    """

    name: str = "torchrun"
    processes: int | None = None
    shard: bool = False
    lease_seconds: float = LEASE_SECONDS

    def launch(
        self, study: Study, rungs: Sequence[str], workers: int, on_event: OnEvent
    ) -> list[str]:
        """Train rungs one after the other, whatever `workers`; see `Launcher.launch`."""
        ranks = _Ranks(self, study, on_event)
        found = (ranks.train(rung) for rung in rungs)
        return [sentence for sentence in found if sentence is not None]

    @property
    def packs(self) -> Packs:
        """Whether a rung's models may be split into packs."""
        return "one"

    def check(self, ladder: Ladder, rungs: Sequence[Rung], settings: Mapping[str, Any]) -> None:
        """Refuse rungs that do not divide among the processes.

        See `Conditional.check`.
        """
        split = self._split(settings)
        for rung in rungs:
            check_split(ladder, rung, split)
            check_packs(settings, rung)

    def layout(self, study: Study, n_rungs: int, workers: int) -> Layout:
        """Return how rungs are spread: all ranks on one, whatever `workers`."""
        ranks = self.split(study).processes
        processes = "1 process" if ranks == 1 else f"{ranks} processes"
        words = f"one after the other, {processes} on each"
        return Layout(1, words, ranks, RANKS_START_SECONDS, starts="rung")

    def split(self, study: Study) -> Split:
        """Return how its rungs are divided."""
        return self._split(study.settings())

    def _split(self, settings: Mapping[str, Any]) -> Split:
        return Split(self.processes or _count_devices(settings["device"]), self.shard)

    def command(self, study: Study, rung: str) -> list[str]:
        """Return Python's arguments for a rung; the ranks end when their standard input does."""
        count = self.split(study).processes
        here = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
        shard = ["--shard"] if self.shard else []
        rank = ["-m", "isoflop.lab.distributed", str(study.path), rung, "--with-parent"]
        return [*here, *rank, *shard]


class _Ranks:
    """The processes of one launch, rung after rung."""

    def __init__(self, launcher: TorchrunLauncher, study: Study, on_event: OnEvent) -> None:
        self._launcher, self._study, self._on_event = launcher, study, on_event
        self._limits = read_limits(study.path)

    def train(self, rung: str) -> str | None:
        """Train a rung; return a sentence if it could not be."""
        try:
            check_study(self._study, rung, self._launcher.split(self._study))
        except InputError as error:
            message = str(error).removeprefix(f"rung {rung}: ")
            return f"rung {rung}: {self._report(rung, 'failed', message)['message']}"
        while (end := self._try(rung))["event"] == "held":
            continue  # fenced off: wait for whoever has it now
        return f"rung {rung}: {end['message']}" if end["event"] == "failed" else None

    def _try(self, rung: str) -> Mapping[str, Any]:
        """Start the ranks; return the event that says what became of the rung."""
        events: Events = queue.SimpleQueue()
        launcher = self._launcher
        command = launcher.command(self._study, rung)
        process = WorkerProcess(self._study, launcher.lease_seconds, events, command)
        process.rung = rung
        try:
            return self._hear(process, rung, events)
        finally:
            _part(process)

    def _hear(self, process: WorkerProcess, rung: str, events: Events) -> Mapping[str, Any]:
        """Pass events on until the rung is over or the ranks are gone."""
        while process.rung is not None:
            message = overdue(process, self._limits)
            if message is not None:
                return self._report(rung, "timeout", f"{message}, and run again to resume")
            event = _next(events)
            process.note(event)
            if event["event"] == "gone":
                message = f"its processes {how_it_ended(process.wait())}; see workers.log"
                message += " in the study, and run again to resume"
                return self._report(rung, "crashed", message)
            self._on_event(event)
            if process.rung is None:
                return event
        raise AssertionError("a process without a rung")

    def _report(self, rung: str, state: str, message: str) -> Mapping[str, Any]:
        """Note why a rung stopped that cannot say so itself."""
        note_outcome(self._study.rung_folder(rung), state, message)
        event = {"event": "failed", "rung": rung, "message": message}
        self._on_event(event)
        return event


def _next(events: Events) -> Mapping[str, Any]:
    try:
        return events.get(timeout=_LOOK_SECONDS)[1]
    except queue.Empty:
        return {"event": "tick"}


def _part(process: WorkerProcess) -> None:
    """End the ranks: by themselves if they are through, at once with their input if not."""
    if process.rung is None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_FAREWELL_SECONDS)
    process.dismiss()
    process.clear()


def _count_devices(device: str) -> int:
    if device == "cuda":
        import torch

        return max(1, torch.cuda.device_count())
    return count_cores()
