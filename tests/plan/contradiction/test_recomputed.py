"""The table of constant sets: every digit that was printed, and what the paper itself says."""

import pytest

from isoflop.plan.contradiction.recomputed import (
    PAPERS_OWN,
    REFERENCE,
    nearest_to_paper,
    recompute_crossings,
    write_like,
)
from isoflop.plan.contradiction.spread import CrossingSpread


@pytest.fixture(scope="module")
def rows():
    return recompute_crossings()


def test_every_set_agrees_in_every_digit(rows) -> None:
    assert len(rows) == 8
    assert [row.constants for row in rows if not row.agrees] == []
    assert rows[0].recomputed == ("1.12e4", "1.17e12", "2.5e11", "1.67")


def test_no_set_gives_the_four_numbers_of_the_paper(rows) -> None:
    assert PAPERS_OWN == ("1e4", "1e12", "1e12", "1.7")
    name, factor = nearest_to_paper(rows)
    assert name.startswith("Table 5")
    assert factor == pytest.approx(1e12 / 2.479e11, rel=1e-3)
    own = [tuple(write_like(v, p) for v, p in zip(r.values, PAPERS_OWN, strict=True)) for r in rows]
    assert PAPERS_OWN not in own


def test_every_set_has_an_interval_that_holds_its_value(rows) -> None:
    for row in rows:
        for estimate in (row.crossing.pf_days, row.crossing.n_params, row.crossing.loss):
            assert estimate.low < estimate.value < estimate.high


def test_a_wrong_digit_would_be_noticed(rows) -> None:
    wrong = type(rows[0])(rows[0].constants, ("1.13e4", *rows[0].printed[1:]), rows[0].crossing)
    assert not wrong.agrees
    assert wrong.to_dict()["agrees"] is False


def test_the_table_takes_errors_of_ones_own() -> None:
    spread = CrossingSpread({"compute_law": 0.002}, rounding="ignored", n_draws=500)
    wide = recompute_crossings(spread)
    assert len(wide) == len(REFERENCE)
    assert all(row.crossing.flops.high > 1.5 * row.crossing.flops.value for row in wide)
