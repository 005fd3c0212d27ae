"""The budget guard: stops before a limit, never after, and counts what was spent to the step."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from faults.ladders import small_ladder

from isoflop.base.errors import BudgetError, InputError
from isoflop.lab.data.prepare import check_corpus
from isoflop.lab.limits import budget
from isoflop.lab.limits.budget import Session, check_limits
from isoflop.lab.measures.test_sets import check_test_sets
from isoflop.lab.price.cost import evaluation_flops, training_flops
from isoflop.lab.progress.progress import Silent
from isoflop.lab.training import prepare_study, run_ladder
from isoflop.runs.ladders.ladder import Evaluation, Ladder, rung_flops
from isoflop.store.spent import Limits, Spent, add_spent, read_limits, read_spent
from isoflop.store.study import Study


def planned_flops(ladder: Ladder) -> float:
    return sum(training_flops(rung, ladder) for rung in ladder.rungs)


def planned_evaluation(ladder: Ladder) -> float:
    held_out = (check_corpus(ladder)["held_out"], *check_test_sets(ladder))
    return sum(evaluation_flops(rung, ladder, held_out) for rung in ladder.rungs)


def test_a_ladder_stops_before_its_flops_are_passed_and_goes_on_with_more(tmp_path: Path) -> None:
    ladder = small_ladder(12, seeds=2, budgets=(8192, 16384, 32768))
    plan = planned_flops(ladder)
    limits = Limits(flops=0.6 * plan)
    with pytest.raises(BudgetError, match=r"(2 rungs|FLOPs are spent) .*larger --max-flops"):
        run_ladder(ladder, tmp_path / "s", workers=2, progress=Silent(), limits=limits)
    study = Study.open(tmp_path / "s")
    spent = read_spent(study.path).flops
    assert 0.25 * plan < spent <= 0.6 * plan
    states = [run["state"] for run in study.status()]
    assert set(states) == {"finished", "budget"}
    before = study.manifests()
    with pytest.raises(BudgetError):  # the limit stays until another is given
        run_ladder(ladder, tmp_path / "s", workers=1, progress=Silent())
    assert read_spent(study.path).flops == spent
    run_ladder(ladder, tmp_path / "s", workers=2, progress=Silent(), limits=Limits(flops=plan))
    assert study.finished()
    assert before.items() <= study.manifests().items()
    assert read_spent(study.path).flops == pytest.approx(plan, rel=1e-12)
    assert read_spent(study.path).evaluation_flops == pytest.approx(planned_evaluation(ladder))


@pytest.mark.parametrize("schedule", ["wsd", "constant"])
def test_evaluation_costs_what_was_planned_stopped_or_not(tmp_path: Path, schedule: Any) -> None:
    """Less text than asked for, a test set, gradient noise, a context that divides nothing."""
    text = tmp_path / "other.txt"
    text.write_text("\n\n\n".join(f"speech {k} of some words" for k in range(60)))
    ladder = small_ladder(6, budgets=(8192, 16384, 32768))
    ladder = replace(
        ladder,
        recipe=replace(ladder.recipe, schedule=schedule),
        evaluation=Evaluation(10**7, 1000, test_sets=(str(text),), noise_tokens=300),
    )
    evaluation, plan = planned_evaluation(ladder), planned_flops(ladder)
    found = []
    for name, limits in (("whole", None), ("stopped", Limits(flops=0.7 * plan))):
        with nullcontext() if limits is None else pytest.raises(BudgetError):
            run_ladder(ladder, tmp_path / name, workers=1, progress=Silent(), limits=limits)
        more = None if limits is None else Limits(flops=plan)
        run_ladder(ladder, tmp_path / name, workers=1, progress=Silent(), limits=more)
        found.append(read_spent(tmp_path / name))
    assert [each.evaluation_flops for each in found] == pytest.approx([evaluation] * 2)
    assert [each.flops for each in found] == pytest.approx([plan] * 2)


def test_planned_flops_are_those_of_the_rungs_to_a_step_a_run() -> None:
    """Brackets, every cooldown and every seed: the closed form, but for rounding to steps."""
    ladder = small_ladder(12)
    for rung in ladder.rungs:
        assert training_flops(rung, ladder) == pytest.approx(
            rung_flops(rung, ladder.recipe), rel=3 / 256
        )


def test_a_session_ends_while_there_is_time_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(budget.time, "monotonic", lambda: now[0])
    limits = Limits(dollars=1.0, dollars_per_hour=36.0)  # a hundred seconds
    study = prepare_study(small_ladder(6), tmp_path / "s", limits=limits)
    session = Session(study)
    for second in range(98):
        now[0] = 100.0 + second
        session.event({"event": "tick"})
    now[0] = 199.5
    with pytest.raises(BudgetError, match="--max-dollars"):
        session.event({"event": "tick"})
    spent = read_spent(study.path)
    assert (spent.seconds, spent.dollars) == pytest.approx((99.5, 0.995))
    assert spent.dollars < 1.0


def test_a_run_that_the_pace_so_far_cannot_finish_in_time_is_not_begun() -> None:
    spent, limits = Spent(seconds=50.0), Limits(seconds=60.0)
    budget.allow_stretch(limits, spent, flops=1e9, seconds=9.0)
    told = r"50\.0 of 60 seconds are spent .* about 11\S* seconds more; .* larger --max-seconds"
    with pytest.raises(BudgetError, match=told):
        budget.allow_stretch(limits, spent, flops=1e9, seconds=11.0)


def test_of_two_limits_of_time_the_tighter_is_named() -> None:
    limits = Limits(seconds=60.0, dollars=0.5, dollars_per_hour=36.0)
    with pytest.raises(BudgetError, match=r"\.4\S* of 0\.5 dollars are spent .* --max-dollars"):
        budget.allow_stretch(limits, Spent(seconds=40.0, dollars=0.4), flops=0.0, seconds=11.0)
    with pytest.raises(BudgetError, match=r"larger --max-seconds"):
        budget.allow_stretch(limits, Spent(seconds=58.0, dollars=0.1), flops=0.0, seconds=11.0)


def test_a_refused_stretch_is_not_counted(tmp_path: Path) -> None:
    def refuse(spent: Spent) -> None:
        raise BudgetError("no")

    add_spent(tmp_path, Spent(flops=5.0))
    with pytest.raises(BudgetError):
        add_spent(tmp_path, Spent(flops=7.0), refuse)
    assert read_spent(tmp_path).flops == 5.0


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(flops=-1.0), "flops is -1"),
        (Limits(seconds=float("nan")), "seconds is nan"),
        (Limits(dollars=3.0), "give --dollars-per-hour"),
    ],
)
def test_limits_that_say_nothing_are_refused_and_make_no_folder(
    tmp_path: Path, limits: Limits, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        check_limits(limits)
    with pytest.raises(InputError, match=message):
        run_ladder(small_ladder(6), tmp_path / "s", progress=Silent(), limits=limits)
    assert not (tmp_path / "s").exists()


def test_limits_of_last_time_hold_until_others_are_given(tmp_path: Path) -> None:
    study = prepare_study(small_ladder(6), tmp_path / "s", limits=Limits(flops=7e15))
    prepare_study(small_ladder(6), tmp_path / "s")
    assert read_limits(study.path) == Limits(flops=7e15)


def test_a_study_of_an_earlier_release_begins_with_what_its_timings_tell(tmp_path: Path) -> None:
    ladder = small_ladder(6, seeds=1, budgets=(8192,))
    rungs = ladder.rungs[:1]
    ladder = Ladder("old", ladder.corpus, "bytes", rungs, ladder.recipe, ladder.evaluation)
    study = run_ladder(ladder, tmp_path / "s", workers=1, progress=Silent())
    spent = read_spent(study.path).flops
    (study.path / "spent.json").unlink()
    budget.open_sums(study)
    assert read_spent(study.path).flops == pytest.approx(spent)
    assert read_spent(study.path).seconds > 0
