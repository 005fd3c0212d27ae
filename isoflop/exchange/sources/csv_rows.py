"""Rows of a CSV of any origin, with the lines that are none."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from isoflop.base.errors import RunTableError
from isoflop.exchange.bounded import decode, read_bounded
from isoflop.exchange.delimited import restore_cell
from isoflop.exchange.found import Refused
from isoflop.exchange.quoted_lines import Record, blank_comments, split_records

MAX_COLUMNS = 4096
MAX_REFUSED = 1000
"""Refusals named one by one; more are counted together."""


@dataclass(frozen=True)
class Rows:
    """A table of text.

    Args:
        header: names of the columns, each once.
        rows: [{column: cell}], cells stripped.
        n_read: lines read below the header.
        refused: lines that are no rows.
        numbers: (n_rows,) 1-based row of each below the header, the refused counted too.
    """

    header: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    n_read: int
    refused: tuple[Refused, ...]
    numbers: tuple[int, ...]


def read_csv(path: Path) -> Rows:
    """Read a comma-, tab- or semicolon-separated file with a header.

    Raises:
        InputError: unreadable, or not text.
        RunTableError: no header, or a column named twice.
    """
    return parse_csv(decode(read_bounded(path), str(path)), str(path))


def parse_csv(text: str, source: str) -> Rows:
    """Read separated text; a line of another width than the header is refused, not fatal.

    Raises:
        RunTableError: no header, or a column named twice.
    """
    text = blank_comments(text)
    header: tuple[str, ...] = ()
    rows: list[dict[str, str]] = []
    numbers: list[int] = []
    refused: list[Refused] = []
    n_read = 0
    for record in split_records(text, _delimiter(text)):
        if not header:
            header = _header_of(record, source)
            continue
        if not record.fault and not record.quote and not any(c.strip() for c in record.cells):
            continue
        n_read += record.n_lines if record.quote else 1
        fault = _fault(record, n_read, len(header))
        if fault is None:
            cells = (restore_cell(cell.strip()) for cell in record.cells)
            rows.append(dict(zip(header, cells, strict=True)))
            numbers.append(n_read)
        else:
            refused.append(fault)
    if not header:
        raise RunTableError("the file is empty; expected a header and rows", source=source)
    return Rows(header, tuple(rows), n_read, bounded_refusals(refused), tuple(numbers))


def first_line(text: str) -> list[str]:
    """Return the header's cells, [] if there is none; never fails."""
    line = next((line for line in blank_comments(text).splitlines() if line.strip()), "")
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=_delimiter(line)), [])]
    except csv.Error:
        return []


def _delimiter(text: str) -> str:
    line = next((line for line in text.splitlines() if line.strip()), "")
    if "," in line or "\t" in line:
        return "\t" if line.count("\t") > line.count(",") else ","
    return ";" if ";" in line else ","


def _fault(record: Record, row: int, n_columns: int) -> Refused | None:
    """Why a record is no row, None if it is one."""
    if record.quote:
        why = record.quote_fault("here")
        return Refused(f"line {record.quote}", why, record.n_lines, unit="")
    if record.fault:
        return Refused(f"line {record.last}", record.fault)
    if len(record.cells) != n_columns:
        why = f"{len(record.cells)} cells, but the header has {n_columns}"
        return Refused(f"row {row}", why)
    return None


def _header_of(record: Record, source: str) -> tuple[str, ...]:
    """Names of the columns, () of an empty line."""
    if record.quote or record.fault:
        why = record.quote_fault(f"on line {record.quote}") if record.quote else record.fault
        raise RunTableError(why, source=source)
    if not any(cell.strip() for cell in record.cells):
        return ()
    return _header(record.cells, source)


def _header(line: list[str], source: str) -> tuple[str, ...]:
    names = tuple(restore_cell(cell.strip()) or f"column_{k}" for k, cell in enumerate(line, 1))
    if len(names) > MAX_COLUMNS:
        raise RunTableError(f"{len(names)} columns, more than {MAX_COLUMNS}", source=source)
    require_once(names, source, where=" in the header")
    return names


def require_once(names: Sequence[str], source: str, *, where: str = "") -> None:
    """Refuse a name that several columns have.

    Raises:
        RunTableError: one that is there twice.
    """
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise RunTableError(f"column {twice[:60]!r} appears twice{where}", source=source)


def bounded_refusals(refused: Sequence[Refused]) -> tuple[Refused, ...]:
    """Return refusals one by one up to `MAX_REFUSED`, the rest counted together."""
    if len(refused) <= MAX_REFUSED:
        return tuple(refused)
    rest = Refused("further rows", "not readable as rows", len(refused) - MAX_REFUSED)
    return (*refused[:MAX_REFUSED], rest)
