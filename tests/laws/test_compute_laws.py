"""Laws of compute, of the batch and the logarithm: published numbers, closed forms, recovery."""

import numpy as np
import pytest
from planted import SURFACES, chinchilla, optimum, table_of
from scipy.optimize import brentq

from isoflop.base.errors import InputError
from isoflop.fitting.foresight.foresight import predict_loss
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.chinchilla_frontier import ChinchillaFrontierLaw, frontier_theta
from isoflop.laws.critical_batch import (
    BatchTradeLaw,
    CriticalBatchLaw,
    adjust_steps,
    adjust_tokens,
)
from isoflop.laws.forms import find_form
from isoflop.laws.kaplan_compute import KaplanComputeLaw
from isoflop.laws.logarithm import LogarithmLaw
from isoflop.laws.power import PowerLaw

EXACT = FitSpec(Objective("squared"), n_resamples=0)
KAPLAN_BATCH = np.array([2.1e8, 0.21])
KAPLAN_COMPUTE = np.array([0.050, 3.1e8 * 8.64e19, 2.1e8, 0.21])


def recovered(law, theta, **columns):
    """Fit a law to what it predicts itself."""
    response = {law.response: law.predict(np.array(theta), columns)}
    return fit_parametric(table_of(**columns, **response), law, EXACT)


@pytest.mark.parametrize(
    ("loss", "digits", "expected"), [(3, 3, 1.12e6), (2.5, 3, 2.67e6), (2, 2, 7.7e6)]
)
def test_critical_batch_of_kaplan(loss, digits, expected):
    batch = CriticalBatchLaw().predict(KAPLAN_BATCH, {"loss": np.array([loss])})[0]
    assert expected == float(f"{batch:.{digits - 1}e}")


def test_critical_batch_doubles_over_13_percent_of_loss():
    derived = CriticalBatchLaw().derive(KAPLAN_BATCH)
    assert round(float(derived["drop_to_double"]), 3) == 0.135


def test_critical_batch_is_recovered_from_measured_batches():
    fit = recovered(CriticalBatchLaw(), KAPLAN_BATCH, loss=np.linspace(2.0, 5.0, 7))
    np.testing.assert_allclose(fit.theta, KAPLAN_BATCH, rtol=1e-9)
    assert fit.basins.share_best == 1
    assert "batch_tokens = B_star" in str(fit)


def test_steps_and_tokens_trade_on_a_hyperbola():
    # Kaplan et al. 2020, eq. 5.1: (S/S_min - 1)(E/E_min - 1) = 1 and B_crit = E_min/S_min.
    batch, critical = np.geomspace(1e4, 1e8, 9), np.array(6e5)
    steps = 4e3 * (1 + critical / batch)
    tokens = steps * batch
    S_min, E_min = adjust_steps(steps, batch, critical), adjust_tokens(tokens, batch, critical)
    np.testing.assert_allclose((steps / S_min - 1) * (tokens / E_min - 1), 1, rtol=1e-12)
    np.testing.assert_allclose(S_min, 4e3, rtol=1e-12)
    np.testing.assert_allclose(E_min / S_min, critical, rtol=1e-12)


def test_a_critical_batch_law_is_recovered_from_runs_at_many_batches_and_target_losses():
    # Kaplan et al. 2020, Figure 18: one hyperbola a target, then B_crit over the targets.
    batch, targets, noise = (
        np.geomspace(1e4, 1e8, 9),
        np.linspace(2.2, 4.0, 7),
        np.random.default_rng(0),
    )
    found = []
    for target in targets:
        steps = 5e3 * target**-2 * (1 + 2.1e8 * target ** (-1 / 0.21) / batch)
        steps = steps * np.exp(0.01 * noise.standard_normal(9))
        fit = fit_parametric(table_of(batch_tokens=batch, steps=steps), BatchTradeLaw(), EXACT)
        found.append(fit.derived["B_crit"].value)
    fit = fit_parametric(table_of(loss=targets, batch_tokens=found), CriticalBatchLaw(), EXACT)
    np.testing.assert_allclose(fit.theta, KAPLAN_BATCH, rtol=0.05)


def test_kaplans_one_variable_laws_have_names():
    assert find_form("kaplan-n") == PowerLaw("n_params")
    assert find_form("Kaplan_L_D") == PowerLaw("n_tokens")
    assert find_form("per-token").variables == ("position",)
    with pytest.raises(InputError, match="kaplan-c is a law of flops, not n_params"):
        find_form("kaplan-c", over="n_params")


@pytest.mark.parametrize("batch", [1.0, 2.0**19, 1e8])
def test_the_compute_law_solves_its_own_equation(batch):
    alpha, C_c, B_star, alpha_B = KAPLAN_COMPUTE
    flops = 1e21

    def excess(loss):
        critical = B_star / loss ** (1 / alpha_B)
        return loss - (C_c / (flops / (1 + batch / critical))) ** alpha

    columns = {"flops": np.array([flops]), "batch_tokens": np.array([batch])}
    found = KaplanComputeLaw().predict(KAPLAN_COMPUTE, columns)[0]
    assert brentq(excess, 0.5, 20.0, xtol=1e-14) == pytest.approx(found, rel=1e-12)


def test_the_compute_law_at_a_small_batch_is_the_power_law():
    flops = np.geomspace(1e17, 1e23, 7)
    law = KaplanComputeLaw()
    at_once = law.predict(KAPLAN_COMPUTE, {"flops": flops, "batch_tokens": np.full(7, 1e-3)})
    np.testing.assert_allclose(at_once, (KAPLAN_COMPUTE[1] / flops) ** 0.05, rtol=1e-9)


def test_the_compute_law_is_recovered_from_batches_on_both_sides_of_critical():
    flops, batch = (
        grid.ravel() for grid in np.meshgrid(np.geomspace(1e17, 1e21, 6), np.geomspace(1e4, 1e8, 6))
    )
    fit = recovered(KaplanComputeLaw(), KAPLAN_COMPUTE, flops=flops, batch_tokens=batch)
    np.testing.assert_allclose(fit.theta, KAPLAN_COMPUTE, rtol=1e-6)
    assert fit.basins.share_best >= 0.9


@pytest.mark.parametrize("surface", SURFACES)
def test_the_frontier_is_the_lowest_loss_of_every_budget(surface):
    theta = SURFACES[surface]
    flops = np.geomspace(1e17, 1e25, 9)
    N = optimum(theta, flops)
    expected = chinchilla(theta, N, flops / (6 * N))
    found = ChinchillaFrontierLaw().predict(frontier_theta(np.array(theta)), {"flops": flops})
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    for factor in (0.9, 1.1):
        assert (chinchilla(theta, N * factor, flops / (6 * N * factor)) > found).all()


def test_the_frontier_is_recovered_from_optimal_runs():
    theta = frontier_theta(np.array(SURFACES["epoch"]))
    fit = recovered(ChinchillaFrontierLaw(), theta, flops=np.geomspace(1e17, 1e22, 8))
    np.testing.assert_allclose(fit.theta, theta, rtol=1e-8)


def test_the_logarithm_is_recovered_and_says_where_it_ends():
    fit = recovered(LogarithmLaw("flops"), [10.0, 0.15], flops=np.geomspace(1e17, 1e22, 8))
    np.testing.assert_allclose(fit.theta, [10.0, 0.15], rtol=1e-9)
    assert fit.derived["x_zero"].value == pytest.approx(np.exp(10 / 0.15), rel=1e-6)


def test_the_logarithm_fits_a_steep_curve_on_which_a_straight_line_would_be_negative():
    # Least squares in L puts the line below zero at the last run; on logs it must not.
    flops = np.geomspace(1e17, 1e20, 12)
    loss = 20 * (flops / 1e17) ** -0.5
    assert np.polyval(np.polyfit(np.log(flops), loss, 1), np.log(1e20)) < 0
    table = table_of(flops=flops, loss=loss)
    fit = fit_parametric(table, LogarithmLaw("flops"), EXACT)
    assert np.isfinite(fit.residuals).all()
    assert fit.basins.share_best > 0.9


def test_the_logarithm_loses_to_a_power_law_and_promises_nothing_below_zero():
    flops = np.geomspace(1e17, 1e21, 12)
    noise = np.exp(0.003 * np.random.default_rng(0).standard_normal(12))
    table = table_of(flops=flops, loss=(2.7e28 / flops) ** 0.05 * noise)
    power, logarithm = (
        fit_parametric(table, law, FitSpec(Objective("squared"), n_resamples=100))
        for law in (PowerLaw("flops"), LogarithmLaw("flops"))
    )
    assert logarithm.objective_value > 1.5 * power.objective_value
    far = predict_loss(logarithm, {"flops": np.array([1e22, 1e40])})
    assert far[0].low < far[0].value < far[0].high
    assert far[1].value < 0
    assert far[1].low is None
