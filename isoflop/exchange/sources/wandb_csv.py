"""CSV files of W&B's page: the table of runs, and the points of a chart."""

import re
from pathlib import Path

from isoflop.exchange.foreign_json import Scalar, number
from isoflop.exchange.found import Found, Refused, SourceRun, collect_series
from isoflop.exchange.sources.csv_rows import read_csv

NAME, STATE = "Name", "State"
_PAGE_COLUMNS = frozenset(
    {"Created", "Runtime", "Sweep", "User", "Tags", "Notes", "ID", "GPU Type"}
)
_AXES = ("Step", "_step", "global_step", "train/global_step", "trainer/global_step")
_CHART = re.compile(r"^(.+) - ([^-]+)$")
_ENVELOPE = ("__MIN", "__MAX")


def is_runs_table(header: list[str]) -> bool:
    """Tell whether a header is that of W&B's table of runs."""
    return {NAME, STATE} <= set(header) and bool(_PAGE_COLUMNS & set(header))


def is_chart(header: list[str]) -> bool:
    """Tell whether a header is that of a W&B chart: an axis, then `RUN - METRIC` and its bounds."""
    return bool(header) and any(name.endswith(_ENVELOPE[0]) for name in header[1:])


def read_runs_table(path: Path) -> Found:
    """Read the table of runs; each metric is the last value of its run."""
    rows = read_csv(path)
    runs = []
    for row in rows.rows:
        cells: dict[str, Scalar] = {n: c for n, c in row.items() if n not in (NAME, STATE) and c}
        settings = {n: c for n, c in cells.items() if n in _PAGE_COLUMNS}
        summary = {n: c for n, c in cells.items() if n not in _PAGE_COLUMNS}
        runs.append(SourceRun(row[NAME], settings, {}, summary, None, row[STATE].lower()))
    note = "W&B's table of runs holds last values; a metric's best or mean is not among them"
    return Found(
        *("W&B CSV export of runs", tuple(runs), rows.n_read, "rows", rows.refused, (note,)),
        taken={"run": NAME, "status": STATE},
    )


def read_chart(path: Path) -> Found:
    """Read a chart's points; its `__MIN` and `__MAX` columns are the bounds of what it averaged."""
    rows = read_csv(path)
    axis = rows.header[0]
    lines = {name: _CHART.match(name) for name in rows.header[1:] if not name.endswith(_ENVELOPE)}
    points: dict[str, dict[str, tuple[list[float], list[float]]]] = {}
    refused = list(rows.refused)
    averaged = n_points = 0
    for k, row in enumerate(rows.rows, start=1):
        step = number(row[axis])
        if step is None or not abs(step) < 1e18:
            refused.append(Refused(f"row {k} `{axis}`", "not a step"))
            continue
        for column, match in lines.items():
            value = number(row[column])
            if match is None or value is None:
                continue
            steps, values = points.setdefault(match[1], {}).setdefault(match[2], ([], []))
            steps.append(step)
            values.append(value)
            n_points += 1
            low, high = (number(row.get(column + mark, "")) for mark in _ENVELOPE)
            averaged += low is not None and high is not None and low != high
    runs = []
    for name, metrics in points.items():
        series, twice = collect_series(metrics, where=name)
        refused += twice
        last = max(float(each.step[-1]) for each in series.values())
        runs.append(SourceRun(name, {axis: last}, series))
    notes = ["a chart's export may be thinned out by W&B's page; the run's own log is complete"]
    if averaged:
        notes.append(f"{averaged} points are means of several (their __MIN and __MAX differ)")
    known = {"steps": axis} if axis in _AXES else {"n_tokens": axis} if "token" in axis else {}
    return Found(
        "W&B CSV export of a chart",
        tuple(runs),
        n_points,
        "points",
        tuple(refused),
        tuple(notes),
        known,
    )
