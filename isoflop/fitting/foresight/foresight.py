"""Predictions of a fit: the law's mean, and single runs not yet trained, with intervals.

An interval for a future run holds three things: what the runs leave open of the parameters, the
noise of one run, and, where the fit's own runs raise the suspicion that the law is not quite
right (see `misfit`), the error of the law itself, which grows with the distance.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy.special import stdtrit

from isoflop.base.estimate import Estimate, interval_from_draws
from isoflop.fitting.fit import Fit
from isoflop.fitting.foresight.measure import measure_misfit
from isoflop.fitting.foresight.misfit import Misfit, expected_error, write_chance
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import pose_problem
from isoflop.fitting.solve.solver import Array, Problem
from isoflop.runs.checks import Finding, keep_usable
from isoflop.runs.table import RunTable

TAIL_FREEDOM = 4.0
"""Degrees of freedom of Student's t for the error of a law that is suspected: a scale estimated
from a handful of scales, and outliers; as `LEAST_DRIFT`, calibrated on public tables."""
ENOUGH_DRAWS = 4000
SUSPECTED = "law-suspected"
"""Code of the finding that a law is wrong beyond noise."""


def find_misfit(fit: Fit, table: RunTable, *, by: str | None = None) -> Misfit:
    """Ask the runs of a fit how wrong its law is; see `isoflop.fitting.foresight.measure`.

    Args:
        fit: the fit.
        table: the runs it was fitted to.
        by: column that larger runs are larger in; compute, as the law's variables tell it, if
            left out.
    """
    signed = (fit.law.response,) if fit.objective.scale == "linear" else ()
    table, _ = keep_usable(table, (*fit.law.variables, fit.law.response), signed=signed)
    problem = pose_problem(table, fit.law, fit.objective)
    order = None if by is None else table.numbers(by)
    return measure_misfit(problem, fit.theta, order=order, seed=fit.seed)


def foresee(fit: Fit, table: RunTable, *, by: str | None = None) -> Fit:
    """Let a fit know how wrong its law may be, so that its predictions of future runs do.

    Args:
        fit: the fit.
        table: the runs it was fitted to.
        by: column that larger runs are larger in; see `find_misfit`.

    Returns:
        The fit with its misfit, and a finding where the law is suspected.
    """
    misfit = find_misfit(fit, table, by=by)
    return replace(fit, misfit=misfit, findings=(*fit.findings, *_judge_misfit(misfit)))


@np.errstate(over="ignore", invalid="ignore")
def predict_loss(
    fit: Fit,
    variables: Mapping[str, Array],
    *,
    future: bool = True,
    misfit: Misfit | None = None,
) -> list[Estimate]:
    """Predict the response of runs, the loss for most laws, with intervals.

    Args:
        fit: the fit.
        variables: {name: (n,) float}, the law's variables.
        future: include run-to-run noise, so that the interval is for one future run; else the
            interval is for the law's mean and covers future runs far too rarely.
        misfit: what the fit's runs say about its law, see `find_misfit`; where it is
            suspected, the interval of a future run also holds the law's own error. The fit's own
            (see `foresee`) if left out.

    Returns:
        n estimates of the law's response. On log residuals one at or below zero, where a law
        has been taken too far, has no interval.
    """
    misfit = fit.misfit if misfit is None else misfit
    centre = fit.law.predict(fit.theta, variables)
    objective = fit.objective
    if future and misfit is not None and misfit.suspected:
        half = _half_width(fit, variables, misfit)
        return [
            _around(float(value), float(h), fit.level, objective)
            for value, h in zip(centre, half, strict=True)
        ]
    if not len(fit.draws):
        return [Estimate(float(value), level=fit.level) for value in centre]
    drawn = fit.law.predict(fit.draws, variables)
    spread = (objective.enter(drawn) - objective.enter(centre)) * fit.stretch
    if future:
        spread = _add_noise(fit, spread, centre)
    draws = objective.shift(centre, spread)
    return [
        interval_from_draws(float(value), draws[:, k], level=fit.level)
        for k, value in enumerate(centre)
    ]


def _add_noise(fit: Fit, spread: Array, centre: Array) -> Array:
    """Add residuals drawn at random, brought to the size of noise, to (K, n) deviations.

    Where the noise was found to follow the response, it is normal and of the size it has there.
    """
    freedom = max(1, fit.n_runs - len(fit.theta))
    noise = fit.residuals * np.sqrt(fit.n_runs / freedom)
    rng = np.random.default_rng(fit.seed)
    spread = np.repeat(spread, max(1, ENOUGH_DRAWS // len(spread)), axis=0)
    if fit.noise_power:
        size = fit.noise_unit * np.maximum(centre, 0.0) ** fit.noise_power
        return spread - size * rng.standard_normal(spread.shape)
    return spread - rng.choice(noise, size=spread.shape)


def _half_width(fit: Fit, variables: Mapping[str, Array], misfit: Misfit) -> Array:
    """t·sqrt(parameters² + noise² + the law's error²), (n,)."""
    error = expected_error(misfit, fit.law, fit.theta, variables, objective=fit.objective)
    there = Problem(fit.law, variables, np.ones(len(error)), fit.objective)
    slope = there.jacobian(fit.theta[None])[0]
    parameters = np.einsum("np,pq,nq->n", slope, misfit.parameters, slope)
    freedom = min(TAIL_FREEDOM, max(1, fit.n_runs - len(fit.theta)))
    scale = np.sqrt(parameters + misfit.noise**2 + error**2)
    return stdtrit(freedom, (1 + fit.level) / 2) * scale


def _around(value: float, half: float, level: float, objective: Objective) -> Estimate:
    at = np.array([value])
    if not np.isfinite([value, half]).all() or np.any(np.asarray(objective.unit(at)) <= 0):
        return Estimate(value, level=level)
    low, high = (float(objective.shift(at, end)[0]) for end in (np.array(-half), np.array(half)))
    return Estimate(value, low, high, level)


def _judge_misfit(misfit: Misfit) -> list[Finding]:
    if not misfit.suspected:
        return []
    return [
        Finding(
            code=SUSPECTED,
            severity="note",
            evidence="were the law right and the noise normal, the chance of misses as large from "
            f"smaller scales is {write_chance(misfit.rolling)}, of residuals as bent "
            f"{write_chance(misfit.shape)}, of as many outliers {write_chance(misfit.tails)}",
            consequence="larger runs will miss by more than noise; intervals of future runs hold a "
            f"standard error of {misfit.drift:.2g} of the law's own one e-fold beyond the runs",
            remedy="see isoflop backtest; compare laws; look at the runs set aside",
        )
    ]
