"""Rungs as the tasks of a Slurm job array, through submitit; the extra `slurm`.

A job that is preempted, requeued by hand, or out of time goes back into the queue and on from its
last checkpoint. The study folder must be seen by every node under the same path. A driver that is
interrupted cancels its jobs; one that is killed leaves them running, and the next adopts them.
"""

import importlib
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from getpass import getuser
from typing import Any, Literal

from isoflop.base import strict_json
from isoflop.base.atomic import write_atomic
from isoflop.base.errors import InputError, MissingExtraError
from isoflop.lab.engines.choose import Packs
from isoflop.lab.launchers.launcher import OnEvent
from isoflop.lab.launchers.layout import Layout, tasks_layout
from isoflop.lab.launchers.station import ENVIRONMENT, open_station, train_until_over
from isoflop.lab.launchers.study_events import StudyEvents
from isoflop.runs.ladders.ladder import Ladder, Rung
from isoflop.store.leases.holding import LEASE_SECONDS
from isoflop.store.outcome import note_outcome, read_outcome
from isoflop.store.study import Study

_LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class SlurmLauncher:
    """Tasks of a job array.

    Args:
        name: `slurm`.
        cluster: `slurm`, or `local`: submitit's own processes, to try it without a cluster.
        minutes: time limit of a task; what is not over by then is requeued and goes on.
        partition: None takes the cluster's default.
        cpus: asked for a rung.
        gpus: asked for a rung on a GPU.
        memory_gb: asked for a rung; None takes the cluster's default.
        max_timeouts: how often a task may run out of time and be requeued.
        signal_seconds: how long before the time limit a task is told.
        lease_seconds: how long a node may stand still before a requeued task takes its rung.
    """

    name: str = "slurm"
    cluster: Literal["slurm", "local"] = "slurm"
    minutes: int = 240
    partition: str | None = None
    cpus: int = 1
    gpus: int = 1
    memory_gb: float | None = None
    max_timeouts: int = 100
    signal_seconds: int = 90
    lease_seconds: float = LEASE_SECONDS

    @property
    def packs(self) -> Packs:
        """Whether a rung's models may be split into packs."""
        return "any"

    def check(self, ladder: Ladder, rungs: Sequence[Rung], settings: Mapping[str, Any]) -> None:
        """Refuse to begin without submitit, or without Slurm's commands.

        See `Conditional.check`.
        """
        _submitit()
        absent = [name for name in ("sbatch", "squeue") if shutil.which(name) is None]
        if self.cluster == "slurm" and absent:
            raise InputError(
                f"the slurm launcher found no {absent[0]}; start it where Slurm's commands are on "
                "the PATH"
            )

    def layout(self, study: Study, n_rungs: int, workers: int) -> Layout:
        """Return how rungs are spread: a process each, where there is room."""
        return tasks_layout(n_rungs, workers)

    def launch(
        self, study: Study, rungs: Sequence[str], workers: int, on_event: OnEvent
    ) -> list[str]:
        """Train rungs as a job array, `workers` tasks at once; see `Launcher.launch`.

        Raises:
            MissingExtraError: submitit is absent.
            InputError: `sbatch` is absent, or refused the array.
        """
        return _Array(self, study, on_event).run(list(rungs), workers)


class TrainRung:
    """What a task does; submitit asks it for `checkpoint` before it requeues the task."""

    def __call__(self, path: str, rung: str, lease_seconds: float) -> dict[str, Any]:
        """Train a rung; what it writes is on disk before it returns."""
        event = train_until_over(
            open_station(path), rung, lambda event: None, lease_seconds=lease_seconds
        )
        return dict(event)

    def checkpoint(self, path: str, rung: str, lease_seconds: float) -> Any:
        """Return what the requeued task does: the same, from the checkpoint on disk."""
        return _submitit().helpers.DelayedSubmission(self, path, rung, lease_seconds)


class _Array:
    """The tasks of one launch."""

    def __init__(self, launcher: SlurmLauncher, study: Study, on_event: OnEvent) -> None:
        self._launcher, self._study, self._on_event = launcher, study, on_event
        self._folder = study.path.resolve() / "slurm"
        self._submitit = _submitit()
        self._running: dict[str, Any] = {}
        self._failures: list[str] = []

    def run(self, rungs: list[str], workers: int) -> list[str]:
        news = StudyEvents(self._study, rungs)
        try:
            self._adopt(rungs)
            self._submit([name for name in rungs if name not in self._running], workers)
            while self._running:
                self._look(news)
        finally:
            for job in self._running.values():
                job.cancel(check=False)
        return self._failures

    def _adopt(self, rungs: Sequence[str]) -> None:
        """Take on the tasks that a killed driver left in the queue."""
        path = self._folder / "jobs.json"
        if self._launcher.cluster != "slurm" or not path.exists():
            return
        left = strict_json.loads(path.read_text(encoding="utf-8"), source=str(path))
        # Not one that is completing: it may have been of a rung that is missing again.
        queued = _queued("--states=PENDING,CONFIGURING,RUNNING,SUSPENDED")
        for name in rungs:
            if left.get(name) in queued:
                job = self._submitit.SlurmJob(folder=self._folder, job_id=left[name])
                if job.paths.result_pickle.exists():
                    continue
                self._running[name] = job
                message = f"job {left[name]} of an earlier session trains it"
                self._on_event({"event": "notice", "rung": name, "message": message})

    def _submit(self, rungs: Sequence[str], workers: int) -> None:
        if rungs:
            path, count = str(self._study.path.resolve()), len(rungs)
            seconds = self._launcher.lease_seconds
            try:
                jobs = self._executor(workers).map_array(
                    TrainRung(), [path] * count, rungs, [seconds] * count
                )
            except (RuntimeError, OSError, self._submitit.core.utils.FailedJobError) as error:
                line = str(error).strip().splitlines()[-1]
                raise InputError(f"the job array was refused: {line}") from None
            self._running.update(zip(rungs, jobs, strict=True))
        ids = {name: job.job_id for name, job in self._running.items()}
        write_atomic(self._folder / "jobs.json", strict_json.dumps(ids, indent=1) + "\n")

    def _executor(self, workers: int) -> Any:
        mine = self._launcher
        executor = self._submitit.AutoExecutor(
            folder=self._folder, cluster=mine.cluster, slurm_max_num_timeout=mine.max_timeouts
        )
        wanted = {
            "name": "isoflop",
            "timeout_min": mine.minutes,
            "cpus_per_task": mine.cpus,
            "mem_gb": mine.memory_gb,
            "gpus_per_node": mine.gpus if self._study.settings()["device"] == "cuda" else None,
            "slurm_partition": mine.partition,
            "slurm_array_parallelism": workers,
            "slurm_signal_delay_s": mine.signal_seconds,
            "slurm_setup": [f"export {name}={value}" for name, value in ENVIRONMENT.items()],
            "slurm_additional_parameters": {"requeue": True},
        }
        executor.update_parameters(**{k: v for k, v in wanted.items() if v is not None})
        return executor

    def _look(self, news: StudyEvents) -> None:
        """Wait a little; tell what is new on disk, then which tasks are over."""
        time.sleep(_LOOK_SECONDS)
        queued = _queued() if self._launcher.cluster == "slurm" else None
        over = [name for name, job in self._running.items() if _over(job, queued)]
        for name in list(self._running):
            for event in news.look(name):
                self._on_event(event)
        for name in over:
            del self._running[name]
            self._end(name)
        self._on_event({"event": "tick"})

    def _end(self, name: str) -> None:
        """Tell what became of a task by what is on disk: its own word may be lost."""
        event: Mapping[str, Any] = {"event": "done", "rung": name}
        if not self._study.rung_finished(name):
            folder = self._study.rung_folder(name)
            outcome = read_outcome(folder)
            line = "its task ended without a word; see slurm in the study, and run again to resume"
            if outcome is None:
                note_outcome(folder, "crashed", line)
            message = line if outcome is None else outcome["message"]
            event = {"event": "failed", "rung": name, "message": message}
            self._failures.append(f"rung {name}: {event['message']}")
        self._on_event(event)


def _over(job: Any, queued: set[str] | None) -> bool:
    """Tell whether a task is over; where accounting is off, the queue alone knows."""
    if job.paths.result_pickle.exists():
        return True
    return job.done() if queued is None else job.job_id not in queued


def _queued(*options: str) -> set[str]:
    """Return the user's tasks that wait, run or complete, `ARRAY_TASK` each."""
    command = ["squeue", "--noheader", "--array", "--format=%i", f"--user={getuser()}", *options]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def _submitit() -> Any:
    try:
        return importlib.import_module("submitit")
    except ImportError:
        raise MissingExtraError("the slurm launcher", "slurm") from None
