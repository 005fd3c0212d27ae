"""One form fitted to one series of scores, and the size at which it reaches a level.

Legend: s score as a share, h level to reach, orders = log10(size / largest size measured).
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import root_scalar

from isoflop.base.errors import IsoflopError
from isoflop.base.estimate import LEVEL, Estimate
from isoflop.fitting.fit import Fit
from isoflop.fitting.foresight.foresight import foresee, predict_loss
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.fitting.uncertainty.bootstrap import DEFAULT_RESAMPLES
from isoflop.laws.law import Array
from isoflop.plan.forecast.score_forms import ScoreForm
from isoflop.plan.forecast.scores import ScoreSeries
from isoflop.runs.table import RunTable

MOST_ORDERS = 250.0
"""Orders of magnitude beyond which a level counts as never reached."""
LEAST_ORDERS = -12.0
"""A model of 1e12 times fewer parameters than the largest has none."""
LARGEST = 300.0
"""Powers of ten beyond which floats end."""
GRID = np.concatenate([np.arange(LEAST_ORDERS, 20.0, 0.25), np.geomspace(20.0, MOST_ORDERS, 40)])
"""Orders at which an interval is looked at; in between it is taken as straight."""


STARTS = 24
"""Random starts of a fit."""
DRAWS = 200
"""Draws of the intervals of a form that is no line: each costs a fit of six constants."""


@dataclass(frozen=True, eq=False)
class ScoreCurve:
    """A form fitted to a series.

    Args:
        form: the form.
        series: the scores.
        fit: fit of its law to the transformed scores; None where there was none.
        n_used: scores with a place in the form.
        reason: why there is no fit, or why its constants may not be read; "" otherwise.
    """

    form: ScoreForm
    series: ScoreSeries
    fit: Fit | None
    n_used: int
    reason: str = ""

    def size_at(self, orders: Array) -> Array:
        """Sizes so many orders beyond the largest measured, (n,)."""
        return 10.0 ** np.minimum(np.log10(self.series.largest) + orders, LARGEST)


def fit_score(
    series: ScoreSeries, form: ScoreForm, *, level: float = LEVEL, seed: int = 0
) -> ScoreCurve:
    """Fit a form to a series by least squares of the transformed scores.

    Args:
        series: the scores.
        form: the form.
        level: confidence level of the intervals.
        seed: seed of starts and draws.
    """
    use = form.usable(series.share)
    n_used, variable = int(use.sum()), series.variable
    law = form.law(variable)
    if n_used <= len(law.parameters) + 1:
        need = len(law.parameters) + 2
        return ScoreCurve(form, series, None, n_used, f"{n_used} usable sizes, {need} needed")
    records = [{variable: float(x)} for x in series.size[use]]
    table = RunTable.from_records(records, source=series.source)
    table = table.with_column("loss", form.transform(series.share[use]))
    n_draws = DEFAULT_RESAMPLES if form.is_straight else DRAWS
    objective = Objective("squared", scale=form.scale)
    spec = FitSpec(objective, n_draws, n_starts=STARTS, level=level, seed=seed)
    try:
        fit = foresee(fit_parametric(table, law, spec), table, by=variable)
    except IsoflopError as error:
        return ScoreCurve(form, series, None, n_used, str(error))
    reason = "" if fit.determined else f"its {len(law.parameters)} constants are not determined"
    return ScoreCurve(form, series, fit, n_used, reason)


def orders_to(curve: ScoreCurve, share: float) -> Estimate | None:
    """Orders of magnitude of size beyond the largest measured at which a score is reached.

    The interval holds every size at which the score lies in the prediction interval of one further
    model: noise included, and the form's own error where its residuals raise the suspicion. An
    end is None where the interval has none: the form may have been there all along (low), or may
    never get there (high).

    Args:
        curve: the fitted form.
        share: score to reach, between 0 and 1.

    Returns:
        None where the form never reaches the score, or falls with size.
    """
    fit = curve.fit
    if fit is None or not curve.form.usable(np.array([share]))[0]:
        return None
    target = float(curve.form.transform(np.array([share]))[0])
    target = target if curve.form.rises else -target
    value = _reach_straight(curve, target) if curve.form.is_straight else _reach(curve, target)
    if value is None or not abs(value) <= MOST_ORDERS:
        return None
    if curve.reason or not len(fit.draws):
        return Estimate(value, level=fit.level)
    low, high = _band(curve)
    return Estimate(value, _first(high, target), _last(low, target), fit.level)


def predict_score(curve: ScoreCurve, orders: Array) -> Array:
    """Transformed score so many orders beyond the largest size, as it rises, (n,)."""
    assert curve.fit is not None
    size = {curve.series.variable: curve.size_at(orders)}
    predicted = curve.fit.law.predict(curve.fit.theta, size)
    return predicted if curve.form.rises else -predicted


def _reach_straight(curve: ScoreCurve, target: float) -> float | None:
    """Solve a - b·ln x = target."""
    assert curve.fit is not None
    a, b = curve.fit.theta
    if b >= 0:
        return None
    return float((a - target) / b - np.log(curve.series.largest)) / float(np.log(10))


def _reach(curve: ScoreCurve, target: float) -> float | None:
    """First crossing of the curve from below, within the sizes that can be."""
    above = predict_score(curve, GRID) >= target
    crossings = np.flatnonzero(~above[:-1] & above[1:])
    if not crossings.size:
        return None

    def miss(orders: float) -> float:
        return float(predict_score(curve, np.array([orders]))[0]) - target

    first = int(crossings[0])
    return root_scalar(miss, bracket=(float(GRID[first]), float(GRID[first + 1]))).root


@np.errstate(divide="ignore", invalid="ignore", over="ignore")
def _band(curve: ScoreCurve) -> tuple[Array, Array]:
    """Ends of the prediction interval along `GRID`, on the transformed scale, as scores rise."""
    assert curve.fit is not None
    ends = predict_loss(curve.fit, {curve.series.variable: curve.size_at(GRID)}, future=True)
    low = np.array([np.nan if e.low is None else e.low for e in ends])
    high = np.array([np.nan if e.high is None else e.high for e in ends])
    return (low, high) if curve.form.rises else (-high, -low)


def _first(high: Array, target: float) -> float | None:
    """Where the upper end first meets the target; None where it already has."""
    reached = np.flatnonzero(high >= target)
    return _between(high, target, int(reached[0])) if reached.size and reached[0] else None


def _last(low: Array, target: float) -> float | None:
    """Where the lower end meets the target for good; None where it never does."""
    short = np.flatnonzero(~(low >= target))
    place = int(short[-1]) + 1 if short.size else 0
    return _between(low, target, place) if 0 < place < len(GRID) else None


def _between(end: Array, target: float, place: int) -> float:
    """Where a straight line between two points of the grid meets the target."""
    before, after = end[place - 1], end[place]
    share = (target - before) / (after - before) if after != before else 1.0
    return float(GRID[place - 1] + share * (GRID[place] - GRID[place - 1]))
