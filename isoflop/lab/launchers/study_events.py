"""Events read off a study's files: for launchers whose workers are out of earshot."""

from collections.abc import Iterable, Mapping
from typing import Any

from isoflop.base.errors import InputError
from isoflop.lab.schedule import Schedule, plan_schedules
from isoflop.runs.ladders.ladder import Rung, runs_of
from isoflop.store.journal import read_journal
from isoflop.store.manifest import read_manifest
from isoflop.store.study import Study


class StudyEvents:
    """What is new on disk since the last look: `steps` and `run` events.

    It needs no channel to the workers, survives a restart of the driver, and whoever trains is
    heard, of this session or another. Steps come at every point of the learning curve.

    Args:
        study: what is trained.
        rungs: those to look at; what is on disk of them now is no news, except the steps.
    """

    def __init__(self, study: Study, rungs: Iterable[str]) -> None:
        self._study = study
        self._rungs = {name: study.ladder.rung(name) for name in rungs}
        self._steps = dict.fromkeys(self._rungs, 0)
        self._told = {
            run.id
            for rung in self._rungs.values()
            for run in runs_of(rung, study.ladder.recipe)
            if read_manifest(study.run_folder(run.id)) is not None
        }

    def look(self, name: str) -> list[Mapping[str, Any]]:
        """Return the events of a rung since the last look at it; none of one that is damaged."""
        try:
            return self._look(name)
        except InputError:  # its trainer says so, and ends
            return []

    def _look(self, name: str) -> list[Mapping[str, Any]]:
        rung = self._rungs[name]
        found: list[Mapping[str, Any]] = []
        taken = self._taken(rung)
        if taken > self._steps[name]:
            found.append({"event": "steps", "rung": name, "steps": taken - self._steps[name]})
            self._steps[name] = taken
        for run in runs_of(rung, self._study.ladder.recipe):
            row = None if run.id in self._told else read_manifest(self._study.run_folder(run.id))
            if row is not None:
                self._told.add(run.id)
                told = {"loss": row["loss"], "diverged_step": row["diverged_step"]}
                found.append({"event": "run", "rung": name, "run": run.id, **told})
        return found

    def _taken(self, rung: Rung) -> int:
        ladder = self._study.ladder
        points = ladder.evaluation.curve_points_per_doubling
        schedules = plan_schedules(rung, ladder.recipe, points)
        return sum(self._taken_of(rung, schedule) for schedule in schedules)

    def _taken_of(self, rung: Rung, schedule: Schedule) -> int:
        """Steps of a trunk by its journal, of its cooldowns by the runs that are over."""
        folder = self._study.rung_folder(rung.name) / schedule.name
        records = read_journal(folder / "journal.jsonl").records
        steps = records[-1]["step"] if records else 0
        cooled = {
            run.steps
            for run in runs_of(rung, self._study.ladder.recipe)
            if read_manifest(self._study.run_folder(run.id)) is not None
        }
        return steps + sum(b.end - b.start for b in schedule.branches if b.end in cooled)


def steps_on_disk(study: Study, rungs: Iterable[str]) -> dict[str, int]:
    """Return the optimizer steps of each rung that need not be taken again.

    Args:
        study: trained by whomever.
        rungs: their names.
    """
    names = list(rungs)
    events = StudyEvents(study, names)
    return {
        name: sum(event["steps"] for event in events.look(name) if event["event"] == "steps")
        for name in names
    }
