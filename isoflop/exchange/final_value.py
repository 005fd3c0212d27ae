"""From a learning curve to one value of a run table, by a rule that is stated."""

import math
from dataclasses import dataclass

import numpy as np

from isoflop.base.errors import InputError
from isoflop.exchange.found import Series


@dataclass(frozen=True)
class FinalRule:
    """Which value of a curve stands for its run.

    The window of the mean is a share of the run, never a fixed number of tokens: a mean over the
    last 5 % leaves exponents as they are, one over the last 100 M tokens moved a from .513 to
    .571 and N* by 54 %.

    Args:
        share: 0 for the last value; else the mean over the last share of the run's steps.
    """

    share: float = 0.0

    def __str__(self) -> str:
        if not self.share:
            return "the last value"
        return f"the mean over the last {100 * self.share:g} % of the run"


def parse_final(text: str) -> FinalRule:
    """Read `last` or `mean:0.05`.

    Raises:
        InputError: anything else.

    >>> str(parse_final("mean:0.05"))
    'the mean over the last 5 % of the run'
    """
    if text == "last":
        return FinalRule()
    kind, _, share = text.partition(":")
    try:
        value = float(share)
    except ValueError:
        value = math.nan
    if kind != "mean" or not 0 < value <= 0.5:
        raise InputError(
            f"--final wants last or mean:SHARE, a share of the run up to 0.5; found {text[:40]!r}"
        )
    return FinalRule(value)


def final_value(series: Series, rule: FinalRule) -> float:
    """Return the value that stands for the run; NaN if any point of the window is not finite.

    With x the step, the window is x > (1 − share)·x_last; it always holds the last point.

    >>> final_value(Series(np.arange(1.0, 101.0), np.arange(100.0)), FinalRule(0.05))
    97.0
    """
    if not len(series.value):
        return math.nan
    start = (1 - rule.share) * series.step[-1]
    window = series.value[series.step > start] if rule.share else series.value[-1:]
    window = window if len(window) else series.value[-1:]
    with np.errstate(all="ignore"):
        mean = float(window.mean())
    return mean if math.isfinite(mean) else math.nan
