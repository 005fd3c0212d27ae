"""What the interval of a prediction covers, in words: one place for card, plan and predict."""

from isoflop.base.estimate import Estimate
from isoflop.fitting.fit import Fit

MEAN = "mean of runs, the constants' error only"
"""The law's own interval: it covers single runs far too rarely."""
MEAN_OF_OPTIMA = "mean of runs, the scatter of the optima only"
"""The interval of a loss extrapolated through the optima of a frontier."""
RECORD = "a single record, noise in"
"""The interval of a continued curve."""
UNKNOWN = "no interval: constants without their covariance"
"""Published constants."""


def describe_single(fit: Fit) -> str:
    """Say what the interval of one future run covers; see `predict_loss`."""
    if fit.misfit is None:
        return "a single run, noise in, misfit not asked for"
    if fit.misfit.suspected:
        return "a single run, noise and suspected misfit in"
    return "a single run, noise in, misfit not suspected"


def describe_estimate(estimate: Estimate, covers: str, unit: str = "") -> str:
    """Write an estimate with its unit, its level and what its interval covers, if it has one.

    >>> describe_estimate(Estimate(2.0, 1.9, 2.1), RECORD)
    '2.00 [1.90, 2.10] (90 %: a single record, noise in)'
    """
    if estimate.low is None or estimate.high is None:
        return f"{estimate} {unit}".rstrip()
    return f"{estimate} {unit}".rstrip() + f" ({100 * estimate.level:g} %: {covers})"
