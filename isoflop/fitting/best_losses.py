"""The lowest losses measured, by compute, and laws that lie above them.

A law's irreducible loss and its plans are means over runs; a measured loss may lie below them by
the noise of a run, and by no more.
"""

from collections.abc import Sequence

import numpy as np

from isoflop.base.estimate import shorten
from isoflop.laws.law import AbstractLaw, Array
from isoflop.runs.finding import Finding

BY_NOISE = 0.02
"""Share of a loss by which a run of one recipe may fall below the mean by noise alone: residuals of
such ladders are .3 to 2 %."""
DEVIATIONS = 3.0
"""Residual standard deviations a run may fall below the mean, where those are smaller still."""
FAR = 1e200
"""Amount of every variable at which a law's constant is all that is left."""
MOST_STEPS = 64
"""Steps of the staircase that a fit keeps."""
Staircase = tuple[tuple[float, float], ...]


def best_losses(flops: Array, loss: Array) -> Staircase:
    """Return the (compute, loss) of every run better than all of less or equal compute.

    Args:
        flops: (n_runs,) compute.
        loss: (n_runs,) losses.

    >>> best_losses(np.array([1e18, 1e18, 1e19, 1e20]), np.array([3.0, 2.9, 2.95, 2.5]))
    ((1e+18, 2.9), (1e+20, 2.5))
    """
    order = np.lexsort((loss, flops))
    steps: list[tuple[float, float]] = []
    for c, value in zip(flops[order].tolist(), loss[order].tolist(), strict=True):
        if not steps or value < steps[-1][1]:
            steps.append((c, value))
    if len(steps) > MOST_STEPS:  # the last stays, which is the best of all
        kept = np.linspace(0, len(steps) - 1, MOST_STEPS).round().astype(int)
        steps = [steps[k] for k in kept]
    return tuple(steps)


def noise_allowance(rms: float) -> float:
    """Share of a loss by which one of many runs may lie below the mean.

    Args:
        rms: of the log residuals of the fit.
    """
    return min(DEVIATIONS * rms, BY_NOISE)


@np.errstate(all="ignore")
def judge_constant(law: AbstractLaw, theta: Array, loss: Array, rms: float) -> list[Finding]:
    """Report an irreducible loss at or above losses that were measured.

    Args:
        law: the law.
        theta: (p,) parameters.
        loss: (n_runs,) measured losses.
        rms: of the log residuals.
    """
    if "E" not in law.parameter_names or law.response != "loss":
        return []
    constant = float(theta[law.parameter_names.index("E")])
    limit = law.predict(theta, {name: np.array([FAR]) for name in law.variables})
    if not np.isclose(float(limit[0]), constant, rtol=1e-2):  # this E is no limit of the law
        return []
    lowest = float(loss.min())
    if constant * (1 - noise_allowance(rms)) < lowest:
        return []
    below = int((loss <= constant).sum())
    return [
        Finding(
            code="constant-above-losses",
            severity="warning",
            evidence=f"E = {shorten(constant)}, which no run can reach by the law, and {below} of "
            f"{len(loss)} runs measured {shorten(constant)} or less, down to {lowest:.4g}",
            consequence="the law stands still above losses already measured: its predictions and "
            "plans beyond the runs are too high",
            remedy="plan by another law or by the frontier (--method isoflop); look for what keeps "
            "the larger runs from following this one",
        )
    ]


def judge_plan(
    best: Sequence[tuple[float, float]], flops: float, loss: float, rms: float
) -> list[Finding]:
    """Warn of a plan whose loss is above one measured with less compute.

    Args:
        best: (compute, loss) of the best runs, as of `best_losses`.
        flops: the budget planned.
        loss: the mean loss planned.
        rms: of the fit's log residuals.
    """
    less = [(value, c) for c, value in best if c < flops]
    if not less or not np.isfinite(loss) or loss * (1 - noise_allowance(rms)) <= min(less)[0]:
        return []
    lowest, spent = min(less)
    return [
        Finding(
            code="planned-above-measured",
            severity="warning",
            evidence=f"the mean loss planned for {shorten(flops)} FLOPs is {loss:.4g}, and a run "
            f"measured {lowest:.4g} with {shorten(spent)}, {shorten(flops / spent)}x less",
            consequence="the law is wrong at the largest runs, and this plan with it",
            remedy="look at the fit's findings; plan by another law or by the frontier (--method "
            "isoflop)",
        )
    ]
