"""What a study is doing now, read off its files: whoever trains it, on whatever machine."""

from collections.abc import Sequence
from dataclasses import dataclass

from isoflop.lab.launchers.study_events import StudyEvents
from isoflop.lab.price.cost import rung_steps
from isoflop.lab.price.makespan import makespan
from isoflop.runs.ladders.ladder import Rung, runs_of
from isoflop.store.journal import read_journal
from isoflop.store.manifest import read_manifest
from isoflop.store.states import state_of_rung
from isoflop.store.study import Study

_GOING = ("running", "pending", "interrupted", "budget")
"""States of rungs that are waited for."""


@dataclass(frozen=True)
class RungView:
    """One rung as it stands.

    Args:
        name: the rung.
        state: `finished`, or a state of `isoflop.store.states`; `diverged` if a run of it is.
        message: why it stopped, or who trains it.
        n_over: runs that are over.
        n_runs: runs in all.
        share: of its optimizer steps that are on disk.
        seconds_left: by its own pace so far; None where it has none or is over.
        step_seconds: that pace.
        steps_left: optimizer steps that are not on disk, 0 of a rung that is over.
    """

    name: str
    state: str
    message: str
    n_over: int
    n_runs: int
    share: float
    seconds_left: float | None
    step_seconds: float | None
    steps_left: int


class Watcher:
    """Looks at a study again and again."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._steps = {rung.name: rung_steps(rung, study.ladder) for rung in study.ladder.rungs}
        self._taken = dict.fromkeys(self._steps, 0)
        self._events = StudyEvents(study, list(self._steps))

    def look(self) -> list[RungView]:
        """Return every rung as it stands, in the ladder's order."""
        return [self._view(rung) for rung in self._study.ladder.rungs]

    def _view(self, rung: Rung) -> RungView:
        for event in self._events.look(rung.name):
            if event["event"] == "steps":
                self._taken[rung.name] += event["steps"]
        runs = list(runs_of(rung, self._study.ladder.recipe))
        manifests = [read_manifest(self._study.run_folder(run.id)) for run in runs]
        over = [manifest for manifest in manifests if manifest is not None]
        state, message = self._state(rung, [row["status"] for row in over], len(runs))
        taken, total = self._taken[rung.name], self._steps[rung.name]
        pace = self._pace(rung)
        steps_left = max(0, total - taken) if len(over) < len(runs) else 0
        left = pace * steps_left if pace is not None and len(over) < len(runs) else None
        return RungView(
            name=rung.name,
            state=state,
            message=message,
            n_over=len(over),
            n_runs=len(runs),
            share=1 - steps_left / total,
            seconds_left=left,
            step_seconds=pace,
            steps_left=steps_left,
        )

    def _state(self, rung: Rung, over: Sequence[str], n_runs: int) -> tuple[str, str]:
        if len(over) < n_runs:
            found = state_of_rung(self._study.rung_folder(rung.name))
            return found.state, found.message
        diverged = sum(status == "diverged" for status in over)
        return ("diverged", f"{diverged} of {n_runs} runs") if diverged else ("finished", "")

    def _pace(self, rung: Rung) -> float | None:
        rows = [
            row
            for path in self._study.rung_folder(rung.name).rglob("timing.jsonl")
            for row in read_journal(path).records
        ]
        steps = sum(row["last"] - row["first"] for row in rows)
        return sum(row["seconds"] for row in rows) / steps if steps else None


def ladder_seconds_left(views: Sequence[RungView]) -> float | None:
    """Return the seconds left of a ladder; None before any rung has a pace, or when none is left.

    A rung that has none yet is taken at the mean pace of the others. As many rungs are side by side
    as run now, the others after them; what went wrong is not waited for.

    >>> running = RungView("a", "running", "", 0, 1, 0.5, 10.0, 0.1, 100)
    >>> ladder_seconds_left([running, RungView("b", "running", "", 0, 1, 0.5, 30.0, 0.1, 300)])
    30.0
    >>> ladder_seconds_left([running, RungView("c", "pending", "", 0, 1, 0.0, None, None, 400)])
    50.0
    """
    paces = [view.step_seconds for view in views if view.step_seconds is not None]
    going = [view for view in views if view.steps_left and view.state in _GOING]
    if not paces or not going:
        return None
    pace = sum(paces) / len(paces)
    at_once = sum(view.state == "running" for view in views)
    return makespan(
        (
            pace * view.steps_left if view.seconds_left is None else view.seconds_left
            for view in going
        ),
        at_once,
    )
