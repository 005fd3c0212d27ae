"""Estimates as people read them in a table."""

import math
from collections.abc import Sequence

from isoflop.base.estimate import Estimate, shorten
from isoflop.cli.output import narrate

NONE = "—"
EXACT = 1e-9
"""Width of an interval, over its largest end, up to which it is none."""


def write_estimate(estimate: Estimate | None, *, factor: float = 1.0) -> str:
    """Write a value and its interval; a dash where there is no number.

    What is so by definition, such as the compute that an optimum needs over its own, has an
    interval of no width, but for rounding errors, and is written without it.

    >>> write_estimate(Estimate(7.2e10, 6.1e10, 8.4e10)), write_estimate(None)
    ('7.2e10 [6.1e10, 8.4e10]', '—')
    >>> write_estimate(Estimate(1.0, 1.0 - 1e-12, 1.0 + 1e-12)), write_estimate(Estimate(0, 0, 0))
    ('1.00', '0')
    """
    if estimate is None or not math.isfinite(estimate.value):
        return NONE
    if _is_exact(estimate):
        return shorten(factor * estimate.value)
    low, high = (None if end is None else factor * end for end in (estimate.low, estimate.high))
    return str(Estimate(factor * estimate.value, low, high, estimate.level))


def _is_exact(estimate: Estimate) -> bool:
    """Whether an interval is no wider than rounding errors."""
    if estimate.low is None or estimate.high is None:
        return False
    size = max(abs(estimate.value), abs(estimate.low), abs(estimate.high))
    return estimate.high - estimate.low <= EXACT * max(size, EXACT)


def write_factor(estimate: Estimate) -> str:
    """Write a ratio, such as 2.71×.

    >>> write_factor(Estimate(2.7078))
    '2.71×'
    """
    return f"{write_estimate(estimate)}×"


def write_share(estimate: Estimate) -> str:
    """Write a share in per cent.

    >>> write_share(Estimate(0.64577))
    '64.6 %'
    """
    return f"{write_estimate(estimate, factor=100)} %"


def write_amount(amount: float | None) -> str:
    """Write an amount that is given, not estimated."""
    return NONE if amount is None or not math.isfinite(amount) else shorten(amount)


def narrate_notes(notes: Sequence[str]) -> None:
    """Say on stderr what the numbers rest on."""
    for note in notes:
        narrate(f"note: {note}")
