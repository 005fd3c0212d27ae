"""What a reader should know of a crossing: how far beyond the runs, and what no interval holds."""

from collections.abc import Mapping

import numpy as np

from isoflop.base.estimate import shorten
from isoflop.laws.law import Array
from isoflop.plan.contradiction.solve import FLOPS_SEARCHED
from isoflop.plan.contradiction.trend import Trend

CROSSED = ("compute_law", "data_law", "tokens_rule")
UNREACHABLE = f"beyond {FLOPS_SEARCHED[1]:.0e} FLOPs: not a crossing anyone will meet"


def note_crossing(
    trends: Mapping[str, Trend], flops: float, at: Array, *, moving: bool
) -> tuple[str, ...]:
    """Say how far beyond the runs the crossing lies, and what is not in the interval."""
    notes = []
    for role in CROSSED:
        trend = trends[role]
        if trend.reach is None:
            continue
        x = flops if role != "data_law" else trends["tokens_rule"].at(flops)
        low, high = trend.reach
        factor = max(low / x, x / high)
        if factor > 1:
            notes.append(
                f"{role}: the crossing lies {shorten(factor)}x outside the "
                f"{trend.law.variables[0]} of the runs fitted"
            )
        if len(trend.draws) < 2:
            notes.append(f"{role}: {trend.name} was fitted without draws and is taken as exact")
    if moving and not np.isfinite(at).all():
        share = 100 * (1 - np.isfinite(at).mean())
        notes.append(f"the trends never cross in {share:.2g} % of the draws")
    if flops > FLOPS_SEARCHED[1]:
        notes.append(UNREACHABLE)
    mixed = {trends[role].reach is None for role in CROSSED}
    if len(mixed) == 2:
        notes.append("fitted and published trends are mixed: data, tokens and counts of N differ")
    return tuple(notes)
