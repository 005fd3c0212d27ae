"""Impossible values: all of a table at once, and the table without them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isoflop.runs.table import RunTable
from isoflop.runs.unit_checks import Impossible, impossible_amounts, name_rows

SHARES = ("accuracy", "error", "error_upstream")
"""Columns that are a share, 0 to 1."""
ROUNDED = 1.005
"""Factor by which a part may exceed its whole for having been rounded."""
PARTS = (
    ("n_params_non_embedding", "n_params", "more than `n_params`, of which they are a part"),
    ("n_tokens_unique", "n_tokens", "more distinct tokens than `n_tokens` seen; if it is the size "
     "of the corpus, record what was seen of it"),
)  # fmt: skip
"""Columns that are a part of another: (part, whole, what is wrong)."""
FITTED = ("n_params", "n_tokens", "loss")
"""Columns whose impossible values take a row out of the surface."""


@dataclass(frozen=True)
class Told:
    """Values that cannot be, by row.

    Args:
        column: their column.
        text: column, values, rows and why, in a sentence.
        rows: their rows in the source.
        runs: the names of the runs.
    """

    column: str
    text: str
    rows: tuple[int, ...]
    runs: tuple[str, ...]

    @staticmethod
    def of(found: Impossible, table: RunTable) -> "Told":
        """Tell what was found in a table."""
        values, rows = table.numbers(found.column)[found.wrong], table.rows[found.wrong]
        shown = ", ".join(f"{value:.4g}" for value in values[:3]) + ", …" * (len(values) > 3)
        names = [name for name, yes in zip(table.names(), found.wrong, strict=True) if yes]
        text = f"{name_rows(rows)} `{found.column}`: found {shown}; {found.why}"
        return Told(found.column, text, tuple(rows.tolist()), tuple(names))


def unread_cells(table: RunTable) -> list[Told]:
    """Tell the cells that could not be read, of rows that are still there."""
    names = dict(zip(table.rows.tolist(), table.names(), strict=True))
    return [
        Told(
            column=error.field or "",
            text=str(error).removeprefix(f"{table.source} "),
            rows=(error.row,),
            runs=(names[error.row],),
        )
        for error in table.unread
        if error.row is not None and error.row in names
    ]


def find_impossible(table: RunTable) -> list[Impossible]:
    """List every value that cannot be."""
    names = [name for name in table.columns if name in _looked_at(table)]
    return impossible_amounts(table, names) + _contradictions(table)


def without(table: RunTable, impossible: Sequence[Impossible]) -> RunTable:
    """The rows whose size, data and loss can be, all if none can; FLOPs only if all of them can."""
    keep = np.ones(len(table), dtype=bool)
    for each in impossible:
        if each.column in FITTED:
            keep &= ~each.wrong
        elif each.column == "flops":
            table = table.with_column("flops", np.full(len(table), np.nan))
    return table.select(keep) if keep.any() else table


def _looked_at(table: RunTable) -> set[str]:
    """Columns that hold numbers or nothing in every row."""
    numeric = {name for name, column in table.columns.items() if column.dtype.kind == "f"}
    return numeric - {"steps"}  # none were taken of a model at its start


def _contradictions(table: RunTable) -> list[Impossible]:
    """Shares beyond 0 to 1, and parts larger than the whole."""
    listed = []
    for name in SHARES:
        if name in table:
            share = table.numbers(name)
            why = "a share lies between 0 and 1; divide per cent by 100"
            listed.append(Impossible(name, (share < 0) | (share > 1), why))
    for part, whole, why in PARTS:
        if part in table and whole in table:
            entire = table.numbers(whole)  # below one, it is told itself
            wrong = (table.numbers(part) > ROUNDED * entire) & (entire >= 1)
            listed.append(Impossible(part, wrong, why))
    return [each for each in listed if each.wrong.any()]
