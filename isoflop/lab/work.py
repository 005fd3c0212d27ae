"""One launch of a study: progress told, budget kept, and of every rung how it ended."""

import sys
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from isoflop.base.errors import BudgetError, IsoflopError
from isoflop.lab.identity import processor_note
from isoflop.lab.launchers.launcher import Launcher
from isoflop.lab.launchers.layout import Layout, find_layout
from isoflop.lab.launchers.study_events import steps_on_disk
from isoflop.lab.limits.budget import Session
from isoflop.lab.price.cost import rung_seconds, rung_steps
from isoflop.lab.progress.forecast import Outlook
from isoflop.lab.progress.progress import Progress
from isoflop.runs.counted import counted
from isoflop.runs.ladders.ladder import Rung
from isoflop.store.outcome import note_outcome, read_outcome
from isoflop.store.states import state_of_rung
from isoflop.store.study import Study

_START_AT_MOST = 3.0
"""Times its predicted seconds that a start takes on a busy machine."""
_STOPPED = ("interrupted", "budget", "pending")
"""States of rungs that a spent budget leaves `budget`."""


class Work:
    """What a study still has to train, given to a launcher.

    Args:
        study: prepared.
        progress: told of events.
        workers: processes.
        flop_per_s: the probe's rate.
        only: train this rung alone.
    """

    def __init__(
        self,
        study: Study,
        progress: Progress,
        workers: int,
        flop_per_s: float,
        *,
        only: str | None = None,
    ) -> None:
        self._study, self._progress = study, progress
        self._flop_per_s = flop_per_s
        missing = _missing_rungs(study, flop_per_s)
        self._rungs = [rung for rung in missing if only in (None, rung.name)]
        self._workers = min(workers, len(self._rungs))
        self._session = Session(study)
        self._in_work: set[str] = set()
        self._over: set[str] = set()
        self._over_budget: dict[str, str] = {}
        self._heard: Counter[str] = Counter()
        self._on_disk: Mapping[str, int] = {}
        self._trained = False

    def train(self, launcher: Launcher) -> None:
        """Train every rung that is missing.

        Raises:
            BudgetError: the limits reach no further.
            IsoflopError: some rung failed.
            KeyboardInterrupt: it was asked to stop.
        """
        if not self._rungs:  # another runner trained the last of them just now
            return
        outlook = self._outlook(launcher)
        began, since = False, time.monotonic()
        try:
            self._session.event()
            self._progress.start(outlook)
            began = True
            if (note := processor_note(self._study.settings())) is not None:
                self._progress.event({"event": "notice", "message": note})
            names = list(outlook.steps)
            failures = launcher.launch(self._study, names, self._workers, self._event)
        except KeyboardInterrupt as stop:
            self._end("interrupted", f"stopped by {stop}" if str(stop) else "stopped")
            raise
        except BudgetError as over:
            message = str(over)
            if began and not self._trained:
                message = f"{_nothing(outlook.layout, time.monotonic() - since)}; {over}"
            self._end("budget", message)
            raise BudgetError(f"{self._study.path}: {message}") from None
        finally:
            if began:
                self._progress.stop()
            self._note_time()
        self._report(failures)

    def _outlook(self, launcher: Launcher) -> Outlook:
        ladder, rungs = self._study.ladder, self._rungs
        layout = find_layout(launcher, self._study, len(rungs), self._workers)
        self._on_disk = steps_on_disk(self._study, [rung.name for rung in rungs])
        return Outlook(
            steps={rung.name: rung_steps(rung, ladder) for rung in rungs},
            taken=self._on_disk,
            seconds={
                rung.name: rung_seconds(rung, ladder, self._flop_per_s, ranks=layout.ranks)
                for rung in rungs
            },
            layout=layout,
        )

    def _event(self, event: Mapping[str, Any]) -> None:
        kind, rung = event["event"], event.get("rung")
        if rung is not None and kind != "notice":
            ours = kind not in ("done", "failed") and not event.get("elsewhere")
            (self._in_work.add if ours else self._in_work.discard)(rung)
        if kind in ("done", "failed"):
            self._over.add(event["rung"])
        if kind == "steps":
            self._heard[event["rung"]] += event["steps"]
            self._trained |= self._heard[event["rung"]] > self._on_disk[event["rung"]]
        if kind == "failed":
            outcome = read_outcome(self._study.rung_folder(event["rung"]))
            if outcome is not None and outcome["state"] == "budget":
                self._over_budget[event["rung"]] = outcome["message"]
                event = {"event": "notice", "rung": rung, "message": "stopped by the budget"}
        if kind != "tick":
            self._progress.event(event)
        self._session.event()

    def _end(self, state: str, message: str) -> None:
        """Say of every rung that was in work or waited why it stopped now, not some other day."""
        for rung in self._rungs:
            folder = self._study.rung_folder(rung.name)
            if rung.name in self._in_work or self._waited(rung.name, state):
                note_outcome(folder, state, message)

    def _waited(self, rung: str, state: str) -> bool:
        """Tell whether a rung would have been trained but for a stop that leaves it in `state`.

        What went wrong stays told until the rung is tried again; an interrupt is no news of a
        rung that was never begun.
        """
        if rung in self._over or self._study.rung_finished(rung):
            return False
        stopped = ("interrupted", "budget") if state == "interrupted" else _STOPPED
        return state_of_rung(self._study.rung_folder(rung)).state in stopped

    def _note_time(self) -> None:
        """Add the last second; a full disk is told by whatever it ended, if it ended anything."""
        ended = sys.exc_info()[0] is not None
        try:
            self._session.note()
        except OSError:
            if not ended:
                raise

    def _report(self, failures: list[str]) -> None:
        if failures and len(failures) == len(self._over_budget):
            raise BudgetError(f"{self._study.path}: {_told_once(self._over_budget)}")
        if failures:
            raise IsoflopError(f"{self._study.path}: " + "; ".join(failures))


def _told_once(messages: Mapping[str, str]) -> str:
    """Return the reason of rungs that the budget stopped; several have each their own on disk."""
    first, *others = dict.fromkeys(messages.values())
    if not others:
        return first
    remedies = dict.fromkeys(message.rpartition("; ")[2] for message in messages.values())
    names = f"{counted(len(messages), 'rung')} ({', '.join(messages)})"
    return f"the budget stopped {names}; {' or '.join(remedies)}"


def _nothing(layout: Layout, seconds: float) -> str:
    """Say that nothing was trained, and why if it took so few seconds."""
    start = layout.start_seconds
    if seconds > _START_AT_MOST * start:
        return "nothing was trained"
    return f"nothing was trained: a worker takes about {start:.0f} seconds to start"


def _missing_rungs(study: Study, flop_per_s: float) -> list[Rung]:
    """Return the rungs with a run that is not over, longest first."""
    over = study.manifests()
    names = {run.rung.name for run in study.ladder.runs() if run.id not in over}
    rungs = [rung for rung in study.ladder.rungs if rung.name in names]
    return sorted(rungs, key=lambda r: -rung_seconds(r, study.ladder, flop_per_s))
