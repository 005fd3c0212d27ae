"""Kaplan's overfitting bound and early stop, and the same under other laws."""

from dataclasses import replace

import numpy as np
import pytest
from plan.fitted import fit_planted

from isoflop.base.errors import InputError
from isoflop.laws.kaplan import KaplanTokensLaw
from isoflop.plan.kaplan.overfitting import bound_overfitting

TABLE_2 = [0.076, 0.103, 6.4e13, 1.8e13]


@pytest.mark.parametrize(
    ("tolerance", "prefactor"), [(0.01, "1.15e+04"), (0.02, "5.52e+03"), (0.05, "1.93e+03")]
)
def test_the_bound_at_each_tolerance(tolerance: float, prefactor: str) -> None:
    found = bound_overfitting(1e9, tolerance=tolerance)
    assert f"{found.prefactor.value:.2e}" == prefactor
    assert f"{found.exponent.value:.3f}" == "0.738"
    power = found.prefactor.value * 1e9**found.exponent.value
    assert found.n_tokens_needed.value == pytest.approx(power, rel=1e-9)


def test_a_billion_parameters_need_24_billion_tokens() -> None:
    found = bound_overfitting(1e9)
    assert f"{found.n_tokens_needed.value:.1e}" == "2.4e+10"
    again = bound_overfitting(1e9, n_tokens=found.n_tokens_needed.value)
    assert again.at_hand.penalty.value == pytest.approx(0.02, rel=1e-9)


def test_the_early_stop_is_equation_5_7() -> None:
    found = bound_overfitting(1e9, n_tokens=1e9).at_hand
    inner = (6.4e13 / 1e9) ** (0.076 / 0.103)
    gap = (inner + 1.8e13 / 1e9) ** 0.103 - inner**0.103
    assert found.loss.value == pytest.approx((inner + 1.8e4) ** 0.103, rel=1e-12)
    assert found.stop_after.value == pytest.approx(2.1e3 / gap ** (1 / 0.76), rel=1e-9)


def test_under_chinchillas_form_the_bound_is_its_closed_form() -> None:
    found = bound_overfitting(1e9, tolerance=0.01, law="besiroglu-2024")
    E, A, B, alpha, beta = 1.8172, 482.01, 2085.43, 0.3478, 0.3658
    needed = (B / (0.01 * (E + A / 1e9**alpha))) ** (1 / beta)
    assert found.n_tokens_needed.value == pytest.approx(needed, rel=1e-9)
    assert (found.prefactor, found.exponent, found.at_hand) == (None, None, None)


def test_a_fit_brings_intervals_and_says_how_far_it_reaches() -> None:
    grid = {"n_params": np.geomspace(1e6, 1e9, 7), "n_tokens": np.geomspace(1e7, 1e10, 7)}
    fit = fit_planted(KaplanTokensLaw(), TABLE_2, grid)
    found = bound_overfitting(1e10, law=fit, n_tokens=1e9)
    assert found.prefactor.low < 5519 < found.prefactor.high
    assert found.n_tokens_needed.low < 5519.32 * 1e10**0.737864 < found.n_tokens_needed.high
    assert found.at_hand.penalty.low < found.at_hand.penalty.value < found.at_hand.penalty.high
    assert any("n_params 1.00e10 is 10.0× outside the runs fitted" in n for n in found.notes)


def test_a_law_in_bits_gives_the_penalty_and_no_early_stop_of_kaplans() -> None:
    grid = {"n_params": np.geomspace(1e6, 1e9, 5), "n_tokens": np.geomspace(1e7, 1e10, 5)}
    fit = fit_planted(KaplanTokensLaw(), TABLE_2, grid, draws=20)
    fit = replace(fit, data=replace(fit.data, loss_unit="bits/byte"))
    found = bound_overfitting(1e9, law=fit, n_tokens=1e9)
    assert found.at_hand.penalty.value > 0.02
    assert found.at_hand.stop_after is None
    assert any("no early stop: kaplan-2020-ns reads nats/token, not bits" in n for n in found.notes)


def test_bad_input_is_refused() -> None:
    with pytest.raises(InputError, match="tolerance must be positive"):
        bound_overfitting(1e9, tolerance=0)
    with pytest.raises(InputError, match="kaplan-2020-l-n is a law of n_params; needed: one of"):
        bound_overfitting(1e9, law="kaplan-2020-l-n")
