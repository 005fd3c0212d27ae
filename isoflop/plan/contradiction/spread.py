"""How far the crossing may lie: draws of the trends, from fits, given errors, or rounding.

Legend: C* FLOPs at the crossing; K draws of each trend, independent of each other's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from scipy.special import ndtri

from isoflop.base.errors import InputError
from isoflop.base.estimate import LEVEL, Estimate
from isoflop.base.units import to_pf_days
from isoflop.laws.law import Array
from isoflop.plan.contradiction.printed_digits import move_constants, read_printed
from isoflop.plan.contradiction.solve import Trio, solve_draws
from isoflop.plan.contradiction.trend import READS, Trend

DRAWS = 4000


@dataclass(frozen=True)
class CrossingSpread:
    """What is taken to be uncertain.

    Args:
        exponent_errors: {role: standard error of the exponent}, of `compute_law`, `data_law`,
            `tokens_rule` or `params_rule`; replaces what else is known of that trend.
        rounding: of published constants: `constants`, each may lie anywhere within half a unit
            of its last printed digit; `exponents`, only the exponents; `ignored`, none.
        n_draws: draws of all trends together.
        level: confidence level of the intervals.
        seed: of the draws.
    """

    exponent_errors: Mapping[str, float] = field(default_factory=dict)
    rounding: Literal["constants", "exponents", "ignored"] = "constants"
    n_draws: int = DRAWS
    level: float = LEVEL
    seed: int = 0

    def __post_init__(self) -> None:
        for role, error in self.exponent_errors.items():
            if role not in READS:
                raise InputError(f"errors are of {', '.join(READS)}; found {role}")
            if not (np.isfinite(error) and error >= 0):
                raise InputError(f"{role}: a standard error is 0 or more, found {error:g}")
        if self.rounding not in ("constants", "exponents", "ignored"):
            raise InputError(
                f"rounding is constants, exponents or ignored; found {self.rounding!r}"
            )
        if not 0 < self.level < 1:
            raise InputError(f"a level lies between 0 and 1, found {self.level:g}")
        if self.n_draws < 2:
            raise InputError(f"an interval needs at least 2 draws, found {self.n_draws}")


@dataclass(frozen=True)
class CrossingPart:
    """How far one source of uncertainty alone moves C*.

    Args:
        role: which trend.
        constant: its constant, or `all constants` where a fit's draws move them together.
        reason: where the range comes from.
        flops: C* and its range, FLOPs; the high end is infinite where the trends cease to cross.
    """

    role: str
    constant: str
    reason: str
    flops: Estimate

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object, PF-days too."""
        ends = (self.flops.low, self.flops.high)
        return {
            "role": self.role,
            "constant": self.constant,
            "reason": self.reason,
            "flops": self.flops.to_dict(),
            "pf_days": [
                None if end is None or not np.isfinite(end) else to_pf_days(end) for end in ends
            ],
        }


def draw_trend(trend: Trend, spread: CrossingSpread, rng: np.random.Generator) -> Array | None:
    """Draw a trend's constants, (K, p); None if nothing of its uncertainty is known."""
    n = spread.n_draws
    if trend.role in spread.exponent_errors:
        error = spread.exponent_errors[trend.role]
        return move_constants(trend, {"exponent": error * rng.standard_normal(n)})
    if len(trend.draws) > 1:
        return trend.draws[rng.integers(len(trend.draws), size=n)]
    shifts = {
        kind: _draw_evenly(kind, low, high, n, rng)
        for _, kind, _, (low, high) in _rounding(trend, spread.rounding)
    }
    return move_constants(trend, shifts) if shifts else None


def _draw_evenly(kind: str, low: float, high: float, n: int, rng: np.random.Generator) -> Array:
    """Shifts of a constant that lies anywhere in its range, (n,); of a scale, in logarithms."""
    if kind in ("scale", "prefactor"):
        return np.log(rng.uniform(np.exp(low), np.exp(high), n))
    return rng.uniform(low, high, n)


def find_parts(trio: Trio, spread: CrossingSpread, flops: float) -> tuple[CrossingPart, ...]:
    """Move each source of uncertainty alone: printed constants to the ends, fits by their draws."""
    parts = []
    for place, trend in enumerate(trio):
        for constant, reason, rows in _ranges(trend, spread):
            thetas = [np.repeat(each.theta[None], len(rows), axis=0) for each in trio]
            thetas[place] = rows
            moved = solve_draws(trio, (thetas[0], thetas[1], thetas[2]))
            # Both ends of a range, or all draws of a fit.
            level = 1.0 if len(rows) == 2 else spread.level
            estimate = quantile_interval(flops, moved, level=level, stretch=trend.stretch)
            shown = Estimate(flops, estimate.low, estimate.high, spread.level)
            parts.append(CrossingPart(trend.role, constant, reason, shown))
    return tuple(parts)


def describe_spread(trend: Trend, spread: CrossingSpread) -> str:
    """Say in words what is assumed about a trend."""
    if trend.role in spread.exponent_errors:
        return f"standard error of the exponent {spread.exponent_errors[trend.role]:g}, as given"
    if len(trend.draws) > 1:
        return f"{len(trend.draws)} draws of its fit"
    rounded = _rounding(trend, spread.rounding)
    if rounded:
        symbols = ", ".join(symbol for symbol, *_ in rounded)
        return f"{symbols} within half a unit of the last printed digit"
    return "taken as exact"


def quantile_interval(
    value: float, draws: Array, *, level: float, stretch: float = 1.0
) -> Estimate:
    """Interval of a positive amount from draws of which some may be infinite.

    `interval_from_draws` leaves out what is not finite; here draws that never cross are the
    upper tail, and where they are more than that the interval has no upper end.

    >>> draws = np.array([1.0, 2.0, 4.0, np.inf])
    >>> quantile_interval(2.0, draws, level=0.5).high
    4.0
    >>> quantile_interval(2.0, draws, level=0.9).high
    inf
    """
    tails = ((1 - level) / 2, (1 + level) / 2)
    low = float(np.quantile(draws, tails[0], method="lower"))
    high = float(np.quantile(draws, tails[1], method="nearest"))
    with np.errstate(divide="ignore"):
        ends = value * np.exp(stretch * (np.log([low, high]) - np.log(value)))
    return Estimate(value, float(min(ends[0], value)), float(max(ends[1], value)), level)


def _ranges(trend: Trend, spread: CrossingSpread) -> list[tuple[str, str, Array]]:
    """(constant, reason, (2 or K, p) constants) of each source of a trend's uncertainty."""
    if trend.role in spread.exponent_errors:
        half = float(ndtri((1 + spread.level) / 2)) * spread.exponent_errors[trend.role]
        ends = move_constants(trend, {"exponent": np.array([-half, half])})
        return [("exponent", _said(half, spread, trend.role), ends)]
    if len(trend.draws) > 1:
        return [("all constants", f"{len(trend.draws)} draws", trend.draws)]
    return [
        (symbol, f"± {half:.2g}, rounding", move_constants(trend, {kind: np.array(ends)}))
        for symbol, kind, half, ends in _rounding(trend, spread.rounding)
    ]


def _said(half: float, spread: CrossingSpread, role: str) -> str:
    """Name the half-width that is shown, and the error given that it comes from."""
    error = spread.exponent_errors[role]
    return f"± {half:.3g}, {100 * spread.level:g} % by the standard error {error:g} given"


def _rounding(trend: Trend, which: str) -> list[tuple[str, str, float, tuple[float, float]]]:
    """(symbol, kind, half unit, range of its shift) of each constant that rounding leaves open."""
    if which == "ignored":
        return []
    found = []
    for constant in read_printed(trend):
        low, high = -constant.half_unit, constant.half_unit
        if constant.kind in ("scale", "prefactor"):
            low, high = np.log1p(low / constant.value), np.log1p(high / constant.value)
        if which == "constants" or constant.kind == "exponent":
            shift = (float(low), float(high))
            found.append((constant.symbol, constant.kind, constant.half_unit, shift))
    return found
