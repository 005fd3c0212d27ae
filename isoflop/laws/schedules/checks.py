"""What to know before a law of learning curves is believed on a new schedule.

Legend: eta learning rate, S1 sum of the rates of a schedule, L loss.
"""

from collections.abc import Sequence

import numpy as np

from isoflop.laws.schedules.curve import ScheduleCurve
from isoflop.runs.checks import Finding

REACH = 3.0
"""How many times the longest S1 it was fitted on a law may go before a finding says so."""


def check_schedule(curve: ScheduleCurve, fitted: Sequence[ScheduleCurve]) -> tuple[Finding, ...]:
    """Find what puts a schedule outside the ones a law was fitted on.

    Args:
        curve: the schedule to be predicted.
        fitted: the schedules of the fit.

    Returns:
        Findings: steps at a rate of zero, rates above any seen, a schedule much longer.

    >>> seen = ScheduleCurve("seen", [1.0, 1.0, 0.5])
    >>> [finding.code for finding in check_schedule(ScheduleCurve("new", [2.0, 1.0, 0.0]), [seen])]
    ['zero-rate-tail', 'rate-above-data']
    """
    found = [_check_tail(curve), _check_peak(curve, fitted), _check_length(curve, fitted)]
    return tuple(finding for finding in found if finding is not None)


def _check_tail(curve: ScheduleCurve) -> Finding | None:
    n_idle = len(curve) - 1 - int(np.flatnonzero(curve.lr)[-1])
    if not n_idle:
        return None
    return Finding(
        code="zero-rate-tail",
        severity="warning",
        evidence=f"the last {n_idle} steps of {curve.name} have a learning rate of zero",
        consequence="no weight moves there; the annealing law as published predicts a falling "
        "loss all the same, here its prediction stands still",
        remedy="leave those steps out",
        runs=(curve.name,),
    )


def _check_peak(curve: ScheduleCurve, fitted: Sequence[ScheduleCurve]) -> Finding | None:
    seen = max(float(other.lr.max()) for other in fitted)
    highest = float(curve.lr.max())
    if highest <= seen * (1 + 1e-9):
        return None
    return Finding(
        code="rate-above-data",
        severity="warning",
        evidence=f"{curve.name} reaches a rate of {highest:.3g}, the fitted schedules {seen:.3g}",
        consequence="the prediction is an extrapolation in the rate; the annealing law promises "
        "a lower loss for rates scaled up without end, even where training diverges",
        remedy=f"predict schedules that stay at or below {seen:.3g}, or add a run at the higher "
        "rate to the fit",
        runs=(curve.name,),
    )


def _check_length(curve: ScheduleCurve, fitted: Sequence[ScheduleCurve]) -> Finding | None:
    seen = max(float(other.rate_sums[-1]) for other in fitted)
    times = float(curve.rate_sums[-1]) / seen
    if times <= REACH * (1 + 1e-9):
        return None
    return Finding(
        code="schedule-beyond-data",
        severity="warning",
        evidence=f"{curve.name} sums its rates to {times:.1f} times the longest fitted schedule",
        consequence="the power law of S1 is extrapolated as far",
        remedy="add a longer run to the fit, or read the number as a direction",
        runs=(curve.name,),
    )
