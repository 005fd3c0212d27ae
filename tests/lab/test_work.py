"""One launch: what it says of rungs that stopped is of today, and it counts what is on disk."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from faults.ladders import small_ladder

from isoflop.base.errors import BudgetError
from isoflop.lab.launchers.local import LocalLauncher
from isoflop.lab.launchers.study_events import steps_on_disk
from isoflop.lab.launchers.torchrun import TorchrunLauncher
from isoflop.lab.limits.budget import Session
from isoflop.lab.price.cost import rung_steps
from isoflop.lab.progress.forecast import Outlook
from isoflop.lab.progress.progress import Silent
from isoflop.lab.training import prepare_study, run_ladder
from isoflop.lab.work import Work
from isoflop.store.leases.lease import claim
from isoflop.store.outcome import read_outcome, write_outcome
from isoflop.store.spent import Limits, Spent, add_spent
from isoflop.store.states import state_of_rung
from isoflop.store.study import Study

LADDER = small_ladder(8, seeds=1, budgets=(8192, 16384))
NAMES = [rung.name for rung in LADDER.rungs]


@dataclass
class Scripted:
    """A launcher that trains nothing: it tells some events, then ends as it is told to."""

    events: Sequence[Mapping[str, Any]] = ()
    end: BaseException | None = None
    name: str = "scripted"

    def launch(
        self, study: Study, rungs: Sequence[str], workers: int, on_event: Callable[..., None]
    ) -> list[str]:
        for event in self.events:
            on_event(event)
        if self.end is not None:
            raise self.end
        return []


class Heard(Silent):
    outlook: Outlook

    def start(self, outlook: Outlook) -> None:
        self.outlook = outlook
        self.events: list[Mapping[str, Any]] = []

    def event(self, event: Mapping[str, Any]) -> None:
        self.events.append(event)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return prepare_study(LADDER, tmp_path / "study")


def reasons(study: Study) -> dict[str, tuple[str, str]]:
    found = {name: state_of_rung(study.rung_folder(name)) for name in NAMES}
    return {name: (state.state, state.message) for name, state in found.items()}


def test_a_stop_by_the_clock_is_the_reason_of_every_rung_it_kept_from_training(
    study: Study,
) -> None:
    for name, state in zip(NAMES, ("interrupted", "budget", "oom"), strict=False):
        write_outcome(study.rung_folder(name), state, "that was yesterday")
    add_spent(study.path, Spent(seconds=9.5))
    prepare_study(LADDER, study.path, limits=Limits(seconds=10.0))
    with pytest.raises(BudgetError, match=r"9\.5 of 10 seconds are spent"):
        Work(study, Silent(), 2, 1e11).train(Scripted())
    found = reasons(study)
    for name in (NAMES[0], NAMES[1], NAMES[3]):
        assert found[name][0] == "budget"
        assert found[name][1].startswith("9.5 of 10 seconds are spent")
    assert found[NAMES[2]] == ("oom", "that was yesterday")  # not tried again today


def test_an_interrupt_is_the_reason_of_what_had_begun_and_of_nothing_else(study: Study) -> None:
    write_outcome(study.rung_folder(NAMES[0]), "budget", "that was yesterday")
    begun = {"event": "steps", "rung": NAMES[1], "steps": 64}
    with pytest.raises(KeyboardInterrupt):
        Work(study, Silent(), 2, 1e11).train(Scripted([begun], KeyboardInterrupt("SIGINT")))
    found = reasons(study)
    assert found[NAMES[0]] == found[NAMES[1]] == ("interrupted", "stopped by SIGINT")
    assert found[NAMES[2]] == found[NAMES[3]] == ("pending", "")


def test_of_a_rung_that_another_runner_trains_nothing_is_said(study: Study) -> None:
    steps = {"event": "steps", "rung": NAMES[0], "steps": 64}
    events = [steps, {**steps, "elsewhere": True}]
    with claim(study.rung_folder(NAMES[0]), "rung"), pytest.raises(KeyboardInterrupt):
        Work(study, Silent(), 2, 1e11).train(Scripted(events, KeyboardInterrupt("SIGINT")))
    assert read_outcome(study.rung_folder(NAMES[0])) is None


def test_a_rung_that_failed_today_keeps_its_own_reason(study: Study) -> None:
    write_outcome(study.rung_folder(NAMES[0]), "budget", "no FLOPs are left for it")
    failed = {"event": "failed", "rung": NAMES[0], "message": "no FLOPs are left for it"}
    with pytest.raises(KeyboardInterrupt):
        Work(study, Silent(), 2, 1e11).train(Scripted([failed], KeyboardInterrupt("SIGINT")))
    assert reasons(study)[NAMES[0]] == ("budget", "no FLOPs are left for it")


def test_a_limit_shorter_than_the_start_says_that_nothing_was_trained(study: Study) -> None:
    prepare_study(LADDER, study.path, limits=Limits(seconds=4.0))
    over = BudgetError("3.1 of 4 seconds are spent")
    said = r"nothing was trained: a worker takes about 4 seconds to start; 3\.1 of 4 seconds"
    with pytest.raises(BudgetError, match=said):
        Work(study, Silent(), 2, 1e11).train(Scripted([{"event": "ready"}], over))
    assert {state for state, _ in reasons(study).values()} == {"budget"}
    trained = {"event": "steps", "rung": NAMES[0], "steps": 64}
    with pytest.raises(BudgetError) as caught:
        Work(study, Silent(), 2, 1e11).train(Scripted([trained], over))
    assert "nothing was trained" not in str(caught.value)


def test_a_full_disk_at_the_end_hides_no_reason(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(session: Session) -> None:
        raise OSError(28, "No space left on device", "spent.json")

    monkeypatch.setattr(Session, "note", refuse)
    with pytest.raises(KeyboardInterrupt):
        Work(study, Silent(), 2, 1e11).train(Scripted([], KeyboardInterrupt("SIGINT")))
    with pytest.raises(OSError, match="No space left"):
        Work(study, Silent(), 2, 1e11).train(Scripted())


def test_what_is_on_disk_is_known_before_training_goes_on(tmp_path: Path) -> None:
    ladder = small_ladder(3, seeds=1, budgets=(8192, 16384, 32768))
    rung = ladder.rungs[0]
    study = prepare_study(ladder, tmp_path / "study")

    def stop(event: Mapping[str, Any]) -> None:
        if event["event"] == "run" and event["run"].endswith("t16384"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        LocalLauncher().launch(study, [rung.name], 1, stop)
    on_disk, total = steps_on_disk(study, [rung.name])[rung.name], rung_steps(rung, ladder)
    assert 0.4 * total < on_disk < total
    heard = Heard()
    run_ladder(ladder, study.path, progress=heard)
    assert heard.outlook.taken == {rung.name: on_disk}
    # What a worker tells of a resumed rung adds up to all of it, cooldowns behind it included.
    steps = [event["steps"] for event in heard.events if event["event"] == "steps"]
    assert steps[0] <= on_disk
    assert sum(steps) == total
    assert read_outcome(study.rung_folder(rung.name)) is None


def test_ranks_are_announced_as_they_train(study: Study) -> None:
    heard = Heard()
    work = Work(study, heard, 4, 1e11)

    class Idle(TorchrunLauncher):
        def launch(self, study: Study, rungs: Sequence[str], workers: int, on_event: Any) -> Any:
            return []

    work.train(Idle(processes=2))
    layout = heard.outlook.layout
    assert (layout.at_once, layout.ranks, layout.starts) == (1, 2, "rung")
    assert layout.words == "one after the other, 2 processes on each"
