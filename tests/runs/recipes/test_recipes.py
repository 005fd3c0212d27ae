"""Recipes as data: names, rules per rung, printing, mistakes, prices."""

import dataclasses
import math
from dataclasses import replace
from pathlib import Path

import pytest

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.flops import flops_per_token
from isoflop.accounting.params import count_params
from isoflop.base.errors import SpecError
from isoflop.laws.catalog import find_published, predict_published
from isoflop.runs.ladders.ladder import Ladder, Recipe, Rung, rung_flops, rung_tokens, rung_trunks
from isoflop.runs.ladders.toml import parse_ladder, print_ladder
from isoflop.runs.recipes import RECIPES
from isoflop.runs.recipes.words import describe_recipe
from isoflop.runs.settle import settle_recipe

FORMATS = Path(__file__).parents[3] / "docs" / "formats.md"
SHAPE = Architecture(n_layer=2, d_model=16, n_head=2, n_ctx=64, n_vocab=256, tied=False)
RUNG = Rung("d16", SHAPE, 2, (65536, 131072, 262144))


def make_ladder(recipe: Recipe = Recipe(), rung: Rung = RUNG) -> Ladder:  # noqa: B008
    return Ladder("demo", "sotu", "bytes", (rung,), recipe)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_says_whence_it_comes_and_settles_to_plain_numbers(name: str) -> None:
    entry = RECIPES[name]
    assert "arXiv" in entry.source
    assert entry.recipe.name == name
    small = replace(entry.recipe, batch_tokens=256)
    settled = settle_recipe(small, RUNG)
    assert (settled.lr_rule, settled.batch_rule) == ("transfer", "fixed")
    assert settle_recipe(settled, RUNG) == settled
    assert 0 < settled.lr < 0.01


@pytest.mark.parametrize("name", RECIPES)
def test_a_named_recipe_is_filled_in_overridden_and_read_back(name: str) -> None:
    text = print_ladder(make_ladder())
    head, rest = text.split("[recipe]")
    rungs = "[evaluation]" + rest.split("[evaluation]")[1]
    ladder = parse_ladder(f'{head}[recipe]\nname = "{name}"\nbatch_tokens = 128\n\n{rungs}')
    assert ladder.recipe == replace(RECIPES[name].recipe, batch_tokens=128)
    assert parse_ladder(print_ladder(ladder)) == ladder


def test_an_unknown_recipe_is_refused_with_the_nearest_name() -> None:
    text = print_ladder(make_ladder()).replace("[recipe]", '[recipe]\nname = "kaplann"')
    with pytest.raises(SpecError, match="did you mean kaplan"):
        parse_ladder(text)


def test_a_ladder_of_the_first_release_prints_as_it_did() -> None:
    printed = print_ladder(make_ladder())
    table = printed.split("[recipe]\n")[1].split("\n\n")[0]
    assert [line.split(" = ")[0] for line in table.splitlines()] == [
        "batch_tokens", "lr", "base_width", "beta1", "beta2", "eps", "weight_decay",
        "warmup_fraction", "warmup_max_steps", "cooldown_fraction", "precision",
    ]  # fmt: skip
    assert "lrs" not in printed


def test_kaplans_rate_is_the_published_law_of_the_rungs_size() -> None:
    n_params = float(count_params(SHAPE).non_embedding)
    expected = predict_published(find_published("kaplan-2020-lr"), {"n_params": n_params}).value
    assert settle_recipe(RECIPES["kaplan"].recipe, RUNG).lr == pytest.approx(expected, rel=1e-9)


def test_the_step_law_as_a_rule_gives_the_published_rate_and_batch() -> None:
    rung = replace(RUNG, token_budgets=(2**24, 2**26))
    recipe = Recipe(
        lr_rule="power", lr_scale=1.79, lr_exponent_n=-0.713, lr_exponent_d=0.307,
        batch_rule="tokens", batch_scale=0.58, batch_exponent=0.571,
    )  # fmt: skip
    settled = settle_recipe(recipe, rung)
    n_params = float(count_params(SHAPE).non_embedding)
    row = {"n_params": n_params, "n_tokens": 2.0**26}
    rate = predict_published(find_published("li-2025-lr"), row).value
    assert settled.lr == pytest.approx(rate, rel=1e-9)
    wanted = predict_published(find_published("li-2025-batch"), {"n_tokens": 2.0**24}).value
    assert settled.batch_tokens / wanted == pytest.approx(1, rel=math.sqrt(2) - 1)
    assert math.log2(settled.batch_tokens / 64).is_integer()


def test_the_critical_batch_of_kaplan_is_a_rule_of_compute() -> None:
    rung = replace(RUNG, token_budgets=(2**30,))
    recipe = Recipe(batch_rule="compute", batch_scale=2.0e6, batch_exponent=0.24)
    pf_days = 6 * count_params(SHAPE).non_embedding * 2**30 / 8.64e19
    wanted = 2.0e6 * pf_days**0.24
    found = settle_recipe(recipe, rung).batch_tokens
    assert found / wanted == pytest.approx(1, rel=math.sqrt(2) - 1)


@pytest.mark.parametrize("batch", [64, 256, 4096])
def test_beta2_forgets_half_within_its_tokens_at_any_batch(batch: int) -> None:
    settled = settle_recipe(Recipe(batch_tokens=batch, beta2_half_life_tokens=17_656), RUNG)
    assert settled.beta2 ** (17_656 / batch) == pytest.approx(0.5)
    if batch == 256:
        assert settled.beta2 == pytest.approx(0.99, abs=1e-4)


@pytest.mark.parametrize(
    ("schedule", "tokens", "trunks"),
    [
        ("wsd", 0.8 * 262144 + 0.2 * (65536 + 131072 + 262144), 2),
        ("constant", 262144, 2),
        ("cosine-fixed", 262144, 2),
        ("cosine", 65536 + 131072 + 262144, 6),
    ],
)
def test_a_schedule_is_priced_by_the_trunks_it_needs(schedule, tokens, trunks) -> None:
    recipe = Recipe(schedule=schedule, horizon_steps=2000)
    assert rung_tokens(RUNG, recipe) == pytest.approx(tokens)
    assert rung_trunks(RUNG, recipe) == trunks
    per_token = flops_per_token(SHAPE).matmul
    assert rung_flops(RUNG, recipe) == pytest.approx(2 * tokens * per_token)
    bracket = replace(RUNG, lrs=(0.002, 0.004, 0.008))
    assert rung_flops(bracket, recipe) == pytest.approx(6 * tokens * per_token)


def test_a_bracket_gives_a_run_a_rate_and_seed_and_one_rate_changes_no_name() -> None:
    ladder = make_ladder(rung=replace(RUNG, token_budgets=(65536,), lrs=(0.002, 0.004)))
    assert [(run.id, run.lr, run.member) for run in ladder.runs()] == [
        ("d16-s0-t65536-lr0.002", 0.002, 0),
        ("d16-s1-t65536-lr0.002", 0.002, 1),
        ("d16-s0-t65536-lr0.004", 0.004, 2),
        ("d16-s1-t65536-lr0.004", 0.004, 3),
    ]
    assert parse_ladder(print_ladder(ladder)) == ladder
    tuned = make_ladder(rung=replace(RUNG, token_budgets=(65536,), lrs=(0.002,)))
    assert [(run.id, run.lr) for run in tuned.runs()] == [
        ("d16-s0-t65536", 0.002),
        ("d16-s1-t65536", 0.002),
    ]


@pytest.mark.parametrize(
    ("recipe", "rung", "message"),
    [
        ({"schedule": "cosine-fixed"}, {}, "horizon_steps is 0, but schedule = cosine-fixed needs"),
        ({"schedule": "cosine-fixed", "horizon_steps": 1000}, {}, "1024 steps, beyond recipe.hor"),
        (
            {"schedule": "cosine-fixed", "horizon_steps": 9, "batch_tokens": 0},
            {},
            "recipe.batch_tokens is 0, expected at least 1$",
        ),
        ({"warmup_rule": "steps"}, {}, "recipe.warmup_steps is 0"),
        ({"lr_rule": "logarithm"}, {}, "recipe.lr_scale is 0.0"),
        ({"lr_rule": "power", "lr_scale": 5.0}, {}, "gives the rate 5, expected between 0 and 1"),
        ({"batch_rule": "tokens", "batch_scale": 1e5}, {}, "below 10 steps"),
        ({"batch_rule": "tokens", "batch_scale": 1.0, "batch_exponent": 1e9}, {}, "no number here"),
        ({"beta2_half_life_tokens": -1}, {}, "beta2_half_life_tokens is -1"),
        ({"muon_lr": 3.0}, {}, "recipe.muon_lr is 3.0"),
        ({}, {"lrs": (0.004, 0.002)}, r"lrs must increase by at least 1 %"),
        ({}, {"lrs": (0.004, 2.0)}, r"expected rates between 0 and 1"),
        ({}, {"seeds": 64, "lrs": (0.1, 0.2, 0.3, 0.4, 0.5)}, "320 models in a pack"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused(recipe, rung, message) -> None:
    with pytest.raises(SpecError, match=message):
        make_ladder(Recipe(**recipe), replace(RUNG, **rung))


def test_the_fields_of_the_first_release_come_first() -> None:
    assert dataclasses.fields(Recipe)[10].name == "precision"


def test_words_of_the_default_are_those_of_earlier_reports_and_every_recipe_has_its_own() -> None:
    assert describe_recipe(Recipe()) == {
        "batch": "256 tokens a step",
        "optimizer": "AdamW, peak rate 0.004 at width 32, scaled by width, β2 0.99",
        "schedule": "warm-up 5 % of the shortest run, constant, 1 − √ cooldown over the last 20 %",
    }
    assert len({describe_recipe(r.recipe)["schedule"] for r in RECIPES.values()}) == len(RECIPES)
    assert (
        "3,000 steps, cosine over 250,000 steps to 0 %"
        in (describe_recipe(RECIPES["kaplan"].recipe)["schedule"])
    )


def test_every_recipe_is_in_the_documentation() -> None:
    text = (Path(__file__).parents[3] / "docs" / "recipes.md").read_text(encoding="utf-8")
    for name in RECIPES:
        assert f"| `{name}` |" in text
    for field in dataclasses.fields(Recipe)[11:]:
        assert field.name in (text + FORMATS.read_text(encoding="utf-8"))
