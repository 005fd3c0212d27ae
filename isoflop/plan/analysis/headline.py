"""The exponent a to put first, and whether these runs identify it.

Legend: a exponent of N* ∝ C^a.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from isoflop.base.estimate import Estimate

PARABOLAS = "IsoFLOP parabolas"
"""Name of approach 2 among the methods that give an exponent."""
NARROW_A = 0.1
"""Half-width of the interval of a up to which the optimum's exponent is called identified."""


@dataclass(frozen=True)
class Headline:
    """An exponent with an interval, and the method it comes from.

    >>> Headline("chinchilla", Estimate(0.5, 0.45, 0.56)).identified
    True
    """

    method: str
    a: Estimate

    @property
    def half_width(self) -> float:
        """Half-width of the interval, infinite where there is none."""
        return float("inf") if self.a.half_width is None else self.a.half_width

    @property
    def identified(self) -> bool:
        """Whether a is known to ±.1, so that a larger budget's N* may be told."""
        return self.half_width <= NARROW_A


def choose_headline(exponents: Mapping[str, Estimate]) -> Headline | None:
    """Choose the exponent to put first; None where no method gives an interval.

    IsoFLOP parabolas where they identify it, since they assume no form; else the method with the
    narrowest interval.

    Args:
        exponents: {method: a}.
    """
    known = [Headline(method, a) for method, a in exponents.items() if a.half_width is not None]
    first = [each for each in known if each.method == PARABOLAS and each.identified]
    return min(first or known, key=lambda each: each.half_width, default=None)
