"""Allocation on limited data: the authors' losses, their grid, and the exact optimum."""

import numpy as np
import pytest
from plan.fitted import fit_planted

from isoflop.base.errors import InputError
from isoflop.laws.catalog import find_published
from isoflop.laws.repeated import RepeatedLaw
from isoflop.plan.data.allocation import plan_repeats
from isoflop.plan.optimum.optimum import optimal_params

LAW = find_published("muennighoff-2023-repeated")
C, U = 1e22, 25e9


def loss(N: float, D: float, unique: float = U) -> float:
    """The authors' function, written out with their names."""
    a, b, e, alpha, beta, rd_star, rn_star = (
        6.255414, 7.3049974, 0.6254804, 0.3526596, 0.3526596, 15.387756, 5.309743
    )  # fmt: skip
    A, B, E = np.exp(a), np.exp(b), np.exp(e)
    G = ((alpha * A) / (beta * B)) ** (1 / (alpha + beta))
    unique = min(unique, D)
    RD = max(D / unique - 1, 0)
    UN = min(N, (unique * G) ** (beta / alpha) * G)
    RN = max(N / UN - 1, 0)
    by_N = A / (UN + UN * rn_star * (1 - np.exp(-RN / rn_star))) ** alpha
    return E + by_N + B / (unique + unique * rd_star * (1 - np.exp(-RD / rd_star))) ** beta


def test_the_two_losses_exactly() -> None:
    for N, D, published in (
        (6.34e9, 242e9, 2.2256440889984477),
        (8.67e9, 178e9, 2.2269634075087867),
    ):
        assert loss(N, D) == pytest.approx(published, abs=1e-15)
        at = {"n_params": np.array([N]), "n_tokens": np.array([D]), "n_tokens_unique": [U]}
        at["n_tokens_unique"] = np.array([U])
        assert LAW.law.predict(LAW.theta, at)[0] == pytest.approx(published, abs=4e-15)


def authors_grid() -> tuple[float, float, float]:
    """Their search of 500 ratios either side of the one-epoch optimum: loss, D, N."""
    base = find_published("muennighoff-2023")
    N = optimal_params(base.law, base.theta, C)[0]
    D = C / (6 * N)
    ratios = np.linspace(1.0001, 3, 500)
    tried = [(N / i, D * i) for i in ratios] + [(N * i, D / i) for i in ratios]
    return min((loss(n, d), d, n) for n, d in tried)


def test_the_published_vector_is_the_authors_grid_and_ours_the_minimum_inside_it() -> None:
    lowest, D, N = authors_grid()
    assert (f"{D:.3e}", f"{D / U:.2f}", f"{N:.2e}") == ("2.373e+11", "9.49", "7.02e+09")
    plan = plan_repeats(C, U)
    assert f"{plan.epochs.value:.2f}" == "9.49"
    assert plan.n_tokens.value == pytest.approx(D, rel=1e-3)
    assert plan.n_params.value == pytest.approx(N, rel=1e-3)
    assert lowest - 1e-7 < plan.loss.value < lowest
    assert plan.loss.value == pytest.approx(
        loss(plan.n_params.value, plan.n_tokens.value), abs=1e-13
    )
    assert 6 * plan.n_params.value * plan.n_tokens.value == pytest.approx(C, rel=1e-12)


def test_data_that_outlast_the_budget_are_allocated_as_if_fresh() -> None:
    plan = plan_repeats(1e20, 1e12)
    base = find_published("muennighoff-2023")
    N, lowest = optimal_params(base.law, base.theta, 1e20)
    assert plan.n_params.value == pytest.approx(N, rel=1e-6)
    assert plan.loss.value == pytest.approx(lowest, rel=1e-12)
    assert plan.fresh_loss.value == pytest.approx(lowest, rel=1e-12)
    assert plan.epochs.value < 1
    assert plan.worth.value == pytest.approx(plan.n_tokens.value, rel=1e-9)


def test_scarce_data_want_a_smaller_model_than_fresh_data() -> None:
    plan = plan_repeats(C, U)
    assert plan.n_params.value < plan.fresh_n_params.value
    assert plan.fresh_loss.value < plan.loss.value


def test_a_fit_brings_intervals_and_says_how_far_it_reaches() -> None:
    grid = {
        "n_params": np.geomspace(1e8, 4e9, 4),
        "n_tokens": np.geomspace(1e9, 1e11, 6),
        "n_tokens_unique": np.array([1e9, 8e9, 6e10]),
    }
    fit = fit_planted(RepeatedLaw(), LAW.theta.tolist(), grid, noise=0.001)
    plan = plan_repeats(C, U, fit)
    assert plan.n_params.low < 7.026e9 < plan.n_params.high
    assert plan.loss.low < 2.22213 < plan.loss.high
    assert any("outside the runs fitted" in note for note in plan.notes)


def test_the_published_law_says_where_its_runs_end() -> None:
    notes = plan_repeats(1e26, 1e12).notes
    assert any("n_params" in note and "outside the runs fitted" in note for note in notes)


def test_bad_amounts_are_refused() -> None:
    with pytest.raises(InputError, match="n_tokens_unique must be positive"):
        plan_repeats(1e22, 0)
    with pytest.raises(InputError, match="of the form chinchilla; needed: repeated"):
        plan_repeats(1e22, 1e9, "besiroglu-2024")
