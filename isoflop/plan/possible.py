"""Amounts that can be: what lies beyond is refused before anything is computed from it."""

import math
from collections.abc import Mapping

from isoflop.base.errors import InputError

POSSIBLE: Mapping[str, tuple[float, float]] = {
    "n_params": (1, 1e18),
    "n_tokens": (1, 1e24),
    "n_tokens_unique": (1, 1e24),
    "n_tokens_served": (1, 1e24),
    "batch_tokens": (1, 1e18),
    "flops": (1, 1e40),
    "compute": (1e-30, 1e30),
    "loss": (1e-3, 1e3),
    "step_seconds": (1e-9, 1e9),
}
"""Amounts outside these are slips of the keyboard, and overflow what is computed from them."""

RATIO = (1e-6, 1e6)
"""The same of ratios, shares and factors."""


def check_positive(**amounts: float | None) -> None:
    """Refuse amounts that are not positive, or beyond `POSSIBLE`; None is nothing given.

    Raises:
        InputError: naming the amount, what was found and what is possible.
    """
    for name, amount in amounts.items():
        if amount is None:
            continue
        if not (math.isfinite(amount) and amount > 0):
            raise InputError(f"{name} must be positive and finite, found {amount:g}")
        low, high = POSSIBLE.get(name, RATIO)
        if not low <= amount <= high:
            raise InputError(f"{name} must lie between {low:g} and {high:g}, found {amount:g}")
