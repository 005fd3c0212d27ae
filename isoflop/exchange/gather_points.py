"""Rows of a table as what they are: a run each, or points of the curves of runs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from isoflop.exchange.doubts import unnamed_curves
from isoflop.exchange.foreign_json import Scalar, number
from isoflop.exchange.found import Found, Refused, SourceRun, collect_series
from isoflop.exchange.phases import find_phases, name_losses

STEP_COLUMNS = ("step", "_step", "global_step", "iteration", "iter")
_RUN_COLUMNS = ("run", "run_id", "run_name", "name", "experiment")


def gather_points(found: Found, columns: Mapping[str, str] | None = None) -> Found:
    """Gather rows that repeat a run's name at several steps into its curves.

    Args:
        found: what a source holds; anything but the rows of a table is returned as it is.
        columns: {column of the run table: name in the source}; `run` says whose the points are,
            else the usual names of such a column do, and `steps` likewise which is their axis.

    Returns:
        What the source holds then.
    """
    if not found.runs or not all(run.row for run in found.runs):
        return found
    chosen = dict(columns or {})
    rows = [run.settings for run in found.runs]
    names = list(dict.fromkeys(name for row in rows for name in row))
    run = chosen.get("run") or _first(names, _RUN_COLUMNS)
    step = chosen.get("steps") or _first(names, STEP_COLUMNS)
    if run is None and step in names:
        doubt = unnamed_curves(rows, step)
        return replace(found, notes=(*found.notes, doubt)) if doubt else found
    if run not in names or step not in names or len({row.get(run) for row in rows}) == len(rows):
        return found
    return _curves(found, run, step)


def curve_runs(
    rows: Sequence[Mapping[str, Scalar]], run: str, step: str, numbers: Sequence[int] = ()
) -> tuple[list[SourceRun], list[Refused]]:
    """Gather rows that are points into runs; text cells become settings.

    A row of a known run without a step holds settings, unless it repeats a column of the curves.

    Args:
        rows: a point each.
        run: column that names the runs.
        step: column of the axis.
        numbers: (n_rows,) 1-based rows of the source, where they are not 1, 2, 3, …
    """
    points: dict[str, dict[str, tuple[list[float], list[float]]]] = {}
    settings: dict[str, dict[str, Scalar]] = {}
    at_rows: dict[str, list[int]] = {}
    refused: list[Refused] = []
    timeless: list[tuple[int, str, Mapping[str, Scalar]]] = []
    for k, row in zip(numbers or range(1, len(rows) + 1), rows, strict=True):
        name, at = str(row.get(run) if row.get(run) is not None else ""), number(row.get(step))
        if not name:
            refused.append(Refused(f"row {k} `{run}`", "no name of a run"))
            continue
        if row.get(step) in (None, ""):
            timeless.append((k, name, row))
            continue
        if at is None or not abs(at) < 1e18:
            refused.append(Refused(f"row {k} `{step}`", "not a step"))
            continue
        at_rows.setdefault(name, []).append(k)
        curves = points.setdefault(name, {})
        own = settings.setdefault(name, {})
        for column, cell in row.items():
            value = number(cell)
            if column in (run, step) or cell in (None, ""):
                continue
            if value is None:
                own[column] = cell
            else:
                steps, values = curves.setdefault(column, ([], []))
                steps.append(at)
                values.append(value)
    for k, name, row in timeless:
        cells = {column: cell for column, cell in row.items() if cell not in (None, "")}
        del cells[run]
        if name in points and not cells.keys() & points[name].keys():
            settings[name] = cells | settings[name]  # what a run was set to, logged once
            at_rows[name].append(k)
        else:
            refused.append(Refused(f"row {k} `{step}`", "not a step"))
    runs = []
    for name, curves in points.items():
        series, twice = collect_series(curves, where=name)
        refused += twice
        last = max((s.step[-1] for s in series.values()), default=0.0)
        own = {**settings[name], step: float(last)}
        rows_of = at_rows[name]
        runs.append(SourceRun(name, own, series, row=rows_of[0], n_rows=len(rows_of)))
    return runs, refused


def _curves(found: Found, run: str, step: str) -> Found:
    rows = [each.settings for each in found.runs]
    notes = [f"rows are points of curves: {run!r} repeats, {step!r} is their axis"]
    if (phases := find_phases(rows)) not in (None, run, step):
        rows, said = name_losses(rows, phases)
        notes.append(said)
    runs, more = curve_runs(rows, run, step, [each.row for each in found.runs])
    return replace(
        found,
        format=f"{found.format} of curves",
        runs=tuple(runs),
        refused=(*found.refused, *more),
        notes=(*found.notes, *notes),
        known={**found.known, "steps": step},
        taken={"run": run},
    )


def _first(names: Sequence[str], sought: Sequence[str]) -> str | None:
    return next((name for name in names if name.lower() in sought), None)
