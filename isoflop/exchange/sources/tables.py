"""Plain tables: CSV, TSV, JSON, JSONL, Parquet and Arrow, read row by row."""

import datetime
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from isoflop.base.errors import InputError, MissingExtraError
from isoflop.exchange.bounded import MAX_CELLS, decode, read_bounded
from isoflop.exchange.foreign_json import Scalar, flatten, number, parse_json
from isoflop.exchange.found import Found, Refused, SourceRun
from isoflop.exchange.parquet import load_parquet
from isoflop.exchange.sources.csv_rows import bounded_refusals, read_csv, require_once


def read_delimited(path: Path) -> Found:
    """Read CSV or TSV."""
    rows = read_csv(path)
    return from_rows(
        rows.rows, "CSV table", n_read=rows.n_read, numbers=rows.numbers, refused=rows.refused
    )


def read_jsonl(path: Path) -> Found:
    """Read one JSON object a line; lines that are none are refused one by one."""
    lines = [line for line in decode(read_bounded(path), str(path)).splitlines() if line.strip()]
    objects: list[object] = []
    for line in lines:
        try:
            objects.append(parse_json(line, source=""))
        except InputError as error:
            objects.append(error)
    return _from_objects(objects, "JSONL table")


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
    return _from_objects(document, "JSON table")


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
    numbers: Sequence[int] = (),
    refused: tuple[Refused, ...] = (),
) -> Found:
    """Return one run a row.

    Args:
        rows: {column: cell} each.
        format: the format in words.
        n_read: rows read, the refused too.
        numbers: (n_rows,) 1-based rows of the source, where they are not 1, 2, 3, …
        refused: what was no row.
    """
    at = numbers or range(1, len(rows) + 1)
    runs = (SourceRun("", dict(row), row=k) for k, row in zip(at, rows, strict=True))
    return Found(format, tuple(runs), n_read, "rows", refused)


def plain_cell(cell: object) -> Scalar:
    """Return a cell as number or text.

    >>> plain_cell(np.float32(0.5)), plain_cell([1, 2])
    (0.5, 'list [1, 2]')
    """
    if isinstance(cell, np.generic):
        cell = cell.item()
    if cell is None or isinstance(cell, str | int | float | bool):
        return cell
    if isinstance(cell, Decimal):
        return float(cell)
    if isinstance(cell, datetime.date | datetime.datetime):
        return cell.isoformat()
    return f"{type(cell).__name__} {' '.join(repr(cell).split())[:60]}"


def _from_objects(objects: Sequence[object], format: str) -> Found:  # noqa: A002
    rows: list[dict[str, Scalar]] = []
    numbers: list[int] = []
    refused: list[Refused] = []
    for k, each in enumerate(objects, start=1):
        if isinstance(each, dict):
            axis = {"_step": each["_step"]} if number(each.get("_step")) is not None else {}
            rows.append({**flatten(each), **axis})  # W&B's axis, of its private keys the one
            numbers.append(k)
        else:
            known = isinstance(each, InputError)
            why = str(each).removeprefix(": ") if known else "not a JSON object"
            refused.append(Refused(f"row {k}", why))
    return from_rows(
        rows, format, n_read=len(objects), numbers=numbers, refused=bounded_refusals(refused)
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
    require_once(table.column_names, format)
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
