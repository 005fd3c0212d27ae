"""Of runs that differ in nothing but learning rate and seed, keep those of the best rate."""

from collections import defaultdict

import numpy as np

from isoflop.runs.counted import counted
from isoflop.runs.finding import Finding
from isoflop.runs.table import RunTable

_SAME = ("family", "dataset", "tokenizer", "schedule", "rung", "n_params", "n_tokens")
"""What runs of one bracket have in common, of the columns that there are."""


def keep_best_rate(table: RunTable) -> tuple[RunTable, list[Finding]]:
    """Keep, of every shape and number of tokens, the runs of one learning rate, all its seeds.

    The best rate is that of the lowest mean loss over seeds, none of which diverged.

    Args:
        table: runs with `lr` and `loss`.

    Returns:
        The table without the other rates, and a finding that says what was left out; the same
        table and no finding where there is one rate everywhere.

    >>> rows = [{"n_params": 1e4, "n_tokens": 1e6, "lr": r, "loss": l} for r, l in
    ...         ((1e-3, 2.2), (2e-3, 2.1), (4e-3, 2.3))]
    >>> [r["lr"] for r in keep_best_rate(RunTable.from_records(rows))[0].records()]
    [0.002]
    """
    if "lr" not in table or "loss" not in table:
        return table, []
    lr, loss = table.numbers("lr"), table.numbers("loss")
    cells = _cells(table)
    keep = np.ones(len(table), dtype=np.bool_)
    edges, swept = 0, 0
    for rows in cells:
        rates = np.unique(lr[rows])
        means = [np.mean(loss[rows][lr[rows] == rate]) for rate in rates]
        if len(rates) < 2 or not np.isfinite(means).any():
            continue
        best = int(np.nanargmin(np.where(np.isfinite(means), means, np.nan)))
        keep[rows] = lr[rows] == rates[best]
        swept += 1
        edges += best in (0, len(rates) - 1)
    if not swept:
        return table, []
    left = int((~keep).sum())
    finding = Finding(
        code="best-of-several-rates",
        severity="warning" if edges else "note",
        evidence=f"{swept} of {counted(len(cells), 'cell')} of one shape and one number of tokens "
        f"hold several learning rates; the best is kept, {counted(left, 'run')} left out"
        + (f"; in {edges} of them it is the lowest or the highest tried" if edges else ""),
        consequence="the lowest of several noisy losses is a little too low, and at an edge the "
        "best rate may lie beyond",
        remedy="use several seeds a rate, and try rates beyond the edge (isoflop ladder bracket)",
    )
    return table.select(keep, note="best learning rate of each shape and number of tokens"), [
        finding
    ]


def several_rates(table: RunTable) -> int:
    """Return how many cells of one shape and number of tokens have runs of several rates."""
    if "lr" not in table:
        return 0
    lr = table.numbers("lr")
    return sum(len(np.unique(lr[rows])) > 1 for rows in _cells(table))


def _cells(table: RunTable) -> list[np.ndarray]:
    columns = [name for name in _SAME if name in table]
    found: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for index, record in enumerate(table.records()):
        found[tuple(record[name] for name in columns)].append(index)
    return [np.array(rows) for rows in found.values()]
