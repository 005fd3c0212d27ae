"""Predictions of a fit: the law's mean, and single runs not yet trained, with intervals."""

from collections.abc import Mapping

import numpy as np

from isoflop.base.estimate import Estimate, interval_from_draws
from isoflop.fitting.fit import Fit
from isoflop.fitting.solver import Array


@np.errstate(over="ignore", invalid="ignore")
def predict_loss(
    fit: Fit, variables: Mapping[str, Array], *, future: bool = True
) -> list[Estimate]:
    """Predict the response of runs, the loss for most laws, with intervals.

    Args:
        fit: the fit.
        variables: {name: (n,) float}, the law's variables.
        future: include run-to-run noise, so that the interval is for one future run; else the
            interval is for the law's mean and covers future runs far too rarely.

    Returns:
        n estimates of the law's response. On log residuals one at or below zero, where a law
        has been taken too far, has no interval.
    """
    centre = fit.law.predict(fit.theta, variables)
    if not len(fit.draws):
        return [Estimate(float(value), level=fit.level) for value in centre]
    is_log = fit.objective.scale == "log"
    drawn = fit.law.predict(fit.draws, variables)
    spread = (np.log(drawn) - np.log(centre) if is_log else drawn - centre) * fit.stretch
    if future:
        freedom = max(1, fit.n_runs - len(fit.theta))
        noise = fit.residuals * np.sqrt(fit.n_runs / freedom)
        rng = np.random.default_rng(fit.seed)
        repeat = max(1, 4000 // len(spread))
        spread = np.repeat(spread, repeat, axis=0)
        spread = spread - rng.choice(noise, size=spread.shape)
    draws = centre * np.exp(spread) if is_log else centre + spread
    return [
        interval_from_draws(float(value), draws[:, k], level=fit.level)
        for k, value in enumerate(centre)
    ]
