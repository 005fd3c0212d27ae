"""Parquet run tables, through pyarrow (extra `parquet`)."""

import io
from collections.abc import Mapping
from typing import Any

from isoflop.base.errors import MissingExtraError, RunTableError
from isoflop.runs.columns import map_columns
from isoflop.runs.table import RunTable


def parse_parquet(
    content: bytes, *, source: str, overrides: Mapping[str, str] | None = None
) -> RunTable:
    """Read a Parquet file's bytes.

    Raises:
        MissingExtraError: pyarrow is not installed.
        RunTableError: not a Parquet file, or any cell the table refuses.
    """
    pyarrow, parquet = _import_pyarrow("reading Parquet")
    try:
        columns = parquet.read_table(io.BytesIO(content)).to_pydict()
    except pyarrow.ArrowException as error:
        reason = str(error).splitlines()[0]
        raise RunTableError(f"not readable as Parquet ({reason})", source=source) from None
    mapping = map_columns(columns, overrides)
    n_rows = len(next(iter(columns.values()), []))
    records = [{name: columns[c][i] for name, c in mapping.items()} for i in range(n_rows)]
    return RunTable.from_records(records, source=source, mapping=mapping)


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
