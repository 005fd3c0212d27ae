"""A pool of local processes: one worker a core, one thread each, longest rung first."""

import queue
import signal
from collections.abc import Sequence
from dataclasses import dataclass

from isoflop.lab.launchers.launcher import OnEvent
from isoflop.lab.launchers.study_events import StudyEvents
from isoflop.lab.launchers.worker_process import Events, WorkerProcess
from isoflop.runs.counted import counted
from isoflop.store.leases.holding import LEASE_SECONDS, read_holding
from isoflop.store.leases.lease import Watch
from isoflop.store.outcome import note_outcome
from isoflop.store.spent import Limits, read_limits
from isoflop.store.study import Study

_LOOK_SECONDS = 0.25
"""Between two looks at rungs that another runner holds, and at silent workers."""


@dataclass(frozen=True)
class LocalLauncher:
    """Processes of this machine; several runners of one study share its rungs.

    A worker that fails or dies costs its rung's last segment and is replaced; the others go on.
    If this process is killed, the workers see their input end and exit.

    Args:
        name: `local`.
        lease_seconds: how long a worker may stand still before another runner takes its rung.
    """

    name: str = "local"
    lease_seconds: float = LEASE_SECONDS

    def launch(
        self, study: Study, rungs: Sequence[str], workers: int, on_event: OnEvent
    ) -> list[str]:
        """Train rungs side by side; see `Launcher.launch`."""
        return _Pool(self, study, rungs, on_event).run(workers)


class _Pool:
    """The workers of one launch, and the rungs that none of them holds."""

    def __init__(
        self, launcher: LocalLauncher, study: Study, rungs: Sequence[str], on_event: OnEvent
    ) -> None:
        self._launcher, self._study, self._on_event = launcher, study, on_event
        self._waiting, self._failures = list(rungs), []
        self._events: Events = queue.SimpleQueue()
        self._workers: list[WorkerProcess] = []
        self._watch, self._elsewhere = Watch(), StudyEvents(study, rungs)
        self._told: set[str] = set()
        self._limits = read_limits(study.path)

    def run(self, workers: int) -> list[str]:
        try:
            for _ in range(min(workers, len(self._waiting))):
                self._hire()
            while not all(worker.gone for worker in self._workers):
                self._hand_out()
                self._stop_overdue()
                self._take()
        finally:
            for worker in self._workers:
                worker.clear()
        return self._failures + [
            f"rung {name}: no worker was left to train it; see workers.log in the study"
            for name in self._waiting
        ]

    def _hire(self) -> None:
        self._workers.append(WorkerProcess(self._study, self._launcher.lease_seconds, self._events))

    def _hand_out(self) -> None:
        """Give every idle worker a rung that nobody holds; send it home if none will come."""
        for worker in self._workers:
            if worker.idle and self._waiting:
                self._give(worker)
            if worker.idle and not self._waiting:
                worker.dismiss()

    def _give(self, worker: WorkerProcess) -> None:
        for name in list(self._waiting):
            seen = self._watch.look(self._study.rung_folder(name))
            if seen is None:
                self._hear_of(name)
            elif self._study.rung_finished(name):
                self._finish_elsewhere(name)
            elif worker.order(name, seen):
                self._waiting.remove(name)
                return
            else:
                return

    def _hear_of(self, name: str) -> None:
        """Pass on what another runner makes of a rung."""
        for event in self._elsewhere.look(name):
            self._on_event({**event, "elsewhere": True})
        if name not in self._told:
            self._told.add(name)
            holder = read_holding(self._study.rung_folder(name)).describe()
            message = f"another runner trains it ({holder})"
            self._on_event({"event": "notice", "rung": name, "message": message})

    def _finish_elsewhere(self, name: str) -> None:
        for event in self._elsewhere.look(name):
            self._on_event(event)
        self._waiting.remove(name)
        self._on_event({"event": "done", "rung": name})

    def _take(self) -> None:
        """Wait for one event and act on it, or let time pass."""
        try:
            worker, event = self._events.get(timeout=_LOOK_SECONDS)
        except queue.Empty:
            return self._on_event({"event": "tick"})
        rung = worker.note(event)
        if event["event"] == "held" and rung is not None:
            self._waiting.append(rung)
            return None
        if event["event"] == "failed":
            self._failures.append(f"rung {event['rung']}: {event['message']}")
        if event["event"] == "gone":
            self._bury(worker, rung)
        return self._on_event(event)

    def _bury(self, worker: WorkerProcess, rung: str | None) -> None:
        """Report the rung of a worker that died, and replace the worker if there is work."""
        status = worker.wait()
        if rung is None:
            return
        message = f"its worker {how_it_ended(status)}; see workers.log in the study"
        self._report(rung, "crashed", message)
        if self._waiting:
            self._hire()

    def _stop_overdue(self) -> None:
        """Kill workers whose rung takes too long, or that take no step for too long."""
        for worker in self._workers:
            message = overdue(worker, self._limits)
            if worker.rung is not None and message is not None:
                rung, worker.rung = worker.rung, None
                worker.kill()
                worker.wait()
                self._report(rung, "timeout", message)
                if self._waiting:
                    self._hire()

    def _report(self, rung: str, state: str, message: str) -> None:
        """Note why a rung stopped that cannot say so itself."""
        note_outcome(self._study.rung_folder(rung), state, message)
        self._failures.append(f"rung {rung}: {message}, and run again to resume")
        self._on_event({"event": "failed", "rung": rung, "message": message})


def how_it_ended(status: int) -> str:
    """Say how a process ended whose exit status this is."""
    if status >= 0:
        return f"ended with status {status}"
    name = signal.Signals(-status).name
    hint = " (the system does so when memory runs out)" if name == "SIGKILL" else ""
    return f"was ended by {name}{hint}"


def overdue(worker: WorkerProcess, limits: Limits) -> str | None:
    """Say which limit of time a worker has passed, None if none."""
    if worker.rung is None:
        return None
    if limits.rung_seconds is not None and worker.rung_seconds >= limits.rung_seconds:
        return f"not over after {counted(limits.rung_seconds, 'second')}, so its worker was stopped"
    if limits.silence_seconds is not None and worker.silent_seconds >= limits.silence_seconds:
        return f"no step for {counted(limits.silence_seconds, 'second')}, so its worker was stopped"
    return None
