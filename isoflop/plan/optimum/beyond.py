"""How far an amount lies outside the runs a law was fitted to: one place for plan and predict."""

from collections.abc import Mapping

import numpy as np

from isoflop.base.estimate import shorten
from isoflop.runs.checks import Finding

FAR_DECADES = 1.05
"""Decades beyond the runs from which a plan is warned of: a little more than ten times."""


def describe_outside(
    ranges: Mapping[str, tuple[float, float]], amounts: Mapping[str, float]
) -> str:
    """Say which amounts lie outside the runs fitted, on which side, and by how many decades.

    Args:
        ranges: {column: (lowest, highest)} of the runs; columns without one are passed over.
        amounts: {column: amount}, positive.

    >>> describe_outside({"n_params": (1e6, 1e9)}, {"n_params": 5e10, "n_tokens": 1e9})
    'n_params is 50.0x (1.7 decades) above the runs fitted'
    >>> describe_outside({"n_params": (1e6, 1e9)}, {"n_params": 1e9})
    ''
    """
    said = []
    for name, decades in _decades_outside(ranges, amounts).items():
        side = "above" if decades > 0 else "below"
        factor = shorten(float(10.0 ** abs(decades)))
        said.append(f"{name} is {factor}x ({abs(decades):.1f} decades) {side} the runs fitted")
    return ", ".join(said)


def outside_notes(
    law: str, ranges: Mapping[str, tuple[float, float]], amounts: Mapping[str, float]
) -> tuple[str, ...]:
    """Say which amounts lie beyond the runs that a named law was fitted to, and how far.

    Args:
        law: its name.
        ranges: {column: (lowest, highest)} of the runs; columns without one are passed over.
        amounts: {column: amount}, positive.

    >>> outside_notes("mine", {"n_params": (1e6, 1e9)}, {"n_params": 5e10})
    ('mine: n_params 5.00e10 is 50.0× outside the runs fitted',)
    """
    notes = []
    for name, amount in amounts.items():
        low, high = ranges.get(name, (0.0, np.inf))
        factor = max(low / amount, amount / high)
        if factor > 1:
            notes.append(
                f"{law}: {name} {shorten(amount)} is {shorten(factor)}× outside the runs fitted"
            )
    return tuple(notes)


def judge_beyond(
    ranges: Mapping[str, tuple[float, float]],
    amounts: Mapping[str, float],
    *,
    published: bool = False,
) -> list[Finding]:
    """Warn of amounts far outside the runs fitted, more than ten times.

    Args:
        ranges: {column: (lowest, highest)} of the runs.
        amounts: {column: amount}, positive.
        published: whether the law came from a paper, without intervals.
    """
    outside = _decades_outside(ranges, amounts)
    if max(map(abs, outside.values()), default=0.0) <= FAR_DECADES:
        return []
    return [
        Finding(
            code="far-beyond-the-runs",
            severity="warning",
            evidence=describe_outside(ranges, amounts),
            consequence="nothing measured says that the law holds there"
            + ("" if published else "; its mean's interval takes the law at its word"),
            remedy="train a run in between first"
            if published
            else "read the interval of a single run, and train a run in between first",
        )
    ]


def _decades_outside(
    ranges: Mapping[str, tuple[float, float]], amounts: Mapping[str, float]
) -> dict[str, float]:
    """{column: decades}: positive above the runs, negative below; those inside are left out."""
    found = {}
    for name, amount in amounts.items():
        low, high = ranges.get(name, (amount, amount))
        if not (low > 0 and amount > 0 and np.isfinite(amount)):
            continue
        if amount > high * (1 + 1e-9):
            found[name] = float(np.log10(amount / high))
        elif amount < low * (1 - 1e-9):
            found[name] = float(np.log10(amount / low))
    return found
