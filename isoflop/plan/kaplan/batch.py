"""Which batch to train at: fewer steps for more tokens, and what the critical batch is.

Legend: L loss, N parameters, B tokens a step, S steps, E = B·S tokens, C = 6NE FLOPs; S_min the
steps at B far above critical, E_min and C_min the tokens and FLOPs far below, B_crit = E_min/S_min;
(S/S_min - 1)(E/E_min - 1) = 1 at any B (Kaplan et al. 2020, eq. 5.1).
"""

from collections.abc import Sequence

import numpy as np

from isoflop.base.errors import InputError, RefusalError
from isoflop.base.estimate import Estimate
from isoflop.laws.critical_batch import BatchTradeLaw, CriticalBatchLaw
from isoflop.laws.growth import GrowthLaw
from isoflop.laws.kaplan import KaplanStepsLaw
from isoflop.laws.law import Array
from isoflop.laws.power import PowerLaw
from isoflop.plan.constants import check_units, reach_note, take_constants
from isoflop.plan.kaplan.trades import BatchPlan, trade_steps
from isoflop.plan.optimum.choose import AnyLaw
from isoflop.plan.possible import check_positive
from isoflop.plan.rows import predict_rows

FRONTIERS = {
    "table-6": ("kaplan-2020-n-opt", "kaplan-2020-l-cmin"),
    "theory": ("kaplan-2020-theory-n-opt", "kaplan-2020-theory-l-cmin"),
}
"""N and L of C_min, measured (Table 6) and derived (appendix B); they differ by up to 2.4."""


def plan_batch(
    flops: float,
    *,
    batches: Sequence[float] = (),
    step_seconds: float | None = None,
    frontier: str = "table-6",
    critical_law: AnyLaw | str = "kaplan-2020-b-crit-l",
) -> BatchPlan:
    """Trade steps against tokens on Kaplan's compute-efficient frontier.

    N and L follow from C_min, B_crit from L, E_min = C_min/(6N), S_min = E_min/B_crit.

    Args:
        flops: C_min, FLOPs at batches far below critical; at B_crit twice as many are spent.
        batches: tokens a step; .1 to 10 critical batches by default.
        step_seconds: seconds that a step takes at any of them, for the time of the training.
        frontier: `table-6` (measured) or `theory` (appendix B).
        critical_law: a `critical-batch` fit, a published one, or the name or file of one.

    Raises:
        InputError: an amount that is not positive, an unknown frontier, another form.

    >>> plan = plan_batch(8.64e19)  # one PF-day
    >>> print(plan.n_params, plan.loss, plan.critical_batch, plan.steps_min)
    1.30e9 2.66 2.00e6 5546
    >>> print(plan.trades[2].tokens_ratio, plan.trades[2].steps_ratio)  # at the critical batch
    2.00 2.00
    """
    check_positive(flops=flops)
    if frontier not in FRONTIERS:
        raise InputError(f"frontier must be one of {', '.join(FRONTIERS)}, found {frontier!r}")
    size = take_constants(FRONTIERS[frontier][0], GrowthLaw)
    loss = take_constants(FRONTIERS[frontier][1], PowerLaw)
    critical = take_constants(critical_law, CriticalBatchLaw)
    check_units(loss, critical)

    def params_of(size_rows: Array, loss_rows: Array, critical_rows: Array) -> Array:
        return predict_rows(size.law, size_rows, flops=flops)

    def loss_of(size_rows: Array, loss_rows: Array, critical_rows: Array) -> Array:
        return predict_rows(loss.law, loss_rows, flops=flops)

    def limits(*rows: Array) -> tuple[Array, Array]:
        E_min = flops / (6 * params_of(*rows))
        return E_min / predict_rows(critical.law, rows[2], loss=loss_of(*rows)), E_min

    used = (size, loss, critical)
    return trade_steps(used, limits, params_of, loss_of, batches=batches, step_seconds=step_seconds)


def plan_batch_for_loss(
    loss: float,
    n_params: float,
    *,
    batches: Sequence[float] = (),
    step_seconds: float | None = None,
    steps_law: AnyLaw | str = "kaplan-2020-ns",
    critical_law: AnyLaw | str = "kaplan-2020-b-crit-l",
) -> BatchPlan:
    """Trade steps against tokens for a model of a given size and a target loss.

    S_min from L(N, S_min), B_crit from L, E_min = B_crit·S_min.

    Args:
        loss: target, nats per token.
        n_params: N, non-embedding parameters for Kaplan's laws.
        batches: tokens a step; .1 to 10 critical batches by default.
        step_seconds: seconds that a step takes at any of them, for the time of the training.
        steps_law: a `kaplan-ns` fit, a published one, or the name or file of one.
        critical_law: likewise of `critical-batch`.

    Raises:
        InputError: an amount that is not positive, a law of another form, or of another unit.
        RefusalError: a model of that size never reaches the loss.

    >>> plan = plan_batch_for_loss(2.6, 1.5e9)
    >>> print(plan.critical_batch, plan.steps_min)
    2.22e6 9225
    """
    check_positive(loss=loss, n_params=n_params)
    ns = take_constants(steps_law, KaplanStepsLaw)
    critical = take_constants(critical_law, CriticalBatchLaw)
    check_units(ns, critical)

    def steps_of(rows: Array) -> Array:
        left = loss - (rows[:, 2] / n_params) ** rows[:, 0]
        return rows[:, 3] * np.where(left > 0, left, np.nan) ** (-1 / rows[:, 1])

    def limits(ns_rows: Array, critical_rows: Array) -> tuple[Array, Array]:
        S_min = steps_of(ns_rows)
        return S_min, S_min * predict_rows(critical.law, critical_rows, loss=loss)

    if not np.isfinite(steps_of(ns.theta[None])[0]):
        raise RefusalError(
            f"a model of {n_params:.3g} parameters never reaches {loss:g} nats under {ns.name}: "
            f"its converged loss is {(ns.theta[2] / n_params) ** ns.theta[0]:.3f}"
        )
    notes = (*reach_note(ns, {"n_params": n_params}), *reach_note(critical, {"loss": loss}))
    plan = trade_steps(
        (ns, critical),
        limits,
        lambda *rows: np.full(len(rows[0]), n_params),
        lambda *rows: np.full(len(rows[0]), loss),
        batches=batches,
        step_seconds=step_seconds,
        notes=notes,
    )
    return BatchPlan(**{**vars(plan), "loss": Estimate(loss), "n_params": Estimate(n_params)})


def plan_batch_from_runs(
    trade: AnyLaw | str, *, batches: Sequence[float] = (), step_seconds: float | None = None
) -> BatchPlan:
    """Trade steps against tokens from a fit of steps over batches at one loss.

    Args:
        trade: a `batch-trade` fit (S = S_min + E_min/B), or the file of one.
        batches: tokens a step; .1 to 10 critical batches by default.
        step_seconds: seconds that a step takes at any of them, for the time of the training.

    Raises:
        InputError: an amount that is not positive, or a law of another form.
    """
    constants = take_constants(trade, BatchTradeLaw)
    return trade_steps(
        (constants,),
        lambda rows: (rows[:, 0], rows[:, 1]),
        None,
        None,
        batches=batches,
        step_seconds=step_seconds,
    )
