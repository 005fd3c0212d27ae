"""What a reader of a foreign format finds: runs with settings and curves, and what it refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from isoflop.exchange.foreign_json import Scalar


@dataclass(frozen=True)
class Series:
    """One metric of one run.

    Args:
        step: (n_points,) float, its horizontal axis, ascending, each value once.
        value: (n_points,) float; NaN and infinities as they were logged.
    """

    step: NDArray[np.float64]
    value: NDArray[np.float64]


@dataclass(frozen=True)
class SourceRun:
    """One run as its source holds it.

    Args:
        name: of the run.
        settings: one value a run: configuration, parameters, tags.
        curves: {metric: its points}.
        summary: {metric: last value}, where the source keeps last values beside the points.
        last_step: last step by the source's own account, None if it keeps none.
        status: of the run, "" if the source keeps none.
        row: 1-based row of a table that the run is or begins at, 0 where the source is no table.
        n_rows: rows of the table that it is made of.
    """

    name: str
    settings: Mapping[str, Scalar] = field(default_factory=dict)
    curves: Mapping[str, Series] = field(default_factory=dict)
    summary: Mapping[str, Scalar] = field(default_factory=dict)
    last_step: float | None = None
    status: str = ""
    row: int = 0
    n_rows: int = 1


@dataclass(frozen=True)
class Refused:
    """Rows, points or records that were not taken.

    Args:
        where: row, line, file or run.
        why: in a few words.
        count: how many.
        unit: of `count`, where it is more than one; "" where `why` says how many.
    """

    where: str
    why: str
    count: int = 1
    unit: str = "times"


@dataclass(frozen=True)
class Found:
    """Everything one source holds.

    Args:
        format: the format in words.
        runs: in the source's order.
        n_read: rows or points read.
        unit: of `n_read`, "rows" or "points".
        refused: what was not taken.
        notes: what the user must know, in sentences.
        known: {run-table column: name in the source}, where the format says so itself.
        units: {name in the source: unit of loss}.
        taken: {run-table column: name in the source} of what went into the runs' own name and
            status; naming it again changes nothing.
    """

    format: str
    runs: tuple[SourceRun, ...]
    n_read: int
    unit: str = "points"
    refused: tuple[Refused, ...] = ()
    notes: tuple[str, ...] = ()
    known: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    taken: Mapping[str, str] = field(default_factory=dict)


def make_series(steps: list[float], values: list[float]) -> tuple[Series, int]:
    """Order points by step; of several at one step the last written holds.

    Returns:
        The series, and how many points were superseded by another value.
    """
    step = np.array(steps, dtype=np.float64)
    value = np.array(values, dtype=np.float64)
    order = np.argsort(step, kind="stable")
    step, value = step[order], value[order]
    last = np.append(step[1:] != step[:-1], True) if len(step) else np.zeros(0, bool)
    changed = value[:-1] != value[1:]  # a value written again as it was is no loss
    return Series(step[last], value[last]), int((changed & ~last[:-1]).sum())


def collect_series(
    points: Mapping[str, tuple[list[float], list[float]]], *, where: str
) -> tuple[dict[str, Series], tuple[Refused, ...]]:
    """Make the series of {metric: (steps, values)}, with what was superseded."""
    series: dict[str, Series] = {}
    refused = []
    for name, (steps, values) in points.items():
        series[name], twice = make_series(steps, values)
        if twice:
            why = "logged again at the same step; the last one holds"
            refused.append(Refused(f"{where} {name}", why, twice))
    return series, tuple(refused)
