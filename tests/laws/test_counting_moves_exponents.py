"""Why conventions matter: one truth, stated in two counts of N and C (docs/conventions.md)."""

import numpy as np
import pytest

from isoflop.laws.catalog import find_published
from isoflop.laws.law import Array

GAMMA = 47491.0  # N_total = N + GAMMA·N^(1/3), Pearce and Song 2024


def budget_of(n_params: Array) -> Array:
    """Budget 6·N·D, without embeddings, at which N is optimal (Pearce and Song 2024).

    D follows from d/dN [A/N_total^alpha + B/D^beta] = 0 at constant N·D.
    """
    law = find_published("besiroglu-2024")
    _, A, B, alpha, beta = law.theta
    N = n_params
    total = N + GAMMA * N ** (1 / 3)
    slope = 1 + GAMMA / 3 * N ** (-2 / 3)
    D = (beta * B * total ** (1 + alpha) / (alpha * A * N * slope)) ** (1 / beta)
    return 6 * N * D


def optimal_params(flops: Array) -> Array:
    N = np.geomspace(1.0, 1e13, 200_001)
    return np.exp(np.interp(np.log(flops), np.log(budget_of(N)), np.log(N)))


def apparent_line(low: float, high: float) -> tuple[float, float]:
    """Slope and intercept of log N_opt against log C, between two powers of ten."""
    flops = np.logspace(low, high, 50)
    slope, intercept = np.polyfit(np.log(flops), np.log(optimal_params(flops)), 1)
    return float(slope), float(intercept)


@pytest.mark.parametrize(
    ("low", "high", "apparent"),
    [(13, 20.7, 0.774), (15, 19, 0.822), (17, 21, 0.595), (20, 24, 0.520)],
)
def test_leaving_out_embeddings_changes_the_exponent(
    low: float, high: float, apparent: float
) -> None:
    assert apparent == round(apparent_line(low, high)[0], 3)


def test_the_line_of_small_models_asks_for_fifteen_times_too_many_parameters() -> None:
    slope, intercept = apparent_line(13, 20.7)
    asked = np.exp(intercept + slope * np.log(1e24))
    # 15.75 in the source; the second digit depends on how many budgets the line is drawn through.
    assert asked / optimal_params(np.array(1e24)) == pytest.approx(15.75, rel=0.02)


def test_the_truth_in_total_parameters_is_the_laws_own_exponent() -> None:
    law = find_published("besiroglu-2024")
    assert round(float(law.law.derive(law.theta)["a"]), 3) == 0.513
