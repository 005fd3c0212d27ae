"""A cell of a run table: a plain number, text or nothing; else refused by its row and field."""

import math
import re

from isoflop.base.errors import RunTableError
from isoflop.runs.columns import POSITIVE_COLUMNS

Cell = str | float | int | None

DRESSED = re.compile(r"[-+$]?[0-9][0-9.,_' ]*(?:[eE][-+]?[0-9]+)?[A-Za-z%/ ]{0,12}")
"""A number with marks of thousands, blanks, a suffix or a unit: 100M, 1,000,000, 3.2 nats."""

SMALLEST, LARGEST = 1e-40, 1e60
"""Amounts beyond these are slips of a keyboard, and would overflow the exponentials of a law."""


def read_number(cell: Cell, *, name: str, row: int, source: str) -> float:
    """Parse one cell; NaN stands for "not recorded" and is never read from the file."""
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return math.nan
    value = _parse_number(cell)
    if value is None:
        raise RunTableError(
            f"expected a number, found {_shortened(repr(cell))}{_plainer(cell)}",
            source=source,
            row=row,
            field=name,
        )
    if not math.isfinite(value):
        raise RunTableError(
            f"found {_shortened(str(value if isinstance(cell, int) else cell))}; leave the cell "
            "empty and set status to diverged, or drop the row",
            source=source,
            row=row,
            field=name,
        )
    if name in POSITIVE_COLUMNS and value <= 0:
        raise RunTableError(
            f"found {value:g}, expected a positive number", source=source, row=row, field=name
        )
    if value and not SMALLEST < abs(value) < LARGEST:
        raise RunTableError(
            f"found {value:g}, expected a number between {SMALLEST:g} and {LARGEST:g}",
            source=source,
            row=row,
            field=name,
        )
    return value


def _plainer(cell: Cell) -> str:
    """What to write instead of an amount meant for human readers."""
    if not isinstance(cell, str) or not DRESSED.fullmatch(cell.strip()):
        return ""
    return f"; cells must be plain numbers, such as {plain_spelling(cell) or '1e8'}"


def plain_spelling(text: str) -> str:
    """Spell an amount meant for human readers plainly, "" if it can be read in two ways.

    >>> plain_spelling("7.1 M"), plain_spelling("3,25"), plain_spelling("2.342.427.896")
    ('7.1e6', '3.25', '2342427896')
    >>> plain_spelling("1,234")
    ''
    """
    parts = _PARTS.fullmatch(text.strip())
    if parts is None:
        return ""
    digits, exponent, word = parts[1], parts[2] or "", (parts[3] or "").strip().lower()
    amount = re.sub(r"[_' ]", "", digits)
    commas, points = amount.count(","), amount.count(".")
    if commas == 1 and not points:  # a thousand or a decimal comma
        if len(amount.partition(",")[2]) == 3:
            return ""
        amount = amount.replace(",", ".")
    elif commas and points and amount.rindex(",") > amount.rindex("."):
        amount = amount.replace(".", "").replace(",", ".")
    else:
        amount = amount.replace(",", "")
        amount = amount.replace(".", "") if points > 1 else amount
    power = next((power for power, words in _POWERS.items() if word in words), "")
    return amount + (exponent or power)


_PARTS = re.compile(r"[+$]?(-?[0-9][0-9.,_' ]*)([eE][-+]?[0-9]+)?([A-Za-z/ ]*)")
_POWERS = {
    "e3": ("k", "thousand"),
    "e6": ("m", "million"),
    "e9": ("b", "bn", "g", "billion"),
    "e12": ("t", "trillion"),
}


def _parse_number(cell: Cell) -> float | None:
    """Read a plain ASCII number; None for anything else, such as 1_000, １２ or true."""
    if isinstance(cell, bool) or (isinstance(cell, str) and ("_" in cell or not cell.isascii())):
        return None
    try:
        return float(cell)  # pyright: ignore[reportArgumentType]
    except OverflowError:
        return math.inf
    except (TypeError, ValueError):
        return None


def read_text(cell: Cell) -> str:
    """Text as every format can hold it: no NULs, no blanks around it."""
    return "" if cell is None else str(cell).replace("\0", "").strip()


def _shortened(text: str, width: int = 40) -> str:
    return text if len(text) <= width else f"{text[:width]}…"


def cell_of(value: str | float) -> str | float | None:
    """Return the cell of a column's value: None for NaN, which stands for "not recorded"."""
    return None if isinstance(value, float) and math.isnan(value) else value
