import dataclasses

import pytest

from isoflop.accounting.architecture import Architecture
from isoflop.runs.ladders.ladder import Ladder, Recipe, Rung
from isoflop.runs.ladders.warmup import check_warmup
from isoflop.runs.recipes import RECIPES

SHAPE = Architecture(n_layer=2, d_model=16, n_head=1, n_ctx=64, n_vocab=256)


def ladder_of(recipe: Recipe, *budgets: int) -> Ladder:
    return Ladder("w", "sotu", "bytes", (Rung("d16", SHAPE, 1, budgets),), recipe)


def test_kaplans_three_thousand_steps_are_too_many_for_a_small_ladder() -> None:
    kaplan = dataclasses.replace(RECIPES["kaplan"].recipe, batch_tokens=256)
    (finding,) = check_warmup(ladder_of(kaplan, 256 * 4000, 256 * 10_000, 256 * 100_000))
    assert (finding.code, finding.severity, finding.runs) == ("long-warmup", "warning", ("d16",))
    assert "3,000 of 4,000 steps are warm-up (75 %)" in finding.evidence
    assert "more than 5 % in 2 of" in finding.evidence  # 3,000 of 100,000 steps are 3 %
    assert check_warmup(ladder_of(kaplan, 256 * 60_000)) == []


@pytest.mark.parametrize("steps", [20, 30, 31, 50, 64, 1000, 10_000])
def test_the_default_share_is_never_too_long(steps: int) -> None:
    assert check_warmup(ladder_of(Recipe(), 256 * steps)) == []


def test_a_share_above_five_per_cent_is_told_and_one_at_it_is_not() -> None:
    recipe = Recipe(warmup_fraction=0.1, warmup_max_steps=10_000)
    (finding,) = check_warmup(ladder_of(recipe, 256 * 1000))
    assert "100 of 1,000 steps are warm-up (10 %)" in finding.evidence
    steps = Recipe(warmup_rule="steps", warmup_steps=50)
    assert check_warmup(ladder_of(steps, 256 * 1000)) == []
    (finding,) = check_warmup(ladder_of(steps, 256 * 900))
    assert "50 of 900 steps" in finding.evidence


def test_under_matched_cosines_every_budget_has_a_warmup_of_its_own() -> None:
    recipe = Recipe(schedule="cosine", warmup_rule="params")
    (finding,) = check_warmup(ladder_of(recipe, 256 * 60, 256 * 6000))
    # Porian's cosines warm up for at most a sixth of a run: 10 of 60 steps.
    assert "10 of 60 steps are warm-up (17 %)" in finding.evidence
    assert "in 1 of" in finding.evidence
