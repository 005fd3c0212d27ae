"""Losses a continued curve is expected to have, with intervals for single records."""

from dataclasses import dataclass

from isoflop.base.estimate import Estimate
from isoflop.fitting.automatic.curve import Array


@dataclass(frozen=True)
class Prediction:
    """Losses to expect, with intervals for single new records.

    Args:
        value: (n,) medians.
        low: (n,) lower ends.
        high: (n,) upper ends.
        level: probability that each interval is meant to cover.
    """

    value: Array
    low: Array
    high: Array
    level: float

    def estimates(self) -> list[Estimate]:
        """The same as n estimates."""
        ends = zip(self.value, self.low, self.high, strict=True)
        return [Estimate(float(v), float(lo), float(hi), self.level) for v, lo, hi in ends]
