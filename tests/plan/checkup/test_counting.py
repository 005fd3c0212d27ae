"""Counts: numbers of Pearce & Song's mechanism, and brute force written here."""

import numpy as np
import pytest
from faulty import EPOCH, LADDER, TRUE_A, codes, find, ladder, rows

from benchmarks._planted import chinchilla, isoflop
from isoflop.plan.checkup.frontier_line import Count, fit_count, line_of_optima, optimum

GAMMA = 47491.0
"""Embeddings are GAMMA·N^(1/3) (Pearce & Song 2024)."""


def with_embeddings(lowest: float, highest: float):
    """Runs of budgets of 6·N_ne·D around their optimum in N_ne, losses by all parameters."""
    theta, size = np.array(EPOCH), Count(GAMMA, 1 / 3)
    budgets = np.geomspace(lowest, highest, 8)
    best = np.array([optimum(theta, c, size=size, cost=Count()) for c in budgets])
    inner = (best[:, None] * np.geomspace(0.25, 4, 9)).ravel()
    D = np.repeat(budgets, 9) / (6 * inner)
    total = size.of(inner)
    return inner, total, D, chinchilla(EPOCH, total, D)


@pytest.mark.parametrize(
    ("lowest", "highest", "apparent"),
    [(1e13, 10**20.7, 0.774), (1e15, 1e19, 0.822), (1e17, 1e21, 0.595)],
)
def test_embeddings_left_out_give_the_apparent_exponents(lowest, highest, apparent):
    slope, _ = line_of_optima(
        np.array(EPOCH), (lowest, highest), size=Count(GAMMA, 1 / 3), cost=Count()
    )
    assert slope == pytest.approx(apparent, abs=6e-4)


def test_embeddings_that_weigh_are_found_with_their_price():
    inner, total, D, L = with_embeddings(1e13, 10**20.7)
    table = rows(total, D, L, n_params_non_embedding=inner, flops=6 * total * D)
    found = find(table, "embedding-share", flops=1e24)
    assert found.shift is not None
    assert found.shift.corrected == pytest.approx(TRUE_A, abs=1e-6)
    # grids reach a little beyond the budgets' ends only through their own C, so .774 to a digit
    assert found.shift.exponent == pytest.approx(0.774, abs=2e-3)
    assert found.shift.ratio == pytest.approx(15.75, rel=0.03)
    assert found.numbers["share_smallest"] > 0.9
    assert "count" in found.remedy


def test_embeddings_of_large_models_are_not_told():
    N, D, L = ladder()
    assert "embedding-share" not in codes(rows(N, D, L, n_params_non_embedding=0.95 * N))


def test_flops_that_are_not_six_nd_are_found_with_the_exponent_they_give():
    N, D, L = ladder()
    extra = 3e3 * np.sqrt(N)  # a head of fixed depth: 6·V·d with N ∝ d²
    found = find(rows(N, D, L, flops=6 * (N + extra) * D), "flops-not-6nd", flops=1e22)
    assert found.shift is not None
    assert found.shift.exponent == pytest.approx(TRUE_A, abs=2e-4)
    assert found.shift.corrected == pytest.approx(
        _slope(lambda n: n + 3e3 * n**0.5, N, D), abs=2e-3
    )
    assert found.numbers["ratio_smallest"] > 2


def test_a_constant_factor_is_only_a_note():
    N, D, L = ladder()
    assert find(rows(N, D, L, flops=6.9 * N * D), "flops-not-6nd").severity == "note"
    assert "flops-not-6nd" not in codes(rows(N, D, L, flops=6.1 * N * D))


def test_flops_of_no_simple_count_are_found_without_a_price():
    N, D, L = ladder()
    ratio = 0.86 - 0.2 * np.log10(N / N.min())  # falls on and on with size, as no head does
    found = find(rows(N, D, L, flops=6 * N * D * ratio), "flops-not-6nd")
    assert found.shift is None
    assert found.severity == "warning"


def test_a_head_left_out_is_found_with_both_exponents():
    N, D = LADDER(EPOCH)
    inner, total = N, N + 32_000 * np.sqrt(N / 100)
    L = chinchilla(EPOCH, total, D)
    table = rows(total, D, L, n_params_non_embedding=inner, flops=6 * inner * D)
    found = find(table, "head-flops-dropped")
    assert found.shift is not None
    assert found.shift.exponent > found.shift.corrected + 0.03
    assert "head-flops-dropped" not in codes(
        rows(total, D, L, n_params_non_embedding=inner, flops=6 * total * D)
    )


def test_counts_are_recovered():
    N = np.geomspace(1e6, 1e9, 20)
    assert fit_count(N, N + GAMMA * N ** (1 / 3)).gamma == pytest.approx(GAMMA, rel=1e-9)
    assert fit_count(N, N - 300 * N**0.5) == Count(pytest.approx(-300), 0.5)


def _slope(per_token, N, D):
    """Brute force: best size on a fine grid at each of many budgets."""
    C = 6 * per_token(N) * D
    budgets, sizes = np.geomspace(C.min(), C.max(), 40), np.geomspace(1e5, 1e12, 40_000)
    best = [sizes[np.argmin(chinchilla(EPOCH, sizes, c / (6 * per_token(sizes))))] for c in budgets]
    return np.polyfit(np.log(budgets), np.log(best), 1)[0]


def test_the_design_is_centred():
    N, _ = isoflop(8.0, budgets=np.array([1e18]))(EPOCH)
    assert N.max() / N.min() == pytest.approx(64)
