"""Plain tables: CSV, TSV, JSON, JSONL, Parquet and Arrow, a row a run or a row a point."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from isoflop.base.errors import InputError, MissingExtraError
from isoflop.exchange.bounded import MAX_CELLS, decode, read_bounded
from isoflop.exchange.doubts import unnamed_curves
from isoflop.exchange.foreign_json import Scalar, flatten, number, parse_json
from isoflop.exchange.found import Found, Refused, SourceRun, collect_series
from isoflop.exchange.parquet import load_parquet
from isoflop.exchange.sources.csv_rows import Rows, read_csv

STEP_COLUMNS = ("step", "_step", "global_step", "iteration", "iter")
_RUN_COLUMNS = ("run", "run_id", "run_name", "name", "experiment")


def read_delimited(path: Path) -> Found:
    """Read CSV or TSV."""
    rows = read_csv(path)
    return from_rows(rows.rows, "CSV table", n_read=rows.n_read, refused=rows.refused)


def read_jsonl(path: Path) -> Found:
    """Read one JSON object a line; lines that are none are refused one by one."""
    lines = [line for line in decode(read_bounded(path), str(path)).splitlines() if line.strip()]
    rows: list[dict[str, Scalar]] = []
    refused = []
    for k, line in enumerate(lines, start=1):
        try:
            document = parse_json(line, source="")
        except InputError as error:
            refused.append(Refused(f"row {k}", str(error).removeprefix(": ")))
            continue
        if isinstance(document, dict):
            rows.append(flatten(document))
        else:
            refused.append(Refused(f"row {k}", "not a JSON object"))
    return from_rows(rows, "JSONL table", n_read=len(lines), refused=tuple(refused))


def read_json(path: Path) -> Found:
    """Read a JSON list of objects, or an object of equally long lists.

    Raises:
        InputError: any other JSON.
    """
    document = parse_json(decode(read_bounded(path), str(path)), source=str(path))
    if isinstance(document, dict):
        document = _rows_of(document, path)
    if not isinstance(document, list):
        raise InputError(f"{path}: expected a list of objects, a row each, or lists by column")
    rows = [flatten(row) for row in document if isinstance(row, dict)]
    others = len(document) - len(rows)
    refused = (Refused("rows", "not a JSON object", others),) if others else ()
    return from_rows(rows, "JSON table", n_read=len(document), refused=refused)


def read_parquet(path: Path) -> Found:
    """Read Parquet.

    Raises:
        MissingExtraError: pyarrow is not installed.
        InputError: not Parquet, or larger unpacked than the bounds.
    """
    table = load_parquet(read_bounded(path), source=str(path))
    try:
        return _from_arrow(table, "Parquet table")
    except ValueError as error:  # text that is none
        raise InputError(f"{path}: not readable as Parquet ({_reason(error)})") from None


def read_arrow(path: Path) -> Found:
    """Read an Arrow IPC (Feather) file or stream.

    Raises:
        MissingExtraError: pyarrow is not installed.
        InputError: not Arrow.
    """
    pyarrow, content = _pyarrow("reading Arrow"), read_bounded(path)
    opened = pyarrow.ipc.open_file if content.startswith(b"ARROW1") else pyarrow.ipc.open_stream
    try:
        with opened(pyarrow.BufferReader(content)) as reader:
            table = reader.read_all()
        table.validate(full=True)
        if table.num_rows * table.num_columns > MAX_CELLS:
            raise InputError(f"{path}: more cells than are read")
        return _from_arrow(table, "Arrow table")
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise InputError(f"{path}: not readable as Arrow ({_reason(error)})") from None


def from_columns(columns: Mapping[str, Sequence[Any]], format: str) -> Found:  # noqa: A002
    """Return what {column: cells} holds; cells that are neither number nor text are refused."""
    names = list(columns)
    length = len(columns[names[0]]) if names else 0
    rows = [{name: plain_cell(columns[name][i]) for name in names} for i in range(length)]
    return from_rows(rows, format, n_read=length)


def from_rows(
    rows: Sequence[Mapping[str, Scalar]],
    format: str,  # noqa: A002
    *,
    n_read: int,
    refused: tuple[Refused, ...] = (),
) -> Found:
    """Return one run a row; or, of rows that repeat a run's name at several steps, its curves."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    run = next((name for name in names if name.lower() in _RUN_COLUMNS), None)
    step = next((name for name in names if name.lower() in STEP_COLUMNS), None)
    if run is not None and step is not None and len({row.get(run) for row in rows}) < len(rows):
        return _curves(rows, run, step, format, n_read, refused)
    return Found(format, tuple(SourceRun("", dict(row)) for row in rows), n_read, "rows", refused)


def by_named_run(
    found: Found, columns: Mapping[str, str] | None
) -> tuple[Found, Mapping[str, str] | None]:
    """Gather the rows of a table into curves by the column that the user named as `run`.

    Returns:
        What the source holds then, and the columns that are still to be named.
    """
    chosen = dict(columns or {})
    run, rows = chosen.get("run"), [each.settings for each in found.runs]
    if any(each.curves or each.summary for each in found.runs):
        return found, columns
    if run is None:
        return _with_doubt(found, rows), columns
    names = dict.fromkeys(name for row in rows for name in row)
    step = chosen.get("steps") or next((n for n in names if n.lower() in STEP_COLUMNS), None)
    if run not in names or step not in names or len({row.get(run) for row in rows}) == len(rows):
        return found, columns
    del chosen["run"]  # it names the runs now
    return _curves(rows, run, step, found.format, found.n_read, found.refused), chosen


def _with_doubt(found: Found, rows: Sequence[Mapping[str, Scalar]]) -> Found:
    """Note that rows whose steps repeat may be points of curves, where nothing names the runs."""
    names = dict.fromkeys(name for row in rows for name in row)
    step = next((name for name in names if name.lower() in STEP_COLUMNS), None)
    named = any(each.name for each in found.runs) or any(
        name.lower() in _RUN_COLUMNS for name in names
    )
    doubt = "" if step is None or named else unnamed_curves(rows, step)
    return replace(found, notes=(*found.notes, doubt)) if doubt else found


def plain_cell(cell: object) -> Scalar:
    """Return a cell as number or text."""
    if cell is None or isinstance(cell, str | int | float | bool):
        return cell
    if isinstance(cell, datetime.date | datetime.datetime):
        return cell.isoformat()
    return f"{type(cell).__name__} {cell!r:.60}"


def curve_runs(
    rows: Rows | Sequence[Mapping[str, Scalar]], run: str, step: str
) -> tuple[list[SourceRun], list[Refused]]:
    """Gather rows that are points into runs; text cells become settings."""
    listed = rows.rows if isinstance(rows, Rows) else rows
    points: dict[str, dict[str, tuple[list[float], list[float]]]] = {}
    settings: dict[str, dict[str, Scalar]] = {}
    refused: list[Refused] = []
    for k, row in enumerate(listed, start=1):
        name, at = str(row.get(run, "")), number(row.get(step))
        if at is None or not abs(at) < 1e18:
            refused.append(Refused(f"row {k} `{step}`", "not a step"))
            continue
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
    runs = []
    for name, curves in points.items():
        series, twice = collect_series(curves, where=name)
        refused += twice
        last = max((s.step[-1] for s in series.values()), default=0.0)
        own = {**settings[name], step: float(last)}
        runs.append(SourceRun(name, own, series))
    return runs, refused


def _curves(
    rows: Sequence[Mapping[str, Scalar]],
    run: str,
    step: str,
    format: str,  # noqa: A002
    n_read: int,
    refused: tuple[Refused, ...],
) -> Found:
    runs, more = curve_runs(rows, run, step)
    note = f"rows are points of curves: {run!r} repeats, {step!r} is their axis"
    known = {"steps": step}
    return Found(
        f"{format} of curves", tuple(runs), n_read, "rows", (*refused, *more), (note,), known
    )


def _rows_of(document: Mapping[str, Any], path: Path) -> object:
    for key in ("rows", "runs", "data"):
        if isinstance(document.get(key), list):
            return document[key]
    lists = {name: cells for name, cells in document.items() if isinstance(cells, list)}
    lengths = {len(cells) for cells in lists.values()}
    if not lists or len(lists) != len(document) or len(lengths) != 1:
        raise InputError(f"{path}: expected a list of objects, a row each, or lists by column")
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


def _from_arrow(table: Any, format: str) -> Found:  # noqa: A002
    return from_columns(table.to_pydict(), format)


def _pyarrow(task: str) -> Any:
    try:
        import pyarrow
        import pyarrow.ipc
    except ImportError:
        raise MissingExtraError(task, "parquet") from None
    return pyarrow


def _reason(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:100]
