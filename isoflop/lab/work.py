"""One launch of a study: progress told, budget kept, and of every rung how it ended."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from isoflop.base.errors import BudgetError, IsoflopError
from isoflop.lab.launchers.launcher import Launcher
from isoflop.lab.limits.budget import Session
from isoflop.lab.price.cost import rung_seconds, rung_steps
from isoflop.lab.progress.progress import Progress
from isoflop.runs.ladders.ladder import Rung
from isoflop.store.outcome import read_outcome, write_outcome
from isoflop.store.study import Study


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
        self._over_budget: dict[str, str] = {}

    def train(self, launcher: Launcher) -> None:
        """Train every rung that is missing.

        Raises:
            BudgetError: the limits reach no further.
            IsoflopError: some rung failed.
            KeyboardInterrupt: it was asked to stop.
        """
        ladder = self._study.ladder
        steps = {rung.name: rung_steps(rung, ladder) for rung in self._rungs}
        seconds = {r.name: rung_seconds(r, ladder, self._flop_per_s) for r in self._rungs}
        try:
            self._session.event()
        except BudgetError as over:
            raise BudgetError(f"{self._study.path}: {over}") from None
        self._progress.start(steps, seconds, self._workers)
        try:
            failures = launcher.launch(self._study, list(steps), self._workers, self._event)
        except KeyboardInterrupt as stop:
            self._end("interrupted", f"stopped by {stop}" if str(stop) else "stopped")
            raise
        except BudgetError as over:
            self._end("budget", str(over))
            raise BudgetError(f"{self._study.path}: {over}") from None
        finally:
            self._progress.stop()
            self._session.note()
        self._report(failures)

    def _event(self, event: Mapping[str, Any]) -> None:
        kind, rung = event["event"], event.get("rung")
        if rung is not None and kind != "notice":
            (self._in_work.discard if kind in ("done", "failed") else self._in_work.add)(rung)
        if kind == "failed":
            outcome = read_outcome(self._study.rung_folder(event["rung"]))
            if outcome is not None and outcome["state"] == "budget":
                self._over_budget[event["rung"]] = outcome["message"]
                event = {"event": "notice", "rung": rung, "message": outcome["message"]}
        if kind != "tick":
            self._progress.event(event)
        self._session.event()

    def _end(self, state: str, message: str) -> None:
        """Say of every rung that was in work why it stopped."""
        for name in self._in_work:
            with suppress(OSError):  # a full disk: the rung counts as interrupted without it
                write_outcome(self._study.rung_folder(name), state, message)

    def _report(self, failures: list[str]) -> None:
        if failures and len(failures) == len(self._over_budget):
            first = next(iter(self._over_budget.values()))
            raise BudgetError(f"{self._study.path}: {first}")
        if failures:
            raise IsoflopError(f"{self._study.path}: " + "; ".join(failures))


def _missing_rungs(study: Study, flop_per_s: float) -> list[Rung]:
    """Return the rungs with a run that is not over, longest first."""
    over = study.manifests()
    names = {run.rung.name for run in study.ladder.runs() if run.id not in over}
    rungs = [rung for rung in study.ladder.rungs if rung.name in names]
    return sorted(rungs, key=lambda r: -rung_seconds(r, study.ladder, flop_per_s))
