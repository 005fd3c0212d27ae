"""Read and write a run table by the name of its file."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from isoflop.base.atomic import write_atomic
from isoflop.base.errors import InputError, RunTableError
from isoflop.exchange.bounded import decode, read_bounded, refuse_pickle
from isoflop.exchange.delimited import format_csv, parse_delimited
from isoflop.exchange.jsonl import format_jsonl, parse_jsonl
from isoflop.exchange.parquet import format_parquet, parse_parquet
from isoflop.runs.table import BadCells, RunTable

SUFFIXES = (".csv", ".tsv", ".txt", ".jsonl", ".parquet")


def read_runs(
    path: Path | str,
    *,
    columns: Mapping[str, str] | None = None,
    bad_cells: BadCells = "refuse",
) -> RunTable:
    """Read a run table from CSV, TSV, JSONL or Parquet.

    Args:
        path: the file; its suffix says the format.
        columns: {run-table column: column in the file}, where the aliases do not suffice.
        bad_cells: "refuse" the table for a cell no run can have, or "empty" all such cells.

    Returns:
        The table; its `mapping` says which column was read as which.

    Raises:
        RunTableError: a missing, empty or malformed file, naming row and field.
        MissingExtraError: Parquet without pyarrow.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    refuse_pickle(path)
    if suffix not in SUFFIXES:
        raise InputError(
            f"{path}: cannot tell the format; expected one of {', '.join(SUFFIXES)}; "
            f"isoflop import {shlex.quote(str(path))} -o runs.csv turns others into a run table"
        )
    content = read_bounded(path)
    if not content.strip():
        raise RunTableError("the file is empty; expected a header and rows", source=str(path))
    if suffix == ".parquet":
        return parse_parquet(content, source=str(path), overrides=columns, bad_cells=bad_cells)
    parse = parse_jsonl if suffix == ".jsonl" else parse_delimited
    return parse(_decode(content, path), source=str(path), overrides=columns, bad_cells=bad_cells)


def write_runs(table: RunTable, path: Path | str) -> Path:
    """Write a run table as CSV, JSONL or Parquet, whole or not at all.

    Raises:
        InputError: a suffix that is none of these.
    """
    path = Path(path)
    writers = {".csv": format_csv, ".jsonl": format_jsonl, ".parquet": format_parquet}
    if path.suffix.lower() not in writers:
        raise InputError(f"{path}: cannot tell the format; expected one of {', '.join(writers)}")
    return write_atomic(path, writers[path.suffix.lower()](table))


def _decode(content: bytes, path: Path) -> str:
    try:
        return decode(content, "")
    except InputError as error:
        raise RunTableError(str(error).removeprefix(": "), source=str(path)) from None
