"""A pool of local processes: one worker a core, one thread each, longest rung first."""

import queue
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from isoflop.lab.launchers.launcher import OnEvent
from isoflop.lab.launchers.study_events import StudyEvents
from isoflop.lab.launchers.worker_process import Events, WorkerProcess
from isoflop.store.holding import LEASE_SECONDS, read_holding
from isoflop.store.lease import Watch
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
        deadline_seconds: how long a worker may train without a sign of life before it is killed
            and its rung reported; None waits for ever.
    """

    name: str = "local"
    lease_seconds: float = LEASE_SECONDS
    deadline_seconds: float | None = None

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

    def run(self, workers: int) -> list[str]:
        try:
            for _ in range(min(workers, len(self._waiting))):
                self._hire()
            while not all(worker.gone for worker in self._workers):
                self._hand_out()
                self._check_deadline()
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
            self._on_event(event)
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
        """Wait for one event and act on it; look up now and then where there is reason to."""
        idle = any(worker.idle for worker in self._workers)
        watchful = idle or self._launcher.deadline_seconds is not None
        with suppress(queue.Empty):
            worker, event = self._events.get(timeout=_LOOK_SECONDS if watchful else None)
            rung = worker.note(event)
            if event["event"] == "held" and rung is not None:
                self._waiting.append(rung)
                return
            if event["event"] == "failed":
                self._failures.append(f"rung {event['rung']}: {event['message']}")
            if event["event"] == "gone":
                self._bury(worker, rung)
            self._on_event(event)

    def _bury(self, worker: WorkerProcess, rung: str | None) -> None:
        """Report the rung of a worker that died, and replace the worker if there is work."""
        status = worker.wait()
        if rung is not None:
            self._failures.append(
                f"rung {rung}: its worker ended with status {status}; "
                "see workers.log in the study, and run again to resume"
            )
        if rung is not None and self._waiting:
            self._hire()

    def _check_deadline(self) -> None:
        limit = self._launcher.deadline_seconds
        for worker in self._workers:
            if limit is None or worker.rung is None or worker.silent_seconds < limit:
                continue
            self._failures.append(
                f"rung {worker.rung}: no sign of life for {limit:g} seconds, so its worker was "
                "stopped; run again to resume"
            )
            worker.rung = None
            worker.kill()
            if self._waiting:
                self._hire()
