import pytest

from isoflop.accounting.architecture import Architecture
from isoflop.lab.schedule import plan_schedules
from isoflop.runs.ladders.ladder import Recipe, Rung, runs_of

RUNG = Rung("a", Architecture(n_layer=1, d_model=8, n_ctx=64, n_vocab=256), 1, (512_000, 1_024_000))
RECIPE = Recipe(batch_tokens=512, lr=0.004, warmup_fraction=0.04, cooldown_fraction=0.2)


def test_every_budget_leaves_the_trunk_before_its_end() -> None:
    schedule = plan_schedules(RUNG, RECIPE, 2)[0]
    assert [(b.start, b.end) for b in schedule.branches] == [(800, 1000), (1600, 2000)]
    assert {800, 1600} <= set(schedule.points)
    assert list(schedule.points) == sorted(schedule.points)
    assert [run.steps for run in runs_of(RUNG, RECIPE)] == [1000, 2000]


def test_warm_up_is_a_share_of_the_shortest_run_and_bounded() -> None:
    schedule = plan_schedules(RUNG, RECIPE, 2)[0]
    assert schedule.warmup == 40
    assert schedule.trunk_lr(0) == pytest.approx(0.0001)
    assert schedule.trunk_lr(39) == schedule.trunk_lr(5000) == 0.004
    bounded = Recipe(batch_tokens=512, warmup_fraction=0.5, warmup_max_steps=30)
    assert plan_schedules(RUNG, bounded, 2)[0].warmup == 30


def test_the_cooldown_falls_from_the_peak_nearly_to_zero_as_one_minus_root() -> None:
    schedule = plan_schedules(RUNG, RECIPE, 2)[0]
    branch = schedule.branches[0]
    rates = [schedule.branch_lr(branch, step) for step in range(branch.start, branch.end)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == pytest.approx(0.004 * (1 - (1 / 201) ** 0.5))
    assert 0 < rates[-1] < 0.00002
