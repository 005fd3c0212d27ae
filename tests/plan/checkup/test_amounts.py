"""Units that slipped are named, and the rest is told as if they had not."""

import numpy as np
import pytest
from faulty import TRUE_A, codes, find, ladder, noisy, rows

from isoflop.base.errors import RunTableError
from isoflop.plan.checkup.examine import check_runs


def test_half_of_the_tokens_in_millions_are_named_and_priced():
    N, D, L = ladder()
    half = np.arange(len(N)) % 2 == 0
    table = rows(N, np.where(half, D / 1e6, D), L, flops=6 * N * D)
    found = find(table, "units-unlikely")
    assert found.severity == "error"
    assert found.rows == tuple(range(1, len(N) + 1, 2))
    assert found.shift is not None
    assert found.shift.corrected == pytest.approx(TRUE_A, abs=1e-4)
    assert abs(found.shift.exponent - TRUE_A) > 0.05
    assert not codes(table) & {"flops-disagree", "mixed-conventions", "surface-does-not-fit"}


@pytest.mark.parametrize("unit", [1e6, 1e9])
def test_all_tokens_in_another_unit_are_a_warning(unit):
    N, D, L = ladder()
    assert find(rows(N, D / unit, L, flops=6 * N * D), "units-unlikely").severity == "warning"
    found = find(rows(N, D / unit, L, flops=None), "units-unlikely")
    assert found.shift is None


@pytest.mark.parametrize("unit", [1.0, 1e6])
def test_columns_beside_tokens_in_millions_are_taken_as_they_are_meant(unit):
    N, D, L = ladder()
    beside = {"n_tokens_unique": D / unit, "warmup_tokens": 0.02 * D / unit}
    table = rows(N, D / 1e6, L, flops=6 * N * D, **beside)
    assert find(table, "units-unlikely").severity == "warning"
    assert find(rows(N, D / 1e6, L), "units-unlikely").severity == "warning"
    assert not codes(table) & {"repeated-data", "warm-up-share", "impossible-values"}


@pytest.mark.parametrize("kind", ["every other", "one budget", "two thirds"])
def test_bits_among_nats_are_named_without_a_label(kind):
    N, D, L = ladder()
    k = np.arange(len(N))
    bits = {"every other": k % 2 == 0, "one budget": k < 9, "two thirds": k % 3 > 0}[kind]
    for labels in ({}, {"loss_unit": "nats/token"}):
        table = rows(N, D, noisy(np.where(bits, L / np.log(2), L)), **labels)
        found = find(table, "mixed-loss-units")
        assert found.severity == "error"
        assert found.rows == tuple((np.flatnonzero(bits) + 1).tolist())
        assert "multiply these losses by log 2" in found.remedy


def test_other_gaps_are_not_taken_for_bits():
    N, D, L = ladder()
    k = np.arange(len(N))
    for factor, which in ((1.2, k % 2 == 0), (1.7, k % 2 == 0), (1.44, k == 5), (1.0, k < 0)):
        assert "mixed-loss-units" not in codes(rows(N, D, noisy(np.where(which, factor, 1) * L)))


def test_impossible_values_are_told_all_at_once_and_the_rest_is_examined():
    N, D, L = ladder()
    k = np.arange(len(N))
    table = rows(
        np.where(k == 5, 0.5, N), D, np.where(k == 3, 400.0, noisy(L)), flops=6 * N * D,
        accuracy=np.where(k == 7, 1.2, 0.4), n_params_non_embedding=np.where(k == 9, 2.0, 0.99) * N,
        n_tokens_unique=np.where(k == 11, 3.0, 1.0) * D,
    )  # fmt: skip
    found = find(table, "impossible-values")
    assert found.severity == "error"
    assert found.rows == (4, 6, 8, 10, 12)
    for column in ("loss", "n_params", "accuracy", "n_params_non_embedding", "n_tokens_unique"):
        assert f"`{column}`: found " in found.evidence
    assert "5 values: row 6 `n_params`: found 0.5; a count cannot be below one" in found.evidence
    checkup = check_runs(table)
    assert checkup.n_usable == 61
    assert checkup.fitted
    assert "binomial-noise" in codes(checkup)


@pytest.mark.parametrize("column", ["accuracy", "error", "n_params_non_embedding"])
def test_values_at_their_bounds_are_possible(column):
    N, D, L = ladder()
    bound = N if column.startswith("n_") else np.ones(len(N))
    assert "impossible-values" not in codes(rows(N, D, L, **{column: bound}))


def test_flops_in_petaflop_days_are_told_and_not_used():
    N, D, L = ladder()
    table = rows(N, D, noisy(L), flops=6 * N * D / 8.64e19)
    found = find(table, "impossible-values")
    assert "`flops`: found 0.0011" in found.evidence
    assert check_runs(table).fitted


def test_a_bad_cell_is_a_finding_and_the_rest_is_examined():
    N, D, L = ladder()
    table = rows(N, D, noisy(L))
    table[2]["loss"], table[4]["n_params"], table[6]["n_tokens"] = "inf", -5.0, "many"
    found = find(table, "impossible-values")
    assert found.rows == (3, 5, 7)
    assert "row 3 `loss`: found inf" in found.evidence
    assert "row 5 `n_params`: found -5, expected a positive number" in found.evidence
    assert "row 7 `n_tokens`: expected a number, found 'many'" in found.evidence
    checkup = check_runs(table)
    assert checkup.fitted
    assert checkup.n_usable == 60


def test_a_column_without_one_readable_cell_is_refused_as_everywhere():
    N, D, L = ladder()
    table = [row | {"n_params": f"{row['n_params'] / 1e6:.0f}M"} for row in rows(N, D, L)]
    with pytest.raises(RunTableError, match="row 1 `n_params`: expected a number, found '3M'"):
        check_runs(table)
    several = [row | ({"loss": "nan"} if k < 20 else {}) for k, row in enumerate(rows(N, D, L))]
    assert find(several, "impossible-values").evidence.endswith(". And 8 more")
