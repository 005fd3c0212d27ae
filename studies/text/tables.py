"""Run tables of the study, recounted and put on equal budgets.

Legend: N parameters, D tokens, C FLOPs, L loss. What counts as N, and as C, is a choice that moves
the exponent of N*(C) (Porian et al. 2024; Pearce and Song 2024), so every count is a table here.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from isoflop.runs.table import RunTable

Array = NDArray[np.float64]

COUNTS: Mapping[str, tuple[str, bool]] = {
    "non-embedding, C = 6ND": ("n_params_non_embedding", False),
    "with head, C = 6ND": ("n_params_with_head", False),
    "with head, every product": ("n_params_with_head", True),
    "total, every product": ("n_params", True),
}
"""{what is counted: (column of N, whether C is the exact matmul count of the run)}"""


def average_seeds(table: RunTable, *, keys: Sequence[str] = ("n_params", "n_tokens")) -> RunTable:
    """Return one row for each size and budget, the mean loss over seeds that finished.

    >>> rows = [{"n_params": 8, "n_tokens": 9, "loss": x} for x in (2.0, 3.0)]
    >>> average_seeds(RunTable.from_records(rows)).numbers("loss")
    array([2.5])
    """
    groups: dict[tuple[float, ...], list[int]] = {}
    columns = [table.numbers(key) for key in keys]
    for i in np.flatnonzero(np.isfinite(table.numbers("loss"))):
        groups.setdefault(tuple(float(c[i]) for c in columns), []).append(int(i))
    loss, records = table.numbers("loss"), table.records()
    rows = [{**records[rows[0]], "loss": float(loss[rows].mean())} for rows in groups.values()]
    return RunTable.from_records(rows, source=table.source)


def recount(table: RunTable, count: str) -> RunTable:
    """Return the table with N and C counted as one of `COUNTS` says."""
    column, exact = COUNTS[count]
    N = table.numbers(column)
    C = table.numbers("flops") if exact else 6 * N * table.numbers("n_tokens")
    return table.with_column("n_params", N).with_column("flops", C)


def equal_budgets(table: RunTable, *, ratio: float = 2.0) -> RunTable:
    """Return losses at budgets `ratio` apart, read between the budgets of each size.

    log L is interpolated on log D at fixed N, where curves are smooth: within .004 nats of a
    power law on this lab's ladders. Nothing is read beyond a size's own runs.

    Args:
        table: n_params, n_tokens, flops, loss; one row for each size and budget.
        ratio: from one budget to the next.
    """
    N, D, C, L = (table.numbers(name) for name in ("n_params", "n_tokens", "flops", "loss"))
    steps = np.arange(np.ceil(np.log(C.min()) / np.log(ratio)), np.log(C.max()) / np.log(ratio))
    rows = []
    for size in np.unique(N):
        own = np.flatnonzero(size == N)
        own = own[np.argsort(D[own])]
        per_token = C[own[0]] / D[own[0]]
        for flops in ratio**steps:
            tokens = flops / per_token
            if D[own[0]] <= tokens <= D[own[-1]]:
                loss = np.exp(np.interp(np.log(tokens), np.log(D[own]), np.log(L[own])))
                row = {"n_params": size, "n_tokens": tokens, "flops": flops, "loss": loss}
                rows.append({key: float(value) for key, value in row.items()})
    return RunTable.from_records(rows, source=table.source)


def at_largest(table: RunTable, column: str) -> RunTable:
    """Return the rows where a column has its largest value."""
    values = table.numbers(column)
    return table.select(values == np.nanmax(values))


def at_nearest(table: RunTable, column: str, value: float) -> RunTable:
    """Return the rows where a column is nearest to a value, by ratio."""
    values = table.numbers(column)
    near = values[np.nanargmin(np.abs(np.log(values / value)))]
    return table.select(values == near)


def sizes_of(table: RunTable) -> list[float]:
    """Return the distinct sizes, ascending."""
    return [float(x) for x in np.unique(table.numbers("n_params"))]
