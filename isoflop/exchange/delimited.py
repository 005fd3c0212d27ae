"""CSV and TSV run tables."""

import csv
import io
import re
from collections.abc import Mapping

from isoflop.base.errors import RunTableError
from isoflop.exchange.quoted_lines import Record, blank_comments, split_records
from isoflop.runs.columns import NUMBER_COLUMNS, map_columns
from isoflop.runs.table import BadCells, RunTable

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""Also in full width, which some spreadsheets read as the plain sign (OWASP, CSV injection)."""
_PASSED_OVER = "'\" \u00a0\u3000"
"""Quotes and blanks that a spreadsheet may drop before it looks for a formula."""
_PLAIN_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)


def parse_delimited(
    text: str,
    *,
    source: str,
    overrides: Mapping[str, str] | None = None,
    bad_cells: BadCells = "refuse",
) -> RunTable:
    r"""Read comma- or tab-separated text with a header line.

    Raises:
        RunTableError: no header, another separator, a row with more or fewer cells than the
            header, or any cell the run table refuses.

    >>> len(parse_delimited("N,D,loss\n1e6,1e8,3.2\n", source="runs.csv"))
    1
    """
    text = blank_comments(text)
    first = text.lstrip("\r\n").split("\n", 1)[0]
    _refuse_separators(first, source)
    delimiter = "\t" if first.count("\t") > first.count(",") else ","
    rows = [_require_whole(r, source).cells for r in split_records(text, delimiter)]
    rows = [row for row in rows if row]
    if not rows:
        raise RunTableError("the file is empty; expected a header and rows", source=source)
    header = [restore_cell(name.strip()) for name in rows[0]]
    if len(set(header)) != len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise RunTableError(f"column {twice!r} appears twice in the header", source=source)
    for number, row in enumerate(rows[1:], start=1):
        if len(row) != len(header):
            raise RunTableError(
                f"{len(row)} cells, but the header has {len(header)}", source=source, row=number
            )
    mapping = map_columns(header, overrides)
    place = {name: header.index(column) for name, column in mapping.items()}
    records = [
        {name: restore_cell(row[i].strip()) for name, i in place.items()} for row in rows[1:]
    ]
    return RunTable.from_records(records, source=source, mapping=mapping, bad_cells=bad_cells)


def format_csv(table: RunTable) -> str:
    r"""Write a table as CSV; text cells a spreadsheet would run as a formula get a leading '.

    >>> format_csv(RunTable.from_records([{"run": "=1+1", "loss": 3.0}]))
    "run,loss\r\n'=1+1,3.0\r\n"
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([neutralise_cell(name) for name in table.columns])
    for record in table.records():
        writer.writerow([_safe(name, cell) for name, cell in record.items()])
    return buffer.getvalue()


def _require_whole(record: Record, source: str) -> Record:
    """Refuse a record that is not readable, or that an open quote made of several lines."""
    if record.quote:
        raise RunTableError(record.quote_fault(f"on line {record.quote}"), source=source)
    if record.fault:
        raise RunTableError(f"line {record.last} is {record.fault}", source=source)
    return record


def _refuse_separators(header: str, source: str) -> None:
    """Refuse a header that other marks separate: with them, commas may stand in the numbers."""
    if "," in header or "\t" in header:
        return
    mark = max(";|", key=header.count)
    if mark in header:
        raise RunTableError(f"looks separated by {mark}, expected commas or tabs", source=source)


def _safe(name: str, cell: str | float | None) -> str:
    if cell is None:
        return ""
    if name in NUMBER_COLUMNS:
        return repr(cell)
    return neutralise_cell(str(cell))


def neutralise_cell(text: str) -> str:
    """Put a ' before text that a spreadsheet would run as a formula.

    >>> neutralise_cell("=1+1"), neutralise_cell("gpt")
    ("'=1+1", 'gpt')
    """
    return f"'{text}" if _looks_like_formula(text) else text


def restore_cell(text: str) -> str:
    """Undo what `neutralise_cell` did.

    >>> restore_cell("'=1+1"), restore_cell("'tis")
    ('=1+1', "'tis")
    """
    return text[1:] if text.startswith("'") and _looks_like_formula(text) else text


def _looks_like_formula(text: str) -> bool:
    """Whether a spreadsheet would run the text, or would once quotes and blanks are gone."""
    bare = text.lstrip(_PASSED_OVER)
    return bare.startswith(_FORMULA_STARTS) and not _PLAIN_NUMBER.fullmatch(bare)
