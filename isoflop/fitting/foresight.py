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
    """Predict the loss of runs, with intervals.

    Args:
        fit: the fit.
        variables: {name: (n,) float}, the law's variables.
        future: include run-to-run noise, so that the interval is for one future run; else the
            interval is for the law's mean and covers future runs far too rarely.

    Returns:
        n estimates of the loss.
    """
    centre = fit.law.predict(fit.theta, variables)
    if not len(fit.draws):
        return [Estimate(float(value), level=fit.level) for value in centre]
    spread = np.log(fit.law.predict(fit.draws, variables)) - np.log(centre)
    spread = spread * fit.stretch
    if future:
        freedom = max(1, fit.n_runs - len(fit.theta))
        noise = fit.residuals * np.sqrt(fit.n_runs / freedom)
        rng = np.random.default_rng(fit.seed)
        repeat = max(1, 4000 // len(spread))
        spread = np.repeat(spread, repeat, axis=0)
        spread = spread - rng.choice(noise, size=spread.shape)
    draws = centre * np.exp(spread)
    return [
        interval_from_draws(float(value), draws[:, k], level=fit.level)
        for k, value in enumerate(centre)
    ]
