"""Steps to reach a loss, read off learning curves.

Only points of one phase of the schedule belong on a curve: at equal tokens a cooled loss lies
.03 to .13 nats below the trunk's, so that a mixture would cross too early.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from isoflop.base.errors import InputError, RefusalError
from isoflop.runs.table import RunTable

Array = NDArray[np.float64]
LEAST_BATCHES = 3
"""Batches that must reach a loss: two constants, and one to tell how well they fit."""
_KEPT = ("n_params", "n_params_non_embedding", "batch_tokens")


def steps_to_losses(
    curves: RunTable, targets: Sequence[float] = (), *, n_targets: int = 6
) -> RunTable:
    """Find the steps at which every run first reaches every loss, between its points.

    Interpolated on logarithms of loss and steps.

    Args:
        curves: one row a point: `run`, `batch_tokens`, `steps`, `loss`; `n_params` if sizes differ.
        targets: losses; `n_targets` by default, at equal ratios over the lower half (in
            logarithms) of what the runs share.
        n_targets: how many of them.

    Returns:
        One row for each run and loss it reaches, with the columns of the curves.

    Raises:
        RefusalError: no loss is reached by runs of three batches.

    >>> rows = [{"run": "a", "batch_tokens": 64, "steps": s, "loss": 8 / s} for s in (1, 2, 4)]
    >>> steps_to_losses(RunTable.from_records(rows), [3.0]).numbers("steps").round(3)
    array([2.667])
    """
    for name in ("run", "batch_tokens", "steps", "loss"):
        if name not in curves:
            raise InputError(f"{curves.source}: learning curves need a column `{name}`")
    kept = [name for name in _KEPT if name in curves]
    loss, steps = curves.numbers("loss"), curves.numbers("steps")
    usable = np.isfinite(loss) & (loss > 0) & (steps > 0)
    names = np.array(curves.names())
    runs = {name: np.flatnonzero((names == name) & usable) for name in dict.fromkeys(names)}
    paths = {name: rows[np.argsort(steps[rows])] for name, rows in runs.items() if len(rows) > 1}
    wanted = list(targets) or _choose_targets([loss[rows] for rows in paths.values()], n_targets)
    units = curves.text("loss_unit") if "loss_unit" in curves else [""] * len(curves)
    records = []
    for target in wanted:
        for name, rows in paths.items():
            found = first_crossing(steps[rows], loss[rows], target)
            if found is not None:
                same = {column: float(curves.numbers(column)[rows[0]]) for column in kept}
                unit = {"loss_unit": units[rows[0]]}
                records.append({"run": name, "loss": target, "steps": found, **same, **unit})
    if not records:
        raise RefusalError(f"{curves.source}: no run reaches any of the losses asked for")
    return RunTable.from_records(records, source=curves.source)


def first_crossing(steps: Array, loss: Array, target: float) -> float | None:
    """Return the steps at which a loss is first reached, None where a curve does not tell.

    A curve that begins below the target does not tell when it crossed it.

    Args:
        steps: (n,) float, increasing.
        loss: (n,) float.
        target: the loss.
    """
    below = np.flatnonzero(loss <= target)
    if not len(below) or below[0] == 0:
        return None
    after = int(below[0])
    x, y = np.log(steps[after - 1 : after + 1]), np.log(loss[after - 1 : after + 1])
    return float(np.exp(x[0] + (x[1] - x[0]) * (np.log(target) - y[0]) / (y[1] - y[0])))


def _choose_targets(losses: Sequence[Array], n_targets: int) -> list[float]:
    """Losses that all runs pass through, nearer to their end than to their beginning."""
    if not losses:
        raise RefusalError("no run has two points of a learning curve")
    high = min(float(each[0]) for each in losses)
    low = max(float(each.min()) for each in losses)
    if not low < high:
        raise RefusalError(
            f"the runs share no losses: one begins at {high:.4g}, another ends at {low:.4g}; "
            "name losses that most of them reach"
        )
    return [float(x) for x in np.geomspace(low, np.sqrt(low * high), n_targets)]


def are_curves(table: RunTable) -> bool:
    """Tell learning curves from steps at given losses: a curve's losses are hardly ever repeated.

    Args:
        table: either, with `loss` and `batch_tokens`.
    """
    if not {"run", "batch_tokens", "loss"} <= set(table.columns):
        return False
    names = table.names()
    distinct = len(np.unique(table.numbers("loss")))
    return len(set(names)) < len(names) and distinct > len(table) / 2
