"""The crossing when an exponent is a little different: how little it takes to move it."""

from dataclasses import dataclass

import numpy as np

from isoflop.base.units import to_pf_days
from isoflop.plan.contradiction.printed_digits import move_constants
from isoflop.plan.contradiction.solve import Trio, solve_draws

CHANGES = (-0.05, -0.01, 0.01, 0.05)
"""Relative changes of an exponent tried for the sensitivity; what is printed beside it is held."""

EXPONENTS = ("compute law", "data law", "tokens rule")


@dataclass(frozen=True)
class ShiftedCrossing:
    """C* when one exponent is a little different.

    Args:
        exponent: `compute law` (alpha_C), `data law` (alpha_D) or `tokens rule` (p).
        change: relative change of it, such as -0.01.
        flops: C*, FLOPs; None where the trends no longer cross.
    """

    exponent: str
    change: float
    flops: float | None

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object, with C* in PF-days as well."""
        return {
            "exponent": self.exponent,
            "change": self.change,
            "flops": self.flops,
            "pf_days": None if self.flops is None else to_pf_days(self.flops),
        }


def shift_exponents(trio: Trio) -> tuple[ShiftedCrossing, ...]:
    """C* for each change of alpha_C, then of alpha_D, then of p; none of laws without one.

    The scale X_c, or the amount at the compute it is printed for, is held; of a fit, its value in
    the middle of its runs.
    """
    shifted = []
    for place, (exponent, trend) in enumerate(zip(EXPONENTS, trio, strict=True)):
        if not trend.has_exponent:
            continue
        changes = np.array(CHANGES)
        thetas = [np.repeat(each.theta[None], len(changes), axis=0) for each in trio]
        thetas[place] = move_constants(trend, {"exponent": changes * trend.theta[-1]})
        found = solve_draws(trio, (thetas[0], thetas[1], thetas[2]))
        for change, flops in zip(CHANGES, found, strict=True):
            there = float(flops) if np.isfinite(flops) and flops > 0 else None
            shifted.append(ShiftedCrossing(exponent, change, there))
    return tuple(shifted)
