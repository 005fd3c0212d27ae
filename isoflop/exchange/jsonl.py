"""JSONL run tables: one JSON object a line."""

from collections.abc import Mapping

from isoflop.base.errors import InputError, RunTableError
from isoflop.base.strict_json import dumps, loads
from isoflop.runs.cells import Cell
from isoflop.runs.columns import map_columns
from isoflop.runs.table import BadCells, RunTable


def parse_jsonl(
    text: str,
    *,
    source: str,
    overrides: Mapping[str, str] | None = None,
    bad_cells: BadCells = "refuse",
) -> RunTable:
    """Read one flat JSON object a line; blank lines are skipped.

    Raises:
        RunTableError: a line that is not a flat JSON object, or any cell the table refuses.

    >>> len(parse_jsonl('{"N": 1e6, "loss": 3.2}', source="runs.jsonl"))
    1
    """
    lines = [line for line in text.splitlines() if line.strip()]
    objects = [_flat_object(line, row, source) for row, line in enumerate(lines, start=1)]
    found = list(dict.fromkeys(name for record in objects for name in record))
    mapping = map_columns(found, overrides)
    records = [{name: record.get(column) for name, column in mapping.items()} for record in objects]
    return RunTable.from_records(records, source=source, mapping=mapping, bad_cells=bad_cells)


def format_jsonl(table: RunTable) -> str:
    r"""Write one JSON object a run, full precision, unrecorded cells left out.

    >>> format_jsonl(RunTable.from_records([{"n_params": 1e6, "loss": 3.0}]))
    '{"n_params": 1000000.0, "loss": 3.0}\n'
    """
    rows = ({k: v for k, v in r.items() if v is not None} for r in table.records())
    return "".join(f"{dumps(row)}\n" for row in rows)


def _flat_object(line: str, row: int, source: str) -> dict[str, Cell]:
    try:
        document = loads(line)
    except InputError as error:
        raise RunTableError(str(error), source=source, row=row) from None
    if not isinstance(document, dict):
        raise RunTableError("expected one JSON object a line", source=source, row=row)
    for name, cell in document.items():
        if isinstance(cell, dict | list | bool):
            raise RunTableError(
                f"expected a number or text, found {type(cell).__name__}",
                source=source,
                row=row,
                field=str(name),
            )
    return document
