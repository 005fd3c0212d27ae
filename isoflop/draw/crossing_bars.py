"""What moves a crossing and how far, as one bar each: changes of exponents, sources, the total."""

from dataclasses import dataclass

import numpy as np

from isoflop.base.estimate import Estimate, shorten
from isoflop.plan.contradiction.crossing import Crossing
from isoflop.plan.contradiction.spread import CrossingPart

ROLES = {"compute_law": "L(C)", "data_law": "L(D)", "tokens_rule": "D(C)"}


@dataclass(frozen=True)
class CrossingBar:
    """How far one thing moves the crossing.

    Args:
        label: what is moved, and by how much.
        low: C* at one end, FLOPs.
        high: C* at the other, FLOPs; NaN where the trends cease to cross.
        kind: `change` of an exponent by a given share, `source` of uncertainty, or `all`.
    """

    label: str
    low: float
    high: float
    kind: str


def crossing_bars(found: Crossing) -> tuple[CrossingBar, ...]:
    """Gather what moves a crossing, the total last."""
    bars = []
    for share in (0.05, 0.01):
        names = dict.fromkeys(shifted.exponent for shifted in found.sensitivity)
        for name in names:
            ends = [
                s.flops for s in found.sensitivity if s.exponent == name and abs(s.change) == share
            ]
            low, high = sorted(np.nan if end is None else end for end in ends)
            label = f"exponent of {_short(name)} ± {100 * share:.0f} %"
            bars.append(CrossingBar(label, low, high, "change"))
    for part in found.parts:
        label = f"{_named(part)} {_reason(part.reason)}"
        bars.append(CrossingBar(label, *ends_of(part.flops), "source"))
    if found.flops.low is not None:
        label = f"all, {100 * found.flops.level:.0f} % interval"
        bars.append(CrossingBar(label, *ends_of(found.flops), "all"))
    return tuple(bars)


def _short(role: str) -> str:
    return ROLES[role.replace(" ", "_")]


def _named(part: CrossingPart) -> str:
    """Name a constant; what papers call by a symbol of its own needs no more."""
    if part.constant in ("exponent", "all constants"):
        return f"{part.constant} of {_short(part.role)}"
    return part.constant


def _reason(reason: str) -> str:
    """Write `± 5e+06, rounding` as `± 5e6 (rounding)`."""
    amount, _, why = reason.partition(", ")
    mark, _, number = amount.partition(" ")
    return f"{mark} {shorten(float(number), digits=1)} ({why})" if mark == "±" else f"({amount})"


def ends_of(estimate: Estimate) -> tuple[float, float]:
    """Ends of an interval; NaN where there is none."""
    ends = (estimate.low, estimate.high)
    low, high = (np.nan if end is None else end for end in ends)
    return float(low), float(high)
