"""Every schedule at every step, against the formulas of the papers and torch's own schedulers."""

import math

import pytest

torch = pytest.importorskip("torch")

from isoflop.accounting.architecture import Architecture  # noqa: E402
from isoflop.accounting.transformer import Transformer  # noqa: E402
from isoflop.lab.schedule import Schedule, plan_schedules  # noqa: E402
from isoflop.runs.ladders.ladder import Recipe, Rung  # noqa: E402
from isoflop.runs.recipes import RECIPES  # noqa: E402

SHAPE = Architecture(n_layer=2, d_model=16, n_ctx=64, n_vocab=256, tied=False)
RUNG = Rung("a", SHAPE, 1, (64_000, 128_000, 256_000))


def rates(schedule: Schedule, steps: int) -> list[float]:
    return [schedule.trunk_lr(step) for step in range(steps)]


def torch_rates(lr: float, warmup: int, horizon: int, final: float) -> list[float]:
    """Linear warm-up, then torch's own cosine annealing."""
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=lr)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, horizon - warmup, lr * final)
    found = [lr * (step + 1) / warmup for step in range(warmup)]
    for _ in range(horizon - warmup):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        cosine.step()
    return found


def test_chinchillas_cosine_has_each_runs_length_and_ends_at_a_tenth() -> None:
    recipe = Recipe(schedule="cosine", lr_final=0.1, batch_tokens=256, warmup_rule="params")
    schedules = plan_schedules(RUNG, recipe, 2)
    assert [s.branches[0].end for s in schedules] == [250, 500, 1000]
    assert len({s.name for s in schedules}) == 3
    for schedule in schedules:
        end = schedule.branches[0].end
        assert schedule.branches[0].start == end
        expected = torch_rates(0.004, schedule.warmup, end, 0.1)
        assert rates(schedule, end) == pytest.approx(expected, rel=1e-9)
        assert rates(schedule, end + 1)[-1] == pytest.approx(0.0004)


def test_kaplans_cosine_has_one_length_and_every_run_is_read_on_its_way() -> None:
    recipe = Recipe(
        schedule="cosine-fixed", horizon_steps=2000, warmup_rule="steps", warmup_steps=300
    )
    (schedule,) = plan_schedules(RUNG, recipe, 2)
    assert schedule.name == ""
    assert [(b.start, b.end) for b in schedule.branches] == [(250, 250), (500, 500), (1000, 1000)]
    expected = torch_rates(0.004, 300, 2000, 0.0)
    assert rates(schedule, 1000) == pytest.approx(expected[:1000], rel=1e-9)
    assert rates(schedule, 250)[-1] < 0.004


def test_the_default_cooldown_is_haegeles_at_every_step() -> None:
    (schedule,) = plan_schedules(RUNG, Recipe(), 2)
    for branch in schedule.branches:
        length = branch.end - branch.start
        for step in range(branch.start, branch.end):
            done = (step - branch.start + 1) / (length + 1)
            expected = 0.004 * (1 - math.sqrt(done))
            assert schedule.branch_lr(branch, step) == pytest.approx(expected, rel=1e-12)
    assert {schedule.trunk_lr(step) for step in range(schedule.warmup, 1000)} == {0.004}


def test_a_constant_rate_is_read_at_every_budget_without_a_cooldown() -> None:
    (schedule,) = plan_schedules(RUNG, Recipe(schedule="constant"), 2)
    assert all(b.start == b.end for b in schedule.branches)
    assert set(rates(schedule, 1000)[schedule.warmup :]) == {0.004}


def test_porians_warm_up_is_as_many_tokens_as_parameters_and_a_sixth_of_a_cosine() -> None:
    n_params = 12 * 2 * 16**2 + 256 * 16
    constant = Recipe(schedule="constant", warmup_rule="params")
    (schedule,) = plan_schedules(RUNG, constant, 2)
    assert schedule.warmup == round(n_params / 256) == 40
    wide = Architecture(n_layer=2, d_model=64, n_ctx=64, n_vocab=256, tied=False)
    cosine = Recipe(schedule="cosine", warmup_rule="params")
    found = [s.warmup for s in plan_schedules(Rung("b", wide, 1, (64_000, 256_000)), cosine, 2)]
    assert found == [round(250 / 6), round(1000 / 6)]


@pytest.mark.parametrize(
    ("horizon", "warmup"),
    [
        (14_313_326_740, 149_045_248),
        (894_582_921, 149_045_248),
        (447_291_460, 74_522_624),
        (223_645_730, 37_261_312),
    ],
)
def test_the_rule_gives_the_warm_ups_of_porians_configurations(horizon, warmup) -> None:
    """Their 18 layers of width 704, tokens as their run files have them, to half a batch."""
    shape = Architecture(n_layer=18, d_model=704, d_ff=2048, n_ctx=2048, n_vocab=50432, tied=False)
    rung = Rung("w704", Transformer(shape, gated=True), 1, (horizon,))
    recipe = RECIPES["chinchilla"].recipe
    (schedule,) = plan_schedules(rung, recipe, 2)
    batch = recipe.batch_tokens
    assert schedule.warmup * batch == pytest.approx(warmup, abs=0.75 * batch)


def test_kaplans_recipe_keeps_the_papers_steps_at_any_batch() -> None:
    recipe = RECIPES["kaplan"].recipe
    assert recipe.horizon_steps * recipe.batch_tokens == pytest.approx(1.31e11, rel=0.01)
    assert recipe.warmup_steps * recipe.batch_tokens == 1_572_864_000
    assert recipe.lr_final == 0
