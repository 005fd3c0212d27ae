"""A case: a run table as the checks see it, with the surface that its steady runs lie on.

Legend: N parameters, D tokens, C FLOPs, L loss; L = E + A/N^alpha + B/D^beta.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from isoflop.base.errors import InputError, IsoflopError, RunTableError
from isoflop.fitting.fit import Fit
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.fitting.solve.robust import robust_scale
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.law import Array
from isoflop.plan.checkup.cells import best_of_sweeps, is_per_token, kinds_of
from isoflop.plan.checkup.impossible import Told, find_impossible, unread_cells, without
from isoflop.runs.table import FINISHED, RunTable
from isoflop.runs.unit_slips import Slip, find_slips, mend_slips

Mask = NDArray[np.bool_]

FAR = 100.0
"""Consequences are told at this multiple of the largest compute, unless a target is given."""
COMPARABLE = ("tokenizer", "n_vocab", "loss_unit", "eval_set")
"""Columns whose values make losses incomparable: the surface is that of the most frequent."""
NEEDED = ("n_params", "n_tokens", "loss")
STEADY_DEVIATIONS, STEADY_SHARE = 6.0, 0.02
"""A run this many robust standard deviations and this share off the law bends no surface here.
Least squares decides, not a robust loss: a smooth fault of many runs is to stay in."""
FEWEST_STEADY = 0.75
"""Share of the runs that stay steady at least."""
MASKING, APART = 0.1, 2.0
"""Share of the runs that may bend least squares so that none of them stands out, and how many times
as far off as any other run they must be."""
ROUNDS = 6
ROUGH = 0.02
"""Residual RMS from which the surface does not describe the runs; ladders measure .3 to .8 %."""
N_STARTS = 16


@dataclass(frozen=True)
class Case:
    """A run table under examination.

    Args:
        whole: every row of the table.
        table: the finished rows with an amount in every needed column, the best of every
            learning-rate sweep; what a law would be fitted to.
        fit: Chinchilla's surface by least squares through the steady runs, None if impossible.
        why_no_fit: why, "" if there is one.
        steady: (n_runs,) rows of `table` that the surface was fitted to.
        flops: the target.
        slips: units of N and D that slipped; in `table` they are mended.
        impossible: values that cannot be; `table` lacks their rows.
    """

    whole: RunTable
    table: RunTable
    fit: Fit | None
    why_no_fit: str
    steady: Mask
    flops: float
    slips: tuple[Slip, ...] = ()
    impossible: tuple[Told, ...] = ()

    def has(self, *columns: str) -> bool:
        """Whether every run records these columns."""
        known = self.table
        return all(c in known and bool(np.isfinite(known.numbers(c)).all()) for c in columns)

    def numbers(self, column: str) -> Array:
        """A column of the usable rows, (n_runs,)."""
        return self.table.numbers(column)

    def rows(self, chosen: Mask) -> tuple[int, ...]:
        """Rows, in the source, of usable runs chosen by a mask (n_runs,)."""
        return tuple(int(row) for row in self.table.rows[chosen])

    def names(self, chosen: Mask) -> tuple[str, ...]:
        """Names of usable runs chosen by a mask (n_runs,)."""
        listed = self.table.names()
        return tuple(listed[i] for i in np.flatnonzero(chosen))

    @property
    def steady_table(self) -> RunTable:
        """The runs the surface was fitted to: comparable ones, without those far off it."""
        return self.table.select(self.steady)

    @property
    def residuals(self) -> Array:
        """Log measured − log predicted of every usable run, positive above the surface."""
        if self.fit is None:
            return np.zeros(len(self.table))
        return _off(self.table, self.fit)

    @property
    def noise(self) -> float:
        """Standard deviation of the steady runs about the surface."""
        steady = self.residuals[self.steady]
        return float(np.sqrt(steady @ steady / max(1, len(steady) - 5)))


def open_case(table: RunTable, flops: float | None = None) -> Case:
    """Prepare a table for its checks.

    Args:
        table: the runs.
        flops: the target; a hundred times the largest compute by default.

    Raises:
        InputError: a target that is not positive.
    """
    if flops is not None and not 0 < flops < np.inf:
        raise InputError(f"a target must be a positive number of FLOPs, found {flops:g}")
    amounts = _usable(table)
    slips = find_slips(amounts)
    amounts = mend_slips(amounts, slips)
    impossible = find_impossible(amounts)
    usable = best_of_sweeps(without(amounts, impossible))
    fit, steady, why = _surface(usable)
    target = flops or FAR * _largest_compute(usable)
    left = np.isin(amounts.rows, usable.rows)
    slips = [replace(slip, rows=slip.rows[left]) for slip in slips]
    told = (*unread_cells(table), *(Told.of(each, amounts) for each in impossible))
    return Case(table, usable, fit, why, steady, target, tuple(slips), told)


def _usable(table: RunTable) -> RunTable:
    """Finished rows, with a positive amount in every needed column that the table has."""
    if "n_params" not in table and "n_params_non_embedding" in table:
        table = table.with_column("n_params", table.numbers("n_params_non_embedding"))
    keep = np.ones(len(table), dtype=bool)
    if "status" in table:
        keep = np.array([status.lower() in FINISHED for status in table.text("status")])
    for name in (*NEEDED, "flops"):
        if name in table:
            amounts = table.numbers(name)
            keep &= np.isfinite(amounts) & (amounts > 0)
    if not keep.any() and table.unread:
        raise table.unread[0]
    if not keep.any():
        raise RunTableError("no finished run with its amounts and loss", source=table.source)
    return table.select(keep)


def _largest_compute(table: RunTable) -> float:
    if "flops" in table and np.isfinite(table.numbers("flops")).all():
        return float(table.numbers("flops").max())
    if {"n_params", "n_tokens"} <= set(table.columns):
        return float((6 * table.numbers("n_params") * table.numbers("n_tokens")).max())
    return 1e22


def _surface(table: RunTable) -> tuple[Fit | None, Mask, str]:
    everyone = np.ones(len(table), dtype=bool)
    absent = [name for name in NEEDED if name not in table]
    if absent:
        return None, everyone, f"no column `{absent[0]}`"
    try:
        comparable = comparable_runs(table)
        fit, steady = _through_steady(table, comparable, comparable)
        fit, steady = _unmasked(table, fit, steady, comparable)
    except IsoflopError as error:
        return None, everyone, str(error)
    if not fit.determined:
        return None, everyone, fit.outcome.value
    return fit, steady, ""


def _through_steady(table: RunTable, steady: Mask, comparable: Mask) -> tuple[Fit, Mask]:
    """Least squares through the runs near it, refitted until they stay the same."""
    spec = FitSpec(Objective("squared"), n_resamples=0, n_starts=N_STARTS)
    fit = fit_parametric(table.select(steady), ChinchillaLaw(), spec)
    for _ in range(ROUNDS):
        kept = _near(table, fit, steady, comparable)
        if (kept == steady).all():
            break
        steady = kept
        fit = fit_parametric(table.select(steady), ChinchillaLaw(), spec)
    return fit, steady


def _unmasked(table: RunTable, fit: Fit, steady: Mask, comparable: Mask) -> tuple[Fit, Mask]:
    """The same from a robust fit, where a few far runs bend least squares so that none stands out.

    Two of twenty runs 8 % above a surface leave residuals of 2 % and no run at six deviations.
    """
    spec = FitSpec(Objective("robust"), n_resamples=0, n_starts=N_STARTS)
    robust = fit_parametric(table.select(comparable), ChinchillaLaw(), spec)
    kept = _near(table, robust, comparable, comparable)
    aside = int((comparable & ~kept).sum())
    if not 0 < aside <= MASKING * comparable.sum() or (kept == steady).all():
        return fit, steady
    off = np.abs(_off(table, robust))
    near = off[comparable & ~kept].min() < APART * off[kept].max()
    if near or _are_shortest(table, comparable & ~kept):
        return fit, steady
    return _through_steady(table, kept, comparable)


def _are_shortest(table: RunTable, aside: Mask) -> bool:
    """Whether runs are among those of least data: a warm-up's fault, which is to stay in."""
    tokens = table.numbers("n_tokens")
    return bool(tokens[aside].max() <= np.sort(tokens)[min(2 * aside.sum(), len(tokens)) - 1])


def comparable_runs(table: RunTable) -> Mask:
    """The runs of the most frequent tokenizer, loss unit and evaluation set."""
    names = [name for name in COMPARABLE if name != "n_vocab" or is_per_token(table)]
    kinds = [kind for name in names if (kind := kinds_of(table, name))]
    if not kinds:
        return np.ones(len(table), dtype=bool)
    labels = np.array(["\0".join(kind) for kind in zip(*kinds, strict=True)])
    values, counts = np.unique(labels, return_counts=True)
    return labels == values[np.argmax(counts)]


def _near(table: RunTable, fit: Fit, steady: Mask, comparable: Mask) -> Mask:
    """Runs near a surface fitted to the steady ones; unchanged where too many lie off it."""
    off = np.abs(_off(table, fit))
    limit = max(STEADY_DEVIATIONS * robust_scale(off[steady], 5), STEADY_SHARE)
    near = (off <= limit) & comparable
    return near if near.sum() >= FEWEST_STEADY * comparable.sum() else steady


def _off(table: RunTable, fit: Fit) -> Array:
    """Log measured − log predicted of every run."""
    runs = {name: table.numbers(name) for name in NEEDED[:2]}
    return np.log(table.numbers("loss") / fit.law.predict(fit.theta, runs))
