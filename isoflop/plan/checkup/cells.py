"""Cells: the runs of one size and one amount of data, which differ by seed or learning rate."""

import numpy as np
from numpy.typing import NDArray

from isoflop.runs.columns import NUMBER_COLUMNS
from isoflop.runs.table import RunTable

SAME = 0.005
"""Relative difference up to which two amounts are one: digits lost to a figure or a format."""
SWEEP = 3
"""Learning rates in one cell from which it is a sweep."""
SET_NUMBERS = ("batch_tokens", "n_tokens_unique", "schedule_tokens", "warmup_tokens",
               "warmup_steps", "n_layer", "d_model", "n_ctx")  # fmt: skip
SET_TEXTS = ("family", "dataset", "tokenizer", "eval_set", "loss_unit", "schedule")
"""Settings that runs of one sweep share; only rate and seed may differ."""

MOST_CELLS = 0.5
"""Share of the pairs of a size and an amount of data from which they cross: a triangle has it."""

Rows = NDArray[np.intp]


def group_cells(table: RunTable) -> list[Rows]:
    """Group runs of one size and one amount of data.

    >>> rows = [{"n_params": n, "n_tokens": 1e9, "loss": 3.0} for n in (1e8, 2e8, 1.0001e8)]
    >>> [cell.tolist() for cell in group_cells(RunTable.from_records(rows))]
    [[0, 2], [1]]
    """
    columns = [name for name in ("n_params", "n_tokens") if name in table]
    keys = np.stack([amount_classes(table.numbers(name)) for name in columns], axis=1)
    _, member = np.unique(keys, axis=0, return_inverse=True)
    order = np.argsort(member, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(member[order])) + 1)


def is_per_token(table: RunTable) -> bool:
    """Whether there are losses that a vocabulary changes: not if all say that they are per byte."""
    units = table.text("loss_unit") if "loss_unit" in table else [""]
    return "loss" in table and not all(unit.endswith("/byte") for unit in units)


def kinds_of(table: RunTable, column: str) -> list[str]:
    """Label the rows by what a column says they are, (n_runs,); [] where it says nothing.

    A number's label is that of its class: a vocabulary padded from 50257 to 50304 is the same.
    """
    if column not in table:
        return []
    if column not in NUMBER_COLUMNS:
        return table.text(column)
    values = table.numbers(column)
    if not np.isfinite(values).all():
        return []
    classes = amount_classes(values)
    return [f"{values[classes == kind].min():.6g}" for kind in classes]


def crosses_sizes_with_data(table: RunTable) -> bool:
    """Whether the same sizes and the same data meet in most cells, rather than sizes and budgets.

    Diagonals of such a grid have one 6ND and are no IsoFLOP curves that anyone laid out.

    >>> def of(cells):
    ...     runs = [{"n_params": n, "n_tokens": d, "flops": 6 * n * d} for n, d in cells]
    ...     return crosses_sizes_with_data(RunTable.from_records(runs))
    >>> sizes, steps = (1e8, 2e8, 4e8, 8e8), (1, 2, 4, 8)
    >>> of([(n, 1e9 * k) for n in sizes for k in steps])
    True
    >>> of([(n, 1e18 * k / n) for n in sizes for k in steps])
    False
    """
    N, D, C = (amount_classes(table.numbers(c)) for c in ("n_params", "n_tokens", "flops"))
    by_data, by_budget = _met(N, D), _met(N, C)
    return by_data >= MOST_CELLS and by_data > by_budget


def _met(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """Share of the pairs of classes of two amounts that some run has."""
    pairs = set(zip(one.tolist(), other.tolist(), strict=True))
    return len(pairs) / (len(set(one.tolist())) * len(set(other.tolist())))


def sweeps(table: RunTable) -> list[Rows]:
    """Runs alike in every recorded setting but rate and seed, at three learning rates or more."""
    if not {"lr", "n_params", "n_tokens"} <= set(table.columns):
        return []
    lr = table.numbers("lr")
    settings = _settings(table)
    alike = (part for cell in group_cells(table) for part in _split(cell, settings))
    return [part for part in alike if len(set(lr[part])) >= SWEEP]


def best_of_sweeps(table: RunTable) -> RunTable:
    """Keep the learning rate with the lowest loss of every sweep, and all other runs."""
    if "loss" not in table:
        return table
    keep = np.ones(len(table), dtype=bool)
    loss = table.numbers("loss")
    for cell in sweeps(table):
        lr = table.numbers("lr")
        rates = np.unique(lr[cell])
        mean = [loss[cell][lr[cell] == rate].mean() for rate in rates]
        keep[cell[lr[cell] != rates[int(np.argmin(mean))]]] = False
    return table.select(keep)


def _settings(table: RunTable) -> NDArray[np.int64]:
    """Classes of each setting beside size and data that the table records, (n_runs, n_settings)."""
    numbers = [amount_classes(table.numbers(name)) for name in SET_NUMBERS if name in table]
    texts = [np.unique(table.text(n), return_inverse=True)[1] for n in SET_TEXTS if n in table]
    columns = [*numbers, *texts]
    return np.stack(columns, axis=1) if columns else np.zeros((len(table), 0), dtype=np.int64)


def _split(cell: Rows, settings: NDArray[np.int64]) -> list[Rows]:
    """Parts of a cell that share every setting."""
    if not settings.shape[1]:
        return [cell]
    _, part = np.unique(settings[cell], axis=0, return_inverse=True)
    return [cell[part == k] for k in range(part.max() + 1)]


def amount_classes(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the class of each amount, (n_runs,): those within `SAME` of a neighbour share one."""
    values = np.where(values > 0, values, 1e-300)  # not recorded, or none: a class of its own
    order = np.argsort(values, kind="stable")
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.diff(np.log(values[order]), prepend=-np.inf) > SAME
    classes = np.empty(len(values), dtype=np.int64)
    classes[order] = np.cumsum(apart)
    return classes
