"""Is a curve whole: its gaps, and its last step against what the source says it was."""

import math

import numpy as np

from isoflop.exchange.found import Found, Series, SourceRun

GAP = 3.0
"""A step this many times its larger neighbour is a gap; logging by doublings grows by 2."""


def find_gaps(series: Series) -> list[tuple[float, float]]:
    """Return (last step before, first step after) of each gap.

    A step is judged by its neighbours on both sides, so that points spaced by doublings, or more
    densely from some step on, are no gaps.

    >>> find_gaps(Series(np.array([0.0, 1, 2, 9, 10]), np.zeros(5)))
    [(2.0, 9.0)]
    """
    width = np.diff(series.step)
    if len(width) < 3:
        return []
    before = np.append(width[1], width[:-1])
    after = np.append(width[1:], width[-2])
    gaps = np.nonzero(width > GAP * np.maximum(before, after))[0]
    return [(float(series.step[i]), float(series.step[i + 1])) for i in gaps]


def gap_lines(found: Found, metrics: set[str]) -> tuple[str, ...]:
    """Name the gaps of the metrics that were used."""
    return tuple(
        f"{run.name} {name}: nothing between steps {start:g} and {end:g}"
        for run in found.runs
        for name, series in run.curves.items()
        if name in metrics
        for start, end in find_gaps(series)
    )


def summary_lines(found: Found, metrics: set[str]) -> tuple[str, ...]:
    """Name the runs whose curves end before, or apart from, what the source says of their end."""
    return tuple(line for run in found.runs for line in _run_lines(run, metrics))


def _run_lines(run: SourceRun, metrics: set[str]) -> list[str]:
    lines = []
    used = {name: curve for name, curve in run.curves.items() if len(curve.step)}
    if run.last_step is not None and used:
        last = max(float(curve.step[-1]) for curve in used.values())
        if last < run.last_step:
            lines.append(f"{run.name}: points end at step {last:g}, the run at {run.last_step:g}")
    for name in metrics & set(used) & set(run.summary):
        stated, read = run.summary[name], float(used[name].value[-1])
        if isinstance(stated, int | float) and not _same(float(stated), read):
            lines.append(f"{run.name} {name}: last point {read:g}, its summary {stated:g}")
    return lines


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-6) or (math.isnan(one) and math.isnan(other))
