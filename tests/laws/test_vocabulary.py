"""Tao et al. 2024: the three approaches as the authors' planner evaluates them."""

from typing import Any

import numpy as np
import pytest
from scipy.optimize import root_scalar

from isoflop.base.errors import InputError
from isoflop.laws.catalog import find_published, predict_published
from isoflop.laws.vocabulary import (
    VocabularyLaw,
    best_vocabulary_params,
    fitted_tokens,
    tokens_per_character,
)

LOSS = find_published("tao-2024")


def slope_as_the_authors_code_it(V: float, N_nv: float, d: float, F: float) -> float:
    """∂L_u/∂V in their units: N_nv in millions, V and d in thousands, F in 1e15 FLOPs."""
    p = LOSS.printed
    u = F / (6 * (N_nv + V * d))
    du_dV = F * d / (6 * (N_nv + V * d) ** 2)
    by_vocabulary = -p["alpha2"] * p["A2"] * d / (V * d) ** (p["alpha2"] + 1)
    return by_vocabulary + p["beta"] * p["B"] * du_dV / u ** (p["beta"] + 1)


@pytest.mark.parametrize(("N_nv", "width"), [(3e9, 3200), (7e9, 4096), (7e10, 8192)])
def test_the_best_vocabulary_is_where_the_authors_derivative_vanishes(
    N_nv: float, width: int
) -> None:
    flops = (N_nv / np.exp(-2.4846510161625193)) ** 2
    arguments = (N_nv / 1e6, width / 1e3, flops / 1e15)
    root: Any = root_scalar(slope_as_the_authors_code_it, args=arguments, bracket=(1.0, 1e4))
    assert isinstance(LOSS.law, VocabularyLaw)
    found = best_vocabulary_params(LOSS.law, LOSS.theta, n_params=N_nv, flops=flops)
    assert found == pytest.approx(root.root * 1e3 * width, rel=1e-9)


def test_converted_constants_give_the_printed_formula() -> None:
    at = {"n_params_non_embedding": 3e8, "n_params_vocabulary": 3.3e7, "n_tokens": 1e10}
    p = LOSS.printed
    by_hand = -5.5327846803337435 + p["A1"] / 300 ** p["beta"] + p["A2"] / 33 ** p["alpha2"]
    by_hand += p["B"] / 10 ** p["beta"]
    assert predict_published(LOSS, at).value == pytest.approx(by_hand, rel=1e-12)
    assert (round(p["beta"], 4), round(p["alpha2"], 4)) == (0.4466, 0.6707)


def test_the_rules_of_approaches_1_and_2() -> None:
    at = {"flops": 1e21}
    N_nv = predict_published(find_published("tao-2024-a1-n-opt"), at).value
    N_v = predict_published(find_published("tao-2024-a1-v-opt"), at).value
    assert N_nv == pytest.approx(np.exp(-2.4847) * 1e21**0.5, rel=1e-4)
    assert N_v == pytest.approx(np.exp(-1.5890) * 1e21**0.4164, rel=3e-3)
    second = find_published("tao-2024-a2-v-opt")
    assert predict_published(second, {"n_params_non_embedding": 33e6}).value == pytest.approx(
        3145728
    )
    larger = predict_published(second, {"n_params_non_embedding": 33e8}).value
    assert larger == pytest.approx(3145728 * 100**0.8354, rel=1e-4)


def test_compression_is_the_printed_parabola_and_constant_beyond_200_000() -> None:
    log_V = np.log(32768.0)
    by_hand = 0.00639222 * log_V**2 - 0.15811069 * log_V + 1.20470122
    assert tokens_per_character(np.array(32768.0)) == pytest.approx(by_hand)
    assert tokens_per_character(np.array(1e6)) == tokens_per_character(np.array(2e5))


def test_the_authors_tokens_are_two_to_three_times_the_tokens() -> None:
    V = np.array([4096.0, 96256.0])
    times = fitted_tokens(np.ones(2), V) / tokens_per_character(V)
    np.testing.assert_allclose(times, [2.997, 2.654], atol=2e-3)


def test_a_budget_that_is_no_amount_is_refused() -> None:
    with pytest.raises(InputError, match="must be positive"):
        best_vocabulary_params(VocabularyLaw(), LOSS.theta, n_params=1e9, flops=-1.0)
