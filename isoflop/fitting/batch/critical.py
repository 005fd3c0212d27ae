"""B_crit against loss: one law through every target, from a batch sweep.

Legend: L loss, N parameters, B tokens a step, S steps; for each N and L its own S_min, and one
B_crit(L) = B_star/L^(1/alpha_B) for all (Kaplan et al. 2020, eq. 5.3 and Figure 18):
log S = log S_min(N, L) + log(1 + B_crit(L)/B). Fitting all targets at once uses targets whose own
hyperbola is open at one side. Steps to several losses read off one learning curve share its luck:
then the interval leaves out a run at a time.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.base.errors import InputError, RefusalError
from isoflop.base.estimate import LEVEL, Estimate, interval_from_draws
from isoflop.fitting.batch.hyperbola import BEYOND, BatchTrade, fit_hyperbola
from isoflop.fitting.batch.joint import Design, batch_procedure, covary_runs, fit_design
from isoflop.fitting.fit import Fit
from isoflop.fitting.objective import Objective
from isoflop.fitting.record import record_data
from isoflop.fitting.solve.solver import Outcome
from isoflop.fitting.starts import Basins
from isoflop.fitting.uncertainty.intervals import Interval
from isoflop.laws.critical_batch import CriticalBatchLaw
from isoflop.runs.checks import Finding
from isoflop.runs.table import RunTable

Array = NDArray[np.float64]
N_DRAWS = 1000
SAME_LOSS = 1e-9
"""Relative difference up to which two losses are one target."""


@dataclass(frozen=True)
class BatchFit:
    """Critical batches at several losses, and their law.

    Args:
        trades: one hyperbola a size and target loss with three batches.
        fit: the law through them all: B_star, alpha_B, with draws; `isoflop.write_fit` saves it
            for `isoflop kaplan batch --critical-law`.
        unit: of what was left out to find the intervals, `run` or `row`.
    """

    trades: tuple[BatchTrade, ...]
    fit: Fit
    unit: str

    def critical_batch(self, loss: float) -> Estimate:
        """B_crit at a loss, tokens a step."""
        at = {"loss": np.array([loss])}
        value = float(self.fit.law.predict(self.fit.theta, at)[0])
        draws = self.fit.law.predict(self.fit.draws, at)[:, 0]
        return interval_from_draws(value, draws, level=self.fit.level, log=True)

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        trades = [trade.to_dict() for trade in self.trades]
        return {"trades": trades, "unit": self.unit, "fit": self.fit.to_dict()}


def fit_critical_batch(table: RunTable, *, level: float = LEVEL, seed: int = 0) -> BatchFit:
    """Fit the critical batch against loss to steps at several batches and losses.

    Args:
        table: one row for each batch and target: `batch_tokens`, `steps`, `loss`; sizes apart by
            `n_params`, learning curves by `run` (see `steps_to_losses`).
        level: of the intervals.
        seed: of the draws.

    Raises:
        InputError: a column is missing, or an amount is not positive.
        RefusalError: fewer than two losses with three batches, batches that bracket no critical
            one, or a critical batch that shrinks as the loss falls.

    >>> B = np.tile([2e3, 8e3, 3e4, 1e5, 4e5], 3)
    >>> L = np.repeat([4.0, 3.5, 3.0], 5)
    >>> S = 50 * 4 / L * (1 + 2.1e8 / L ** (1 / 0.21) / (30 * B))
    >>> rows = zip(B, L, S)
    >>> table = RunTable.from_records(
    ...     [{"batch_tokens": b, "loss": l, "steps": s} for b, l, s in rows])
    >>> found = fit_critical_batch(table)
    >>> round(float(found.fit.theta[1]), 3), round(float(found.fit.theta[0]) / 7e6, 3)
    (0.21, 1.0)
    """
    design, trades, kept = _arrange(table, level)
    coefficients = fit_design(design)
    _require_law(design, coefficients)
    runs = kept.names() if "run" in kept else []
    shared = len(set(runs)) < len(runs)
    covariance, freedom = covary_runs(design, coefficients, runs if shared else [])
    draws = _draw(coefficients, covariance, freedom, seed=seed)
    unit = "run" if shared else "row"
    fit = _as_fit(kept, design, coefficients, covariance, draws, unit, level=level, seed=seed)
    return BatchFit(trades, fit, unit)


def _arrange(table: RunTable, level: float) -> tuple[Design, tuple[BatchTrade, ...], RunTable]:
    """Keep the targets that three batches reach; fit each its own hyperbola."""
    for name in ("batch_tokens", "steps", "loss"):
        if name not in table:
            raise InputError(f"{table.source}: a batch sweep needs a column `{name}`")
        if not (table.numbers(name) > 0).all():
            raise InputError(f"{table.source}: `{name}` must be positive in every row")
    column = "n_params" if "n_params" in table else None
    sizes = table.numbers(column) if column else np.full(len(table), np.nan)
    losses, batches, steps = (table.numbers(n) for n in ("loss", "batch_tokens", "steps"))
    label = np.full(len(table), -1)
    trades = []
    for size in np.unique(sizes):
        for loss in _distinct(losses):
            same = (np.abs(losses / loss - 1) <= SAME_LOSS) & ((sizes == size) | np.isnan(size))
            if len(np.unique(batches[same])) >= 3:
                label[same] = len(trades)
                known = None if np.isnan(size) else float(size)
                trades.append(
                    fit_hyperbola(
                        batches[same], steps[same], loss=loss, n_params=known, level=level
                    )
                )
    if len({trade.loss for trade in trades}) < 2:
        raise RefusalError(
            f"{table.source}: {len(trades)} losses are reached at three batches or more, two are "
            "needed for a law of the loss; for one loss: isoflop fit --law batch-trade"
        )
    keep = label >= 0
    kept = table if keep.all() else table.select(keep, note=f"{(~keep).sum()} rows: no hyperbola")
    log_batch, log_loss, log_steps = (np.log(each[keep]) for each in (batches, losses, steps))
    return Design(log_batch, log_loss, log_steps, label[keep]), tuple(trades), kept


def _distinct(losses: Array) -> list[float]:
    """Losses from high to low, those alike counted once."""
    found: list[float] = []
    for loss in sorted(map(float, losses), reverse=True):
        if not found or found[-1] / loss - 1 > SAME_LOSS:
            found.append(loss)
    return found


def _require_law(design: Design, coefficients: Array) -> None:
    c, k = coefficients
    edges = design.log_batch.min() - BEYOND + 1, design.log_batch.max() + BEYOND - 1
    if not edges[0] < c < edges[1]:
        side = "above" if c > 0.5 * sum(edges) else "below"
        low, high = np.exp(design.log_batch.min()), np.exp(design.log_batch.max())
        raise RefusalError(
            f"the critical batch lies far {side} every batch tried ({low:.3g} to {high:.3g} "
            "tokens); train at batches on both sides of it"
        )
    if not 0.25 < k < 100:
        raise RefusalError(
            f"the critical batch goes as L^{-k:.3g} here, not as a falling power between L^-0.25 "
            "and L^-100; take losses further apart, or more batches and seeds"
        )


def _draw(coefficients: Array, covariance: Array, freedom: int, *, seed: int) -> Array:
    """(K, 2) of Student's t around the coefficients."""
    rng = np.random.default_rng(seed)
    normal = rng.standard_normal((N_DRAWS, 2)) @ np.linalg.cholesky(covariance + _TINY).T
    chi = rng.chisquare(freedom, N_DRAWS)[:, None]
    return np.asarray(coefficients + normal * np.sqrt(freedom / chi))


_TINY = 1e-24 * np.eye(2)


def _theta(design: Design, coefficients: Array) -> Array:
    """B_star, alpha_B from (log B_crit at the mean log loss, 1/alpha_B), within their bounds."""
    k = np.clip(coefficients[..., 1], 0.25, 100.0)
    log_scale = np.clip(coefficients[..., 0] + k * design.centre, np.log(1e-6), np.log(1e40))
    return np.stack([np.exp(log_scale), 1 / k], axis=-1)


def _as_fit(
    table: RunTable,
    design: Design,
    coefficients: Array,
    covariance: Array,
    draws: Array,
    unit: str,
    *,
    level: float,
    seed: int,
) -> Fit:
    residuals = design.residuals(coefficients)
    rows = _theta(design, draws)
    n_units = len(set(table.names())) if unit == "run" else len(table)
    reason = f"because {n_units} runs give {len(table)} steps" if unit == "run" else "one row a run"
    return Fit(
        law=CriticalBatchLaw(),
        theta=_theta(design, coefficients),
        draws=rows,
        objective=Objective("squared"),
        objective_value=0.5 * float(np.sum(residuals**2)),
        residuals=residuals,
        n_units=n_units,
        outcome=Outcome.CONVERGED,
        basins=Basins(1, 1.0, 1, None),
        condition=float(np.linalg.cond(covariance + _TINY)) ** 0.5,
        findings=_findings(table, design, coefficients),
        data=record_data(table, ("batch_tokens", "steps", "loss")),
        convention="batches and losses as recorded; log steps fitted, S_min of each target free",
        level=level,
        seed=seed,
        covariance=np.cov(np.log(rows).T),
        procedure=batch_procedure(design.n_targets),
        interval=Interval("cluster" if unit == "run" else "wald", reason, unit),
    )


def _findings(table: RunTable, design: Design, coefficients: Array) -> tuple[Finding, ...]:
    """Say where the critical batch lies outside the batches that were tried."""
    critical = design.log_critical(coefficients)
    low, high = design.log_batch.min(), design.log_batch.max()
    outside = (critical < low) | (critical > high)
    if not outside.any():
        return ()
    return (
        Finding(
            code="critical-batch-not-bracketed",
            severity="warning",
            evidence=f"at {len(set(design.target[outside]))} of {design.n_targets} targets B_crit "
            f"lies outside the batches tried, {np.exp(low):.3g} to {np.exp(high):.3g} tokens",
            consequence="its value there rests on the law, not on a bend of steps over batches",
            remedy="add batches on the other side of it",
            runs=(),
        ),
    )
