"""Trades between steps and tokens at one loss, from S_min and E_min.

Legend: B tokens a step, S steps, E = B·S tokens, C = 6NE FLOPs; S_min the steps at B far above
critical, E_min and C_min the tokens and FLOPs far below, B_crit = E_min/S_min.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from isoflop.base.estimate import Estimate
from isoflop.laws.law import Array
from isoflop.plan.constants import Constants, all_notes, estimate_from
from isoflop.plan.possible import check_positive

SHARES = (0.1, 0.3, 1.0, 3.0, 10.0)
"""Batches shown unless others are asked for, in critical batches."""

Limits = Callable[..., tuple[Array, Array]]
"""Rows of constants, one array for each law, to S_min and E_min, (K,) each."""


@dataclass(frozen=True)
class Trade:
    """Training to the same loss at one batch.

    Args:
        batch_tokens: B, tokens a step.
        steps: S = S_min·(1 + B_crit/B); the time taken, if a step takes as long at any batch.
        n_tokens: E = E_min·(1 + B/B_crit).
        flops: C = C_min·(1 + B/B_crit); None where no size is known.
        steps_ratio: S/S_min.
        tokens_ratio: E/E_min, also C/C_min.
        train_seconds: S times the seconds of a step, None where they are not given.
    """

    batch_tokens: Estimate
    steps: Estimate
    n_tokens: Estimate
    flops: Estimate | None
    steps_ratio: Estimate
    tokens_ratio: Estimate
    train_seconds: Estimate | None = None

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return _as_dict(vars(self))


@dataclass(frozen=True)
class BatchPlan:
    """The critical batch of a target, its limits, and trades between them.

    Args:
        loss: target loss, None where steps were measured at a loss not named.
        n_params: N, None likewise.
        critical_batch: B_crit, tokens a step: twice S_min and twice E_min.
        steps_min: S_min.
        tokens_min: E_min.
        flops_min: C_min = 6·N·E_min, None where N is unknown.
        trades: one for each batch.
        notes: what the numbers rest on.
    """

    loss: Estimate | None
    n_params: Estimate | None
    critical_batch: Estimate
    steps_min: Estimate
    tokens_min: Estimate
    flops_min: Estimate | None
    trades: tuple[Trade, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        limits = {k: v for k, v in vars(self).items() if k not in ("trades", "notes")}
        trades = [trade.to_dict() for trade in self.trades]
        return {**_as_dict(limits), "trades": trades, "notes": list(self.notes)}


def trade_steps(
    used: tuple[Constants, ...],
    limits: Limits,
    params_of: Callable[..., Array] | None,
    loss_of: Callable[..., Array] | None,
    *,
    batches: Sequence[float],
    step_seconds: float | None = None,
    notes: tuple[str, ...] = (),
) -> BatchPlan:
    """Put S_min, E_min, B_crit and the trades at each batch into a plan.

    Args:
        used: the laws.
        limits: S_min and E_min of their rows.
        params_of: N of their rows, None where unknown.
        loss_of: L of their rows, None where unknown.
        batches: tokens a step; .1 to 10 critical batches if empty.
        step_seconds: seconds of a step, the same at any batch; None where unknown.
        notes: beyond those of the laws.
    """
    check_positive(step_seconds=step_seconds)
    for batch in batches:
        check_positive(batch_tokens=batch)

    def critical_of(*rows: Array) -> Array:
        S_min, E_min = limits(*rows)
        return E_min / S_min

    def flops_of(*rows: Array) -> Array:
        return 6 * params_of(*rows) * limits(*rows)[1] if params_of else np.full(len(rows[0]), 1.0)

    critical = estimate_from(critical_of, *used)
    chosen = batches or [share * critical.value for share in SHARES]
    return BatchPlan(
        loss=estimate_from(loss_of, *used) if loss_of else None,
        n_params=estimate_from(params_of, *used) if params_of else None,
        critical_batch=critical,
        steps_min=estimate_from(lambda *rows: limits(*rows)[0], *used),
        tokens_min=estimate_from(lambda *rows: limits(*rows)[1], *used),
        flops_min=estimate_from(flops_of, *used) if params_of else None,
        trades=tuple(
            _trade(batch, used, limits, flops_of if params_of else None, step_seconds)
            for batch in chosen
        ),
        notes=(*all_notes(*used), *notes),
    )


def _trade(
    batch: float,
    used: tuple[Constants, ...],
    limits: Limits,
    flops_of: Callable[..., Array] | None,
    step_seconds: float | None,
) -> Trade:
    """S and E at one batch."""

    def ratios(*rows: Array) -> tuple[Array, Array]:
        S_min, E_min = limits(*rows)
        share = batch * S_min / E_min
        return 1 + 1 / share, 1 + share

    def flops(*rows: Array) -> Array:
        return (flops_of(*rows) if flops_of else 1.0) * ratios(*rows)[1]

    def steps(*rows: Array) -> Array:
        return limits(*rows)[0] * ratios(*rows)[0]

    seconds = step_seconds
    return Trade(
        batch_tokens=Estimate(batch),
        steps=estimate_from(steps, *used),
        n_tokens=estimate_from(lambda *rows: limits(*rows)[1] * ratios(*rows)[1], *used),
        flops=estimate_from(flops, *used) if flops_of else None,
        steps_ratio=estimate_from(lambda *rows: ratios(*rows)[0], *used),
        tokens_ratio=estimate_from(lambda *rows: ratios(*rows)[1], *used),
        train_seconds=estimate_from(lambda *rows: seconds * steps(*rows), *used)
        if seconds is not None
        else None,
    )


def _as_dict(fields: dict[str, Estimate | None]) -> dict[str, object]:
    return {name: None if value is None else value.to_dict() for name, value in fields.items()}
