"""Kumar et al. 2024: the numbers that could be verified, and the optimum from first principles."""

import numpy as np
import pytest

from isoflop.laws.precision import (
    PrecisionLaw,
    WeightPrecisionLaw,
    best_precision,
    precision_flops,
    retained_share,
)
from isoflop.laws.quantised import QuantisedLaw

GAMMA_W = 2.6745  # Table 2
MADE_UP = np.array([1.7, 400.0, 1500.0, 0.34, 0.36, GAMMA_W, 2.0, 1.0])


@pytest.mark.parametrize(("bits", "share"), [(3, 0.674), (4, 0.776), (8, 0.950)])
def test_share_of_the_parameters_that_low_precision_leaves(bits: int, share: float) -> None:
    assert round(float(retained_share(np.array(bits), np.array(GAMMA_W))), 3) == share


def test_three_equal_parts_are_best_at_1_9_gamma() -> None:
    u = float(best_precision(np.full(3, 1.0)))
    assert round(u, 4) == 1.9038
    assert 3 * u * np.exp(-u) == pytest.approx(1 - np.exp(-u), rel=1e-12)
    assert best_precision(np.full(3, GAMMA_W)) == pytest.approx(u * GAMMA_W, rel=1e-12)


def test_the_best_precision_has_the_lowest_loss_at_a_fixed_cost() -> None:
    law, D, flops = PrecisionLaw(), 2e10, 1e20
    bits = np.linspace(1.0, 12.0, 22_001)
    N = flops / precision_flops(np.array(1.0), np.array(D), bits)
    runs = {"n_params": N, "n_tokens": np.full_like(bits, D)}
    runs |= dict.fromkeys(("bits_weights", "bits_activations", "bits_kv"), bits)
    cheapest = bits[int(np.argmin(law.predict(MADE_UP, runs)))]
    assert cheapest == pytest.approx(float(law.derive(MADE_UP)["P_star"]), abs=1e-3)


def test_sixteen_bits_cost_six_flops_a_parameter_and_token() -> None:
    assert precision_flops(np.array(1e9), np.array(2e10), np.array(16.0)) == 6 * 1e9 * 2e10


def test_full_activations_and_caches_leave_the_law_of_weights() -> None:
    runs = {"n_params": np.array([1e8, 1e9]), "n_tokens": np.array([2e9, 2e10])}
    runs |= {"bits_weights": np.array([3.0, 6.0])}
    full = {"bits_activations": np.full(2, 1e3), "bits_kv": np.full(2, 1e3)}
    all_three = PrecisionLaw().predict(MADE_UP, {**runs, **full})
    np.testing.assert_allclose(all_three, WeightPrecisionLaw().predict(MADE_UP[:6], runs))


def test_rounding_hurts_more_after_more_tokens_and_less_in_larger_models() -> None:
    law, theta = QuantisedLaw(), np.array([0.06, 0.5068, 0.3439, 0.6])  # exponents: Table 2
    runs = {"n_params": np.array([1e9, 1e9, 1e10]), "n_tokens": np.array([1e10, 1e11, 1e10])}
    few, many, large = law.predict(theta, {**runs, "bits_post": np.full(3, 4.0)})
    assert many / few == pytest.approx(10**0.5068)
    assert large / few == pytest.approx(10**-0.3439)
    halved = runs | {"bits_post": np.full(3, 4.0 + law.derive(theta)["halving_bits"])}
    assert law.predict(theta, halved)[0] == pytest.approx(few / 2)
