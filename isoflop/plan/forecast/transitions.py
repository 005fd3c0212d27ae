"""Does a score leave its own line? Phase transitions, and those that the metric makes.

Each score is held against the line through the ones at smaller sizes, from the fifth size on; the
line knows its noise from its own residuals, so that with few sizes only a large jump is one.

Legend: s score as a share, x size.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from isoflop.laws.law import Array
from isoflop.plan.forecast.score_forms import SCORE_FORMS, SURPRISE, ScoreForm
from isoflop.plan.forecast.scores import ScoreSeries

ALARM = 0.05
"""Chance of a false alarm in a series that follows its line, all sizes together."""
LEAST_JUMP = 0.05
"""Share by which a score must exceed its line: five points in a hundred."""
LEAST_BEFORE = 4
"""Sizes below the one tested."""


@dataclass(frozen=True)
class Transition:
    """A score that the smaller sizes did not announce.

    Args:
        size: where it was measured.
        before: the size next below: the transition lies between the two.
        share: the score.
        expected: what the line through the smaller sizes expects there.
        p_value: chance of such a jump, or a larger one, anywhere in a series on its line.
        smooth: whether exact match of a smooth loss per token announces it: then the metric, not
            the model, makes the jump.
    """

    size: float
    before: float
    share: float
    expected: float
    p_value: float
    smooth: bool

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return dict(vars(self))


def find_transition(series: ScoreSeries) -> Transition | None:
    """Find the most surprising rise of a series of scores, if there is one.

    Args:
        series: the scores; at least five of them.

    >>> x = 10.0 ** np.arange(6.0, 12.0)
    >>> score = np.array([0.02, 0.031, 0.038, 0.05, 0.06, 0.8])
    >>> find_transition(ScoreSeries("addition", "", x, score)).before
    10000000000.0
    """
    linear = SCORE_FORMS["linear"]
    chances, expected = _surprise(series, linear)
    found = (chances < ALARM) & (series.share - expected > LEAST_JUMP)
    if not found.any():
        return None
    place = int(np.argmin(np.where(found, chances, np.inf)))
    announced, _ = _surprise(series, SURPRISE)
    return Transition(
        size=float(series.size[place]),
        before=float(series.size[place - 1]),
        share=float(series.share[place]),
        expected=float(expected[place]),
        p_value=float(chances[place]),
        smooth=bool(announced[place] >= ALARM),
    )


def _surprise(series: ScoreSeries, form: ScoreForm) -> tuple[Array, Array]:
    """For each size the chance of such a rise off the line before, times the tests made, (n,).

    Scores without a place in the form are left out of the lines; where they are to be tested
    themselves, the highest share that has a place stands in.
    """
    n = len(series.size)
    chances, expected = np.ones(n), np.full(n, np.nan)
    log_x, use = np.log(series.size), form.usable(series.share)
    highest = 1 - 1e-3 if form.open_above else 1.0
    for k in range(LEAST_BEFORE, n):
        before = use[:k]
        if before.sum() < LEAST_BEFORE - 1 or series.share[k] <= 0 < form.open_below:
            continue
        y = form.transform(series.share[:k][before])
        new = float(form.transform(np.minimum(series.share[k : k + 1], highest))[0])
        line, scale = _foretell(log_x[:k][before], y, float(log_x[k]))
        expected[k] = line
        chances[k] = stdtr(len(y) - 2, -(new - line) / scale) if scale > 0 else float(new <= line)
    return np.minimum(chances * max(n - LEAST_BEFORE, 1), 1.0), expected


def _foretell(x: Array, y: Array, at: float) -> tuple[float, float]:
    """A line's prediction of one further point, and its standard error."""
    centre, spread = x.mean(), float(np.sum((x - x.mean()) ** 2))
    slope = float((x - centre) @ y) / spread
    line = float(y.mean()) + slope * (at - centre)
    rest = y - y.mean() - slope * (x - centre)
    variance = float(rest @ rest) / (len(y) - 2)
    return line, float(np.sqrt(variance * (1 + 1 / len(y) + (at - centre) ** 2 / spread)))
