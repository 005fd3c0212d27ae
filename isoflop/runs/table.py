"""The run table: one row a finished training run, one NumPy array a column."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from isoflop.base.errors import InputError, RunTableError, UnknownNameError
from isoflop.base.units import LOSS_UNITS
from isoflop.runs.cells import Cell, cell_of, read_number, read_text
from isoflop.runs.columns import NUMBER_COLUMNS, TEXT_COLUMNS

Column = NDArray[np.float64] | NDArray[np.str_]

BadCells = Literal["refuse", "empty"]

FINISHED = frozenset({"", "finished", "done", "complete", "completed", "success"})
"""Values of `status` whose rows may be fitted; an empty one is trusted."""


@dataclass(frozen=True)
class RunTable:
    """Measured runs, column by column.

    Args:
        columns: {name: (n_runs,) array}; numbers are float64 with NaN for "not recorded",
            everything else is text with "" for "not recorded".
        source: where the rows came from, for messages.
        rows: (n_runs,) int, 1-based row of each run in the source.
        mapping: {column: column's name in the source}.
        notes: what was derived or left out, in sentences.
        unread: cells that hold no number a run can have, where they were left empty.

    >>> table = RunTable.from_records([{"n_params": 1e6, "n_tokens": 2e7, "loss": 3.1}])
    >>> len(table), table.numbers("loss")
    (1, array([3.1]))
    """

    columns: Mapping[str, Column]
    source: str = "memory"
    rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    mapping: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    unread: tuple[RunTableError, ...] = ()

    @staticmethod
    def from_records(
        records: Sequence[Mapping[str, Cell]],
        *,
        source: str = "memory",
        mapping: Mapping[str, str] | None = None,
        bad_cells: BadCells = "refuse",
    ) -> "RunTable":
        """Build a table from one mapping a row, strictly.

        Args:
            records: rows; a missing key, None or "" means "not recorded".
            source: name of the file, for messages.
            mapping: {column: name in the file}, kept for display.
            bad_cells: "refuse" the table for a cell that is no number a run can have, or "empty"
                all such cells and list them in `unread`.

        Raises:
            RunTableError: no rows, text where a number belongs, NaN or infinity, a negative
                loss or amount, an unknown loss unit; names file, row and field.
        """
        if not records:
            raise RunTableError("no runs found; a run table needs at least one row", source=source)
        names = list(dict.fromkeys(name for record in records for name in record))
        columns: dict[str, Column] = {}
        unread: list[RunTableError] = []
        for name in names:
            cells = [record.get(name) for record in records]
            if name in NUMBER_COLUMNS:
                columns[name], refused = _number_column(name, cells, source)
                unread += refused
            else:
                columns[name] = np.array([read_text(cell) for cell in cells], dtype=str)
        if unread and bad_cells == "refuse":
            raise unread[0]
        _check_units(columns, source)
        rows = np.arange(1, len(records) + 1)
        shown = MappingProxyType(dict(mapping or {name: name for name in names}))
        return RunTable(MappingProxyType(columns), source, rows, shown, unread=tuple(unread))

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Return a number column, shape (n_runs,), NaN where not recorded.

        Columns that the run table does not know, such as `n_experts`, are kept as they were
        written and read as numbers here.

        Raises:
            UnknownNameError: no such column, or one of text.
            RunTableError: a cell is not a number; names its row.
        """
        if name not in self.columns or name in TEXT_COLUMNS:
            numeric = [c for c in self.columns if c not in TEXT_COLUMNS]
            raise UnknownNameError("number column", name, numeric)
        column = self.columns[name]
        if column.dtype.kind == "f":
            return np.asarray(column, dtype=np.float64)
        cells = [str(cell) for cell in column]
        return np.array(
            [
                read_number(cell, name=name, row=int(row), source=self.source)
                for cell, row in zip(cells, self.rows, strict=True)
            ]
        )

    def text(self, name: str) -> list[str]:
        """Return any column as text, "" where not recorded."""
        if name not in self.columns:
            raise UnknownNameError("column", name, self.columns)
        return [str(value) for value in self.columns[name]]

    def names(self) -> list[str]:
        """Return a name for every run: its `run` cell, else its row."""
        given = self.text("run") if "run" in self.columns else [""] * len(self)
        return [name or f"row {row}" for name, row in zip(given, self.rows, strict=True)]

    def select(self, keep: NDArray[np.bool_], *, note: str = "") -> "RunTable":
        """Return the rows where `keep` (n_runs,) is true, with a note saying why."""
        columns = {name: column[keep] for name, column in self.columns.items()}
        notes = (*self.notes, note) if note else self.notes
        return replace(self, columns=MappingProxyType(columns), rows=self.rows[keep], notes=notes)

    def with_column(self, name: str, values: NDArray[np.float64], *, note: str = "") -> "RunTable":
        """Return the table with a number column added or replaced."""
        columns = {**self.columns, name: np.asarray(values, dtype=np.float64)}
        notes = (*self.notes, note) if note else self.notes
        return replace(self, columns=MappingProxyType(columns), notes=notes)

    def records(self) -> list[dict[str, str | float | None]]:
        """Return the rows as mappings, None where a number was not recorded."""
        listed = {name: column.tolist() for name, column in self.columns.items()}
        return [
            {name: cell_of(column[i]) for name, column in listed.items()} for i in range(len(self))
        ]

    def sha256(self, columns: Sequence[str] = ()) -> str:
        """Fingerprint names and values of some columns, or of all; row order included."""
        digest = hashlib.sha256()
        for name in sorted(set(columns) & set(self.columns) if columns else self.columns):
            digest.update(name.encode() + b"\0")
            column = self.columns[name]
            if column.dtype.kind == "f":
                digest.update(np.asarray(column, dtype="<f8").tobytes())
            else:
                digest.update("\0".join(column.tolist()).encode() + b"\0")
        return digest.hexdigest()


def derive_column(table: RunTable, name: Literal["n_tokens", "flops"]) -> RunTable:
    """Add D = C/6N or C = 6ND, on request only, and record it in the notes.

    Raises:
        InputError: another column was asked for, or the inputs are not in the table.

    >>> table = RunTable.from_records([{"n_params": 1e6, "flops": 6e13, "loss": 3.0}])
    >>> derive_column(table, "n_tokens").numbers("n_tokens")
    array([10000000.])
    """
    rules = {"n_tokens": ("flops", "D = C/6N"), "flops": ("n_tokens", "C = 6ND")}
    if name not in rules:
        raise InputError(f"only n_tokens (D = C/6N) and flops (C = 6ND) can be derived, not {name}")
    other, rule = rules[name]
    for needed in ("n_params", other):
        if needed not in table:
            raise RunTableError(
                f"{rule} needs column `{needed}`, which the table does not have",
                source=table.source,
            )
    if name in table:
        raise RunTableError(
            f"already recorded; drop the column to derive {rule} instead",
            source=table.source,
            field=name,
        )
    six_n = 6 * table.numbers("n_params")
    amount = table.numbers(other)
    values = amount / six_n if name == "n_tokens" else amount * six_n
    return table.with_column(name, values, note=f"{name} derived by {rule}, not recorded")


def _number_column(
    name: str, cells: Sequence[Cell], source: str
) -> tuple[NDArray[np.float64], list[RunTableError]]:
    """A column, NaN where a cell is empty or bad, and what is the matter with the bad ones."""
    values, refused = np.full(len(cells), np.nan), []
    for i, cell in enumerate(cells):
        try:
            values[i] = read_number(cell, name=name, row=i + 1, source=source)
        except RunTableError as error:
            refused.append(error)
    return values, refused


def _check_units(columns: Mapping[str, Column], source: str) -> None:
    for row, unit in enumerate(columns.get("loss_unit", ()), start=1):
        if str(unit) and str(unit) not in LOSS_UNITS:
            raise RunTableError(
                f"found {str(unit)!r}, expected one of {', '.join(LOSS_UNITS)}",
                source=source,
                row=row,
                field="loss_unit",
            )
