"""Whether a table holds one curve of one variable, and what to do where it does not."""

import numpy as np

from isoflop.base.errors import InputError
from isoflop.fitting.solve.solver import Array
from isoflop.runs.finding import Finding
from isoflop.runs.table import RunTable

SCALES = ("n_params", "n_tokens", "flops")
VARIES = 1e-3
"""Range of a logarithm from which a variable varies at all."""
SAME_COMPUTE = 1.15
"""Runs whose compute differs by less are of one compute; the difference is taken off."""
SEVERAL = 3
"""Runs of one compute from which its best is not simply one of them."""
OTHER_SIZES = np.log(1.5)
"""Range of log sizes from which the runs of one compute are of different models."""
VISIBLE = 0.01
"""Range of log loss at one compute, the law's own part taken off, that noise hardly makes; three
times that where no size is recorded that would tell seeds from models."""


def choose_curve(table: RunTable, over: str | None) -> str:
    """Return the variable of a table's one curve: the one named, else the only one that varies.

    Args:
        table: the runs.
        over: the variable, if the user named one.

    Raises:
        InputError: none was named and none or several vary.

    >>> rows = [{"n_params": 1e8, "n_tokens": d, "loss": 20 / d**0.1} for d in (1e8, 1e9)]
    >>> choose_curve(RunTable.from_records(rows), None)
    'n_tokens'
    """
    if over:
        return over
    counts = {name: _count(table.numbers(name)) for name in SCALES if name in table}
    varying = {name: count for name, count in counts.items() if count > 1}
    if len(varying) == 1:
        return next(iter(varying))
    if len(varying) < 2:
        raise InputError(
            f"{table.source}: auto continues a curve of one variable; say which column, such as "
            "--over n_tokens"
        )
    listed = ", ".join(f"{name} ({count} values)" for name, count in varying.items())
    joint = "chinchilla" if {"n_params", "n_tokens"} <= set(varying) else "power-constant"
    raise InputError(
        f"{table.source}: {listed} all vary, and auto continues one curve of one variable; "
        f"say which with --over if the runs lie on one curve, else fit them all with --law {joint}"
    )


def _count(values: Array) -> int:
    known = values[np.isfinite(values) & (values > 0)]
    if known.size < 2 or np.ptp(np.log(known)) < VARIES:
        return min(1, known.size)
    return len(np.unique(known))


def check_one_compute(
    table: RunTable, variables: tuple[str, ...], residuals: Array
) -> list[Finding]:
    """Report a law of compute alone fitted to all runs of IsoFLOP curves, not to their optima.

    Args:
        table: the runs fitted.
        variables: variables of the law.
        residuals: (n_runs,) log predicted − log measured, so that differences of compute within a
            budget do not count.

    Returns:
        No finding, or one.
    """
    if variables != ("flops",):
        return []
    flops = table.numbers("flops")
    bins = np.floor(np.log(flops) / np.log(SAME_COMPUTE) + 0.5)
    groups = [np.flatnonzero(bins == one) for one in np.unique(bins)]
    budgets = [group for group in groups if _are_rivals(table, group)]
    n_runs = sum(map(len, budgets))
    if 2 * n_runs < len(table):
        return []
    ranges = np.array([np.ptp(residuals[group]) for group in budgets])
    sized = any(name in table for name in ("n_params", "n_tokens"))
    if np.median(ranges) < (VISIBLE if sized else 3 * VISIBLE):
        return []
    low, middle, high = (np.expm1(np.quantile(ranges, share)) for share in (0, 0.5, 1))
    return [
        Finding(
            code="compute-alone",
            severity="warning",
            evidence=f"{n_runs} of {len(table)} runs share their flops (±7 %) with others of other "
            f"sizes, and the loss varies there by {_per_cent(middle)} "
            f"({_per_cent(low)} to {_per_cent(high)})",
            consequence="a law of flops passes through the middle of them, not along the optima, "
            "and its intervals take models that are too large or too small for noise",
            remedy="fit the optimum of each budget (--method isoflop or envelope), or a law of "
            "n_params and n_tokens (--law chinchilla)",
        )
    ]


def _are_rivals(table: RunTable, group: np.ndarray) -> bool:
    """Whether runs are several models at one compute."""
    if len(group) < SEVERAL:
        return False
    named = [name for name in ("n_params", "n_tokens") if name in table]
    return not named or any(
        np.ptp(np.log(table.numbers(name)[group])) > OTHER_SIZES for name in named
    )


def _per_cent(share: float) -> str:
    return f"{100 * share:.2g} %"
