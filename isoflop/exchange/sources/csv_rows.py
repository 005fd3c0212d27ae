"""Rows of a CSV of any origin, with the lines that are none."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from isoflop.base.errors import RunTableError
from isoflop.exchange.bounded import decode, read_bounded
from isoflop.exchange.delimited import restore_cell
from isoflop.exchange.found import Refused

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
    """

    header: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    n_read: int
    refused: tuple[Refused, ...]


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
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    header: tuple[str, ...] = ()
    rows: list[dict[str, str]] = []
    refused: list[Refused] = []
    n_read = 0
    while True:
        try:
            line = next(reader, None)
        except csv.Error as error:
            n_read += 1
            refused.append(Refused(f"line {reader.line_num}", f"not readable ({error})"))
            continue
        if line is None:
            break
        if not any(cell.strip() for cell in line):
            continue
        if not header:
            header = _header(line, source)
            continue
        n_read += 1
        if len(line) != len(header):
            why = f"{len(line)} cells, but the header has {len(header)}"
            refused.append(Refused(f"row {n_read}", why))
        else:
            cells = (restore_cell(cell.strip()) for cell in line)
            rows.append(dict(zip(header, cells, strict=True)))
    if not header:
        raise RunTableError("the file is empty; expected a header and rows", source=source)
    return Rows(header, tuple(rows), n_read, _bounded(refused))


def first_line(text: str) -> list[str]:
    """Return the header's cells, [] if there is none; never fails."""
    line = next((line for line in text.splitlines() if line.strip()), "")
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=_delimiter(line)), [])]
    except csv.Error:
        return []


def _delimiter(text: str) -> str:
    line = next((line for line in text.splitlines() if line.strip()), "")
    if "," in line or "\t" in line:
        return "\t" if line.count("\t") > line.count(",") else ","
    return ";" if ";" in line else ","


def _header(line: list[str], source: str) -> tuple[str, ...]:
    names = tuple(restore_cell(cell.strip()) or f"column_{k}" for k, cell in enumerate(line, 1))
    if len(names) > MAX_COLUMNS:
        raise RunTableError(f"{len(names)} columns, more than {MAX_COLUMNS}", source=source)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise RunTableError(f"column {twice[:60]!r} appears twice in the header", source=source)
    return names


def _bounded(refused: list[Refused]) -> tuple[Refused, ...]:
    if len(refused) <= MAX_REFUSED:
        return tuple(refused)
    rest = Refused("further rows", "not readable as rows", len(refused) - MAX_REFUSED)
    return (*refused[:MAX_REFUSED], rest)
