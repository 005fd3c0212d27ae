"""A process ready to train rungs of a study: what the workers of every launcher do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from isoflop.base.errors import BudgetError, HeldError, IsoflopError
from isoflop.lab.data.prepare import StudyData, open_data
from isoflop.lab.engines.placement import Placement, settle_gpu, settle_threads
from isoflop.lab.launchers.cores import claim_core
from isoflop.lab.launchers.launcher import OnEvent
from isoflop.lab.launchers.watch import OverdueError, Watch
from isoflop.lab.train_rung import train_rung
from isoflop.lab.trunk import MakeTrainer
from isoflop.store.leases.lease import Lease, await_claim
from isoflop.store.outcome import clear_outcome, note_outcome
from isoflop.store.spent import read_limits
from isoflop.store.study import Study

ENVIRONMENT = {
    # Packs give and take large buffers every step: keeping them costs 2.2 to 2.9 times less
    # than page faults on each.
    "MALLOC_MMAP_THRESHOLD_": str(2**32),
    "MALLOC_TRIM_THRESHOLD_": str(2**32),
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # Without it cuBLAS may choose kernels that add in another order from run to run.
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
}
"""What a worker must be started with: it is read when the process begins."""


@dataclass(frozen=True)
class Station:
    """Settled threads, device and data of a study.

    Args:
        study: where to write.
        data: its tokens.
        placement: device and precision.
    """

    study: Study
    data: StudyData
    placement: Placement


def open_station(path: Path | str, *, pinned: bool = False) -> Station:
    """Settle this process for training a study; do so once, before anything is trained.

    Args:
        path: the study.
        pinned: keep to one core; for launchers whose engine does not place processes itself.

    Raises:
        InputError: no study prepared for training is there.
    """
    settle_threads()
    study = Study.open(Path(path))
    settings = study.settings()
    placement = Placement(settings["device"], settings["precision"])
    if placement.device == "cuda":
        settle_gpu()
    elif pinned:
        claim_core()
    return Station(study, open_data(study.ladder, study.path / "data"), placement)


def attempt(
    station: Station,
    name: str,
    emit: OnEvent,
    take: Callable[[], Lease | None],
    make_trainer: MakeTrainer | None = None,
) -> Mapping[str, Any]:
    """Train a rung as far as it is not yet on disk; return what became of it.

    Args:
        station: where.
        name: the rung.
        emit: told of progress.
        take: claims the rung, or returns None if it is over.
        make_trainer: see `train_rung`; this process alone by default.

    Returns:
        The event: `done`; `failed` with a message; or `held`: another process has the rung, or
        took it from this one.
    """
    folder = station.study.rung_folder(name)
    try:
        lease = take()
        if lease is not None:
            clear_outcome(folder)
            rung = station.study.ladder.rung(name)
            study, data, placement = station.study, station.data, station.placement
            train_rung(study, rung, data, placement, emit, make_trainer, lease)
    except HeldError as error:
        return {"event": "held", "rung": name, "message": str(error)}
    except (IsoflopError, MemoryError, OSError, RuntimeError) as error:
        line = (str(error).strip() or type(error).__name__).splitlines()[0]
        note_outcome(folder, _state_of(error), line)
        return {"event": "failed", "rung": name, "message": line}
    return {"event": "done", "rung": name}


def _state_of(error: Exception) -> str:
    if isinstance(error, BudgetError):
        return "budget"
    if isinstance(error, OverdueError):
        return "timeout"
    # torch says so in words on a CPU, and by a RuntimeError of its own on a GPU.
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in str(error):
        return "oom"
    return "failed"


def train_until_over(
    station: Station, name: str, emit: OnEvent, *, lease_seconds: float
) -> Mapping[str, Any]:
    """Train a rung, waiting for whoever else has it; return `done` or `failed`.

    For engines that start one process a rung and know nothing of leases: a retry waits until its
    predecessor is certainly gone. Nobody watches such a process, so it keeps its deadline and its
    limit of silence itself (`Watch`): a retry has as long again.
    """
    folder = station.study.rung_folder(name)
    limits = read_limits(station.study.path)
    event: Mapping[str, Any] = {"event": "held"}
    while event["event"] == "held":
        watch = Watch(folder, limits, emit)

        def take(watch: Watch = watch) -> Lease | None:
            lease = await_claim(
                folder,
                f"rung {name}",
                seconds=lease_seconds,
                over=lambda: station.study.rung_finished(name),
            )
            if lease is not None:
                watch.begin()
            return lease

        try:
            event = attempt(station, name, watch, take)
        finally:
            watch.end()
    return event
