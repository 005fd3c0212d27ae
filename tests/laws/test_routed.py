"""Clark et al. 2022 and Krajewski et al. 2024 against the numbers of the papers."""

import numpy as np
import pytest

from isoflop.laws.catalog import find_published, predict_published
from isoflop.laws.routed import RoutedLaw, effective_params, saturate

S_BASE = find_published("clark-2022-s-base")


def test_a_dense_model_of_1_3_billion_has_the_loss_of_the_paper() -> None:
    # Logarithms to base e instead of 10 would give 5.4.
    dense = predict_published(S_BASE, {"n_params": 1.3e9, "n_experts": 1.0})
    assert round(dense.value, 2) == 2.24


def test_5_million_parameters_and_128_experts_are_worth_52_million() -> None:
    worth = effective_params(S_BASE.theta, np.array([5e6]), np.array([128.0]))
    assert f"{worth[0]:.1e}" == "5.2e+07"  # the paper says about 55 million


@pytest.mark.parametrize("name", ["s-base", "rl-r", "hash"])
def test_effective_parameters_are_the_dense_model_of_the_same_loss(name: str) -> None:
    entry = find_published(f"clark-2022-{name}")
    N, E = np.array([2e7, 3e8, 1e9]), np.array([4.0, 64.0, 512.0])
    routed = entry.law.predict(entry.theta, {"n_params": N, "n_experts": E})
    worth = effective_params(entry.theta, N, E)
    dense = entry.law.predict(entry.theta, {"n_params": worth, "n_experts": np.ones(3)})
    np.testing.assert_allclose(dense, routed, rtol=1e-12)


def test_experts_saturate_at_both_ends() -> None:
    start, most = np.array(1.847), np.array(314.478)
    assert saturate(np.array(1.0), start, most) == pytest.approx(1.847)
    assert saturate(np.array(1e12), start, most) == pytest.approx(314.478)


@pytest.mark.parametrize(
    ("name", "cutoff"), [("s-base", "1e+12"), ("rl-r", "3e+10"), ("hash", "2e+11")]
)
def test_rounded_coefficients_put_the_end_of_routing_elsewhere(name: str, cutoff: str) -> None:
    entry = find_published(f"clark-2022-{name}")
    assert f"{entry.law.derive(entry.theta)['N_cutoff']:.0e}" == cutoff
    assert entry.rounded


def test_beyond_the_cutoff_more_experts_no_longer_help() -> None:
    N = 1.01 * float(RoutedLaw().derive(S_BASE.theta)["N_cutoff"])
    few = predict_published(S_BASE, {"n_params": N, "n_experts": 2.0}).value
    assert predict_published(S_BASE, {"n_params": N, "n_experts": 64.0}).value > few
    assert (
        predict_published(S_BASE, {"n_params": N / 10, "n_experts": 64.0}).value
        < predict_published(S_BASE, {"n_params": N / 10, "n_experts": 2.0}).value
    )


def test_granularity_is_the_formula_with_the_papers_constants() -> None:
    at = {"n_params": 1e9, "n_tokens": 2e10, "granularity": 16.0}
    found = predict_published(find_published("krajewski-2024"), at)
    by_hand = 0.47 + (2.1 / 16**0.58 + 18.1) / 1e9**0.115 + 30.8 / 2e10**0.147
    assert found.value == pytest.approx(by_hand, rel=1e-14)
