"""The scales of a run table: its budgets, or bins of compute or of size where it has none."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.base.errors import InputError
from isoflop.fitting.frontiers.valleys import WIDEST_BUDGET, group_budgets
from isoflop.laws.law import Array
from isoflop.runs.table import RunTable

MOST_SCALES = 12
BINS = 8
FEWEST_PER_BIN = 4


@dataclass(frozen=True)
class Scales:
    """Runs grouped by scale.

    Args:
        column: what scale means: `flops`, or another column where compute is not known.
        values: (n_runs,) each run's.
        groups: rows of each scale, smallest scale first.
    """

    column: str
    values: Array
    groups: tuple[NDArray[np.intp], ...]

    def __len__(self) -> int:
        return len(self.groups)

    @property
    def centres(self) -> Array:
        """Geometric mean of each scale, (len(self),)."""
        return np.array([np.exp(np.log(self.values[group]).mean()) for group in self.groups])

    def rows_before(self, k: int) -> NDArray[np.bool_]:
        """Mark the runs of the first k scales, (n_runs,) bool."""
        marked = np.zeros(len(self.values), dtype=bool)
        for group in self.groups[:k]:
            marked[group] = True
        return marked


def find_scales(table: RunTable, variables: tuple[str, ...]) -> Scales:
    """Group the runs of a table by scale.

    Budgets, where runs share a few; else eight bins of equally many runs, equal scales together.

    Args:
        table: the runs.
        variables: columns of the law, one of which stands for scale where compute is not known.

    Raises:
        InputError: no column tells the scale.

    >>> rows = [{"flops": c, "loss": 3.0} for c in (1e18, 1e18, 1e19, 1e19, 1e20, 1e20)]
    >>> scales = find_scales(RunTable.from_records(rows), ("flops",))
    >>> scales.column, [group.tolist() for group in scales.groups]
    ('flops', [[0, 1], [2, 3], [4, 5]])
    """
    column, values = _scale_column(table, variables)
    groups = group_budgets(values)
    wide = any(values[g].max() > WIDEST_BUDGET * values[g].min() for g in groups)
    if wide or len(groups) > MOST_SCALES:
        groups = _bins(values)
    return Scales(column, values, tuple(groups))


def _scale_column(table: RunTable, variables: tuple[str, ...]) -> tuple[str, Array]:
    if "flops" in table and np.isfinite(table.numbers("flops")).all():
        return "flops", table.numbers("flops")
    if "n_params" in table and "n_tokens" in table:
        return "flops", 6 * table.numbers("n_params") * table.numbers("n_tokens")
    for name in ("n_tokens", "n_params", *variables):
        if name in table and name in variables:
            return name, table.numbers(name)
    raise InputError(f"{table.source}: no column tells the scale of a run; record `flops`")


def _bins(values: Array) -> list[NDArray[np.intp]]:
    """Bins of about equally many runs; runs of one scale stay together."""
    order = np.argsort(values, kind="stable")
    count = min(BINS, max(3, len(values) // FEWEST_PER_BIN))
    edges = values[order][(np.arange(1, count) * len(values)) // count]
    member = np.searchsorted(np.unique(edges), values, side="right")
    return [np.flatnonzero(member == k) for k in np.unique(member)]
