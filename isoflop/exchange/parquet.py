"""Parquet run tables, through pyarrow (extra `parquet`)."""

import io
from collections.abc import Mapping
from typing import Any

from isoflop.base.errors import MissingExtraError, RunTableError
from isoflop.exchange.bounded import MAX_BYTES, MAX_CELLS
from isoflop.runs.columns import map_columns
from isoflop.runs.table import BadCells, RunTable


def parse_parquet(
    content: bytes,
    *,
    source: str,
    overrides: Mapping[str, str] | None = None,
    bad_cells: BadCells = "refuse",
) -> RunTable:
    """Read a Parquet file's bytes.

    Raises:
        MissingExtraError: pyarrow is not installed.
        RunTableError: not a Parquet file, or any cell the table refuses.
    """
    try:
        columns = load_parquet(content, source=source).to_pydict()
    except ValueError as error:  # text that is none
        raise RunTableError(f"not readable as Parquet ({error})", source=source) from None
    mapping = map_columns(columns, overrides)
    n_rows = len(next(iter(columns.values()), []))
    records = [{name: columns[c][i] for name, c in mapping.items()} for i in range(n_rows)]
    return RunTable.from_records(records, source=source, mapping=mapping, bad_cells=bad_cells)


def load_parquet(content: bytes, *, source: str) -> Any:
    """Return a Parquet file's bytes as an Arrow table, within the bounds.

    Raises:
        MissingExtraError: pyarrow is not installed.
        RunTableError: not Parquet, damaged, or larger unpacked than the bounds.
    """
    pyarrow, parquet = _import_pyarrow("reading Parquet")
    try:
        file = parquet.ParquetFile(io.BytesIO(content))
        about = file.metadata
        unpacked = sum(about.row_group(k).total_byte_size for k in range(about.num_row_groups))
        # Not from the columns' own counts: pyarrow 26 ends the process where those are damaged.
        cells = about.num_rows * about.num_columns
        if unpacked <= MAX_BYTES and cells <= MAX_CELLS:
            return file.read()
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:100]
        raise RunTableError(f"not readable as Parquet ({reason})", source=source) from None
    raise RunTableError(f"{cells} cells, {unpacked} bytes: more than are read", source=source)


def format_parquet(table: RunTable) -> bytes:
    """Write a table as Parquet, null where not recorded.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    pyarrow, parquet = _import_pyarrow("writing Parquet")
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(table.records()), buffer)
    return buffer.getvalue()


def _import_pyarrow(task: str) -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except ImportError:
        raise MissingExtraError(task, "parquet") from None
    return pyarrow, parquet
