"""Brackets on planted valleys: their bottoms, their edges, their divergences."""

import math
from typing import Any

import pytest

from isoflop.accounting.architecture import Architecture
from isoflop.base.errors import InputError
from isoflop.runs.brackets.design import bracket_ladder, tuned_ladder
from isoflop.runs.brackets.findings import check_brackets, rate_exponent
from isoflop.runs.brackets.valley import read_brackets
from isoflop.runs.ladders.ladder import Ladder, Recipe, Rung

RATES = (0.001, 0.002, 0.004, 0.008, 0.016)
SHAPE = Architecture(n_layer=2, d_model=16, n_head=2, n_ctx=64, n_vocab=256, tied=False)


def planted(best: float, *, rung: str = "a", n_params: int = 100, broken=(), c: float = 0.1):
    """Runs of two seeds on L = 2 + c·(ln η − ln η*)², seeds .001 to either side."""
    rows: list[dict[str, Any]] = []
    for lr in RATES:
        for off in (-0.001, 0.001):
            loss = 2 + c * math.log(lr / best) ** 2 + off
            row = {"rung": rung, "n_params": n_params, "n_tokens": 1000, "lr": lr, "loss": loss}
            bad = lr in broken and off > 0
            rows.append({**row, "state": "diverged" if bad else "finished"})
    return rows


@pytest.mark.parametrize("best", [0.0021, 0.004, 0.0067])
def test_a_planted_bottom_is_found_with_its_curvature_and_width(best: float) -> None:
    (found,) = read_brackets(planted(best))
    assert found.place == "inside"
    assert found.lr == pytest.approx(best, rel=1e-9)
    assert found.loss == pytest.approx(2, abs=1e-9)
    assert found.curvature == pytest.approx(0.1)
    assert found.high == pytest.approx(best * math.exp(math.sqrt(0.1)))
    assert check_brackets([found]) == []


@pytest.mark.parametrize(
    ("best", "broken", "place", "lr"),
    [
        (0.0009, (), "lowest rate", 0.001),
        (0.02, (), "highest rate", 0.016),
        (0.009, (0.016,), "beside divergence", 0.008),
        (0.02, (0.008, 0.016), "beside divergence", 0.004),
    ],
)
def test_a_best_rate_at_the_edge_is_marked_and_not_taken_for_a_bottom(
    best, broken, place, lr
) -> None:
    (found,) = read_brackets(planted(best, broken=broken))
    assert (found.place, found.lr, found.low) == (place, lr, None)
    assert found.diverged == broken
    (finding,) = check_brackets([found])
    assert finding.code == "lr-at-bracket-edge"
    assert finding.runs == ("a",)
    assert "under-tuned" in finding.consequence


def test_a_divergence_above_the_bottom_takes_no_part() -> None:
    (found,) = read_brackets(planted(0.003, broken=(0.016,)))
    assert found.place == "inside"
    assert found.lr == pytest.approx(0.003, rel=1e-9)
    assert found.losses[-1] is None


def test_rates_that_all_diverge_or_lie_upside_down_have_no_bottom() -> None:
    (none,) = read_brackets(planted(0.004, broken=RATES))
    assert (none.place, none.loss) == ("no bottom", None)
    bumpy = [
        {"rung": "a", "n_params": 1, "n_tokens": 1, "lr": lr, "loss": loss, "state": "finished"}
        for lr, loss in zip(RATES, (1.0, 2.0, 1.99, 2.0, 1.5), strict=True)
    ]
    (lowest,) = read_brackets(bumpy)
    assert lowest.place == "lowest rate"
    assert {b.place for b in (none, lowest)} == {f.evidence and p for f, p in zip(
        check_brackets([none, lowest]), ("no bottom", "lowest rate"), strict=True)}  # fmt: skip


def test_two_rates_are_no_bracket_and_pending_runs_are_left_out() -> None:
    rows = planted(0.004)
    assert read_brackets([row for row in rows if row["lr"] < 0.003]) == ()
    assert read_brackets([{**row, "state": "pending"} for row in rows]) == ()


def test_the_drift_of_the_rate_with_size_is_the_planted_exponent() -> None:
    rows = [
        row
        for k, n_params in enumerate((100, 1000, 10_000))
        for row in planted(0.006 * n_params**-0.1, rung=f"r{k}", n_params=n_params)
    ]
    found = read_brackets(rows)
    assert rate_exponent(found) == pytest.approx(-0.1)
    assert rate_exponent(found[:1]) is None


def test_a_bracket_surrounds_the_rate_the_recipe_gives_each_rung() -> None:
    rule = Recipe(lr_rule="power", lr_scale=0.1, lr_exponent_n=-0.25)
    ladder = Ladder("demo", "sotu", "bytes", (Rung("a", SHAPE, 2, (65536, 131072)),), rule)
    (rung,) = bracket_ladder(ladder, n_rates=5, ratio=2).rungs
    middle = 0.1 * 6144**-0.25
    assert rung.lrs == pytest.approx([middle * 2.0**k for k in (-2, -1, 0, 1, 2)], rel=1e-3)
    assert (rung.token_budgets, rung.seeds, rung.members) == ((65536,), 2, 10)
    assert bracket_ladder(ladder, at="longest").rungs[0].token_budgets == (131072,)
    (tuned,) = tuned_ladder(ladder, {"a": 0.003}).rungs
    assert (tuned.lrs, tuned.token_budgets) == ((0.003,), (65536, 131072))


@pytest.mark.parametrize("wrong", [{"n_rates": 4}, {"n_rates": 1}, {"ratio": 1.0}, {"ratio": -2}])
def test_an_impossible_bracket_is_refused(wrong) -> None:
    ladder = Ladder("demo", "sotu", "bytes", (Rung("a", SHAPE, 1, (65536,)),))
    with pytest.raises(InputError, match="expected"):
        bracket_ladder(ladder, **wrong)
