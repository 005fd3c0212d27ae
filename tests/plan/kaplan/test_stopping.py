"""Kaplan's ten-per-cent rule, in the digits of the paper, and from a fit."""

import numpy as np
import pytest
from plan.fitted import fit_planted

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.laws.kaplan import KaplanStepsLaw
from isoflop.plan.kaplan.stopping import compare_stopping

TABLE_3 = [0.077, 0.76, 6.5e13, 2.1e3]


def test_the_ratios_of_appendix_b_3() -> None:
    found = compare_stopping()
    assert f"{found.best.above_converged.value:.4f}" == "0.1013"
    assert f"{found.params_ratio.value:.1f}" == "2.7"
    assert f"{found.steps_ratio.value:.1f}" == "7.6"
    assert f"{1 / found.steps_ratio.value:.2f}" == "0.13"
    assert f"{1 - found.compute_saved.value:.3f}" == "0.354"
    assert f"{100 * found.compute_saved.value:.0f}" == "65"
    assert (found.compute_saved.low, found.best.n_params) == (None, None)
    assert "no covariance" in found.notes[0]


def test_both_ways_reach_the_loss_asked_for_and_no_third_is_cheaper() -> None:
    found = compare_stopping(loss=2.6)
    assert found.best.n_params is not None
    assert found.best.steps is not None
    law, theta = KaplanStepsLaw(), np.array(TABLE_3)
    for stop in (found.best, found.instead):
        at = {"n_params": np.array([stop.n_params.value]), "steps": np.array([stop.steps.value])}
        assert law.predict(theta, at)[0] == pytest.approx(2.6, rel=1e-12)
        converged = (6.5e13 / stop.n_params.value) ** 0.077
        assert 2.6 / converged - 1 == pytest.approx(stop.above_converged.value, rel=1e-9)
    least = found.best.n_params.value * found.best.steps.value
    sizes = found.best.n_params.value * np.geomspace(0.4, 40, 200)
    steps = 2.1e3 * (2.6 - (6.5e13 / sizes) ** 0.077) ** (-1 / 0.76)
    assert least <= (sizes * steps).min() * (1 + 1e-12)
    assert least > (sizes * steps).min() * (1 - 1e-3)


def test_a_fit_brings_intervals_that_hold_the_planted_values() -> None:
    grid = {"n_params": np.geomspace(1e6, 1e9, 6), "steps": np.geomspace(1e3, 1e5, 6)}
    found = compare_stopping(fit_planted(KaplanStepsLaw(), TABLE_3, grid))
    for estimate, true in ((found.best.above_converged, 0.1013), (found.params_ratio, 2.708)):
        assert estimate.low < true < estimate.high
        assert estimate.low < estimate.value < estimate.high
    assert not any("covariance" in note for note in found.notes)


@pytest.mark.parametrize("bad", [0.0, -0.1, float("nan"), 1e9])
def test_a_fraction_that_is_none_is_refused(bad: float) -> None:
    with pytest.raises(InputError, match="instead"):
        compare_stopping(instead=bad)


def test_a_law_of_another_form_is_named() -> None:
    with pytest.raises(InputError, match="besiroglu-2024 is of the form chinchilla; needed: kapla"):
        compare_stopping("besiroglu-2024")
    with pytest.raises(UnknownNameError, match="did you mean kaplan-2020-ns"):
        compare_stopping("kaplan-2020-sn")
