"""What rounding leaves open: half a unit in the last printed digit of each constant.

Legend: y = E + A/x^alpha or k·x^p; X_c the scale of A = X_c^alpha.
"""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from isoflop.base.units import PF_DAY
from isoflop.laws.growth import GrowthLaw
from isoflop.laws.law import Array
from isoflop.laws.power import PowerConstantLaw
from isoflop.plan.contradiction.trend import Trend

LAST_DIGITS = {
    ("kaplan-2020-l-cmin", "alpha_C_min"): 1e-3,  # .050, Table 5
    ("kaplan-2020-l-cmin-figure-1", "alpha_C_min"): 1e-3,
    ("henighan-2020-image-32x32-l-c", "alpha"): 1e-2,  # .10, Table 1
    ("henighan-2020-vq-32x32-n-opt", "e"): 1e-2,  # .70
    ("henighan-2020-text-to-image-image-n-opt", "e"): 1e-2,
    ("hoffmann-2022-a2-n-opt", "p"): 1e-3,  # .490
    ("hoffmann-2022-a2-d-opt", "p"): 1e-3,  # .510
    ("hoffmann-2022-a1-d-opt", "k"): 1e-2,  # 1.70
}
"""{(law, constant): unit of its last printed digit} where that digit is a zero."""


@dataclass(frozen=True)
class PrintedConstant:
    """One constant as printed, and what half a unit of its last digit is.

    Args:
        symbol: as the paper calls it.
        kind: `exponent`; `scale` X_c; `prefactor`, y at the pivot; or `offset` E.
        value: as printed.
        half_unit: half a unit in its last digit.
    """

    symbol: str
    kind: str
    value: float
    half_unit: float


def half_unit(value: float, unit: float | None = None) -> float:
    """Half a unit in the last digit of a number as printed.

    >>> half_unit(3.1e8), half_unit(0.095), half_unit(0.05, 1e-3)
    (5000000.0, 0.0005, 0.0005)
    """
    if unit is not None:
        return unit / 2
    return 0.5 * 10.0 ** int(Decimal(repr(float(value))).normalize().as_tuple().exponent)


def read_printed(trend: Trend) -> tuple[PrintedConstant, ...]:
    """List a published law's constants with their rounding; none if it was not printed as A, alpha.

    A law whose printed constants do not give back its own, such as one derived from those of
    others, gives none.
    """
    entry = trend.published
    if entry is None or not trend.has_exponent:
        return ()
    rest = [symbol for symbol in entry.printed if symbol != "L_inf"]
    if len(rest) != 2:
        return ()
    scale, exponent = rest
    kind = "prefactor" if " at 1 " in f" {entry.printed_units.get(scale, '')}" else "scale"
    kinds = {scale: kind, exponent: "exponent", "L_inf": "offset"}
    constants = tuple(
        PrintedConstant(s, kinds[s], v, half_unit(v, LAST_DIGITS.get((entry.name, s))))
        for s, v in entry.printed.items()
        if s != "L_inf" or isinstance(trend.law, PowerConstantLaw)
    )
    return constants if _gives_back(trend, constants) else ()


def move_constants(trend: Trend, shifts: dict[str, Array]) -> Array:
    """Constants with printed ones moved, (K, p).

    Args:
        trend: whose constants.
        shifts: {kind: (K,) change of the printed constant}; scales and prefactors by a factor's
            logarithm, exponents and offsets by a difference. What is not named is held: the
            scale X_c, or the amount at the pivot.
    """
    n = max(len(shift) for shift in shifts.values())
    theta = np.repeat(trend.theta[None], n, axis=0)
    pivot = np.log(_anchor(trend))
    sign = 1.0 if isinstance(trend.law, GrowthLaw) else -1.0
    exponent = shifts.get("exponent", np.zeros(n))
    theta[:, -1] += exponent
    log_A = np.log(theta[:, -2]) - sign * exponent * pivot
    log_A += shifts.get("prefactor", 0.0)
    log_A -= sign * theta[:, -1] * shifts.get("scale", 0.0)
    theta[:, -2] = np.exp(log_A)
    if "offset" in shifts:
        theta[:, 0] = np.maximum(0.0, theta[:, 0] + shifts["offset"])
    return theta


def _anchor(trend: Trend) -> float:
    """Where the printed value is held: 1 PF-day, 1 FLOP, X_c; of a fit, its pivot."""
    for unit in trend.printed_units.values():
        if "at 1 PF-day" in unit:
            return PF_DAY
        if "at 1 FLOP" in unit:
            return 1.0
    if trend.published is not None and isinstance(trend.law, GrowthLaw):
        k, p = trend.theta
        scales = [u for u in trend.printed_units.values() if u == "PF-days"]
        return float(np.exp(-np.log(k) / p)) if scales else trend.pivot
    return trend.pivot


def _gives_back(trend: Trend, constants: tuple[PrintedConstant, ...]) -> bool:
    """Whether the printed scale and exponent are those of the law."""
    by_kind = {constant.kind: constant.value for constant in constants}
    if not np.isclose(by_kind["exponent"], trend.theta[-1], rtol=1e-9):
        return False
    sign = 1.0 if isinstance(trend.law, GrowthLaw) else -1.0
    x = _anchor(trend)
    at_anchor = np.exp(np.log(trend.theta[-2]) + sign * trend.theta[-1] * np.log(x))
    if "prefactor" in by_kind:
        return bool(np.isclose(at_anchor, by_kind["prefactor"], rtol=1e-9))
    in_units = x / PF_DAY if "PF-days" in trend.printed_units.values() else x
    return bool(np.isclose(at_anchor, 1.0) and np.isclose(in_units, by_kind["scale"], rtol=1e-6))
