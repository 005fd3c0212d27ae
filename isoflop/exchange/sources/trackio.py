"""trackio's SQLite store: one database a project, metrics and configurations as JSON."""

from pathlib import Path

from isoflop.base.errors import InputError
from isoflop.exchange.bounded import walk
from isoflop.exchange.foreign_json import Scalar, flatten, number, parse_json
from isoflop.exchange.found import Found, Refused, SourceRun, collect_series
from isoflop.exchange.readonly_sqlite import MAGIC, Database, open_readonly

_OUR_OWN = ("status", "loss_unit")
"""Trackio keeps neither: settings of these names are columns, as our own export writes them."""

Points = dict[str, tuple[list[float], list[float]]]


def read(path: Path) -> Found:
    """Read one project, or every project of a trackio folder.

    Raises:
        InputError: not a database of trackio.
    """
    files = [path] if path.is_file() else [p for p in walk(path) if is_project(p)]
    runs: list[SourceRun] = []
    refused: list[Refused] = []
    n_points = 0
    for file in files:
        with open_readonly(file) as database:
            if "metrics" not in database.tables or "metrics" not in database.columns("metrics"):
                raise InputError(f"{file}: not a database of trackio: no table of metrics")
            found, count, bad = _read_project(database, file.stem, many=len(files) > 1)
        runs += found
        n_points += count
        refused += bad
    known = {n: n for n in _OUR_OWN if any(n in run.settings for run in runs)}
    return Found("trackio database", tuple(runs), n_points, "points", tuple(refused), known=known)


def is_project(path: Path) -> bool:
    """Tell whether a file is a SQLite database by its first bytes."""
    if path.suffix != ".db":
        return False
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def _read_project(
    database: Database, project: str, *, many: bool
) -> tuple[list[SourceRun], int, list[Refused]]:
    # Until trackio 0.24 a run was known by its name alone.
    key = "run_id" if "run_id" in database.columns("metrics") else "run_name"
    rows = database.rows(f"SELECT {key}, run_name, step, metrics FROM metrics ORDER BY id")
    configs = _configs(database)
    points: dict[str, Points] = {}
    names: dict[str, str] = {}
    refused: list[Refused] = []
    bad = n_points = 0
    for run, name, step, metrics in rows:
        at, cells = number(step), _object(metrics)
        if at is None or cells is None or not abs(at) < 1e18:
            bad += 1
            continue
        names[str(run)] = str(name)
        own = points.setdefault(str(run), {})
        for metric, cell in cells.items():
            amount = number(cell)
            if amount is not None:
                steps, values = own.setdefault(metric, ([], []))
                steps.append(at)
                values.append(amount)
                n_points += 1
    if bad:
        refused.append(Refused(project, "rows whose step or metrics cannot be read", bad))
    runs = []
    for run, own in points.items():
        curves, twice = collect_series(own, where=names[run])
        refused += twice
        unique = list(names.values()).count(names[run]) == 1
        shown = names[run] if unique else f"{names[run]} {run[:8]}"
        settings: dict[str, Scalar] = dict(configs.get(run, {}))
        runs.append(SourceRun(f"{project}/{shown}" if many else shown, settings, curves))
    return runs, n_points, refused


def _configs(database: Database) -> dict[str, dict[str, Scalar]]:
    if "config" not in (database.columns("configs") if "configs" in database.tables else ()):
        return {}
    key = "run_id" if "run_id" in database.columns("configs") else "run_name"
    rows = database.rows(f"SELECT {key}, config FROM configs")
    return {str(run): _object(config) or {} for run, config in rows}


def _object(cell: object) -> dict[str, Scalar] | None:
    """Read a cell of JSON, which trackio writes as bytes or as text."""
    text = cell.decode("utf-8", errors="replace") if isinstance(cell, bytes) else cell
    if not isinstance(text, str):
        return None
    try:
        document = parse_json(text, source="")
    except InputError:
        return None
    return flatten(document) if isinstance(document, dict) else None
