"""Bits among nats: losses of two units in one column that no label tells apart.

Legend: N parameters, D tokens, L loss; one bit is log 2 nats.
"""

import numpy as np

from isoflop.fitting.solve.robust import robust_scale
from isoflop.laws.law import Array
from isoflop.plan.checkup.case import Case, Mask
from isoflop.plan.checkup.diagnosis import Diagnosis
from isoflop.plan.checkup.refit import refit, shift

BITS = -float(np.log(np.log(2)))
"""Log of how much larger the same loss is in bits than in nats."""
CLOSE = 0.03
"""Log loss by which the distance of two groups may miss that, beside its error."""
CLEAR = 8.0
"""Times by which two groups must be further apart than their runs scatter."""
FEWEST, LEAST_GROUP, LEAST_SHARE = 10, 2, 0.05
"""Runs to look at, and of the rarer kind, of which fewer are outliers."""
ROUNDS = 10


def check_unlabelled_units(case: Case) -> list[Diagnosis]:
    """Find losses in two groups a factor 1/log 2 apart where `loss_unit` tells none."""
    labels = set(case.table.text("loss_unit")) if "loss_unit" in case.table else {""}
    if len(labels) > 1 or not case.has("n_params", "n_tokens", "loss"):
        return []
    bits = _in_bits(*(np.log(case.numbers(c)) for c in ("n_params", "n_tokens", "loss")))
    if bits is None:
        return []
    change = None
    if case.fit is not None:
        everyone = np.ones(len(bits), dtype=bool)
        nats = np.where(bits, np.log(2), 1.0) * case.numbers("loss")
        one_unit = refit(case, loss=nats, keep=everyone)
        change = shift(case, refit(case, keep=everyone), one_unit)
    return [
        Diagnosis(
            code="mixed-loss-units",
            severity="error",
            evidence=f"{bits.sum()} of {len(bits)} losses are 1.44 = 1/log 2 times as large as the "
            "others at like size and data: bits among nats, and `loss_unit` does not say so",
            consequence="what differs between them is taken for an effect of scale"
            + (f": {change}" if change else ""),
            remedy="multiply these losses by log 2 = .693, or record the unit in `loss_unit`",
            rows=case.rows(bits),
            runs=case.names(bits),
            numbers={"kinds": 2.0, "n_others": float(bits.sum())},
            shift=change,
        )
    ]


def _in_bits(log_n: Array, log_d: Array, log_loss: Array) -> Mask | None:
    """Runs in bits, by a quadratic of log loss in log N and log D beside an offset; None if none.

    A quadratic follows a surface to a per cent or two over the ladders that are run. Runs are
    sorted into two kinds, each by the fit to both, from the residuals of one kind and from every
    budget on: whole budgets may be in bits, which one kind would follow.
    """
    if len(log_loss) < FEWEST:
        return None
    n, d = log_n - log_n.mean(), log_d - log_d.mean()
    smooth = np.stack([np.ones_like(n), n, d, n * n, d * d, n * d], axis=1)
    budget = np.round(log_n + log_d, 1)
    starts = [_upper(log_loss - _follow(smooth, log_loss))]
    starts += [start for edge in np.unique(budget)[1:] for start in (budget < edge, budget >= edge)]
    sorted_runs = [_sort(smooth, log_loss, start) for start in starts]
    high = min(sorted_runs, key=lambda kind: _scatter(smooth, log_loss - BITS * kind))
    return high if _are_two(smooth, log_loss, high) else None


def _sort(smooth: Array, log_loss: Array, high: Mask) -> Mask:
    for _ in range(ROUNDS):
        last, rest = high, log_loss - _follow(smooth, log_loss - BITS * high)
        high = rest > BITS / 2
        if (high == last).all():
            break
    return high


def _are_two(smooth: Array, log_loss: Array, high: Mask) -> bool:
    """Whether the kinds lie as far apart as bits and nats, and much further than runs scatter."""
    if min(high.sum(), (~high).sum()) < max(LEAST_GROUP, LEAST_SHARE * len(high)):
        return False
    beside = np.column_stack([smooth, high.astype(np.float64)])
    offset = np.linalg.lstsq(beside, log_loss, rcond=None)[0][-1]
    scatter = _scatter(beside, log_loss)
    error = scatter * np.sqrt(np.linalg.pinv(beside.T @ beside)[-1, -1])
    return bool(abs(offset - BITS) < CLOSE + 2 * error and CLEAR * max(scatter, error) < BITS)


def _scatter(smooth: Array, log_loss: Array) -> float:
    return robust_scale(log_loss - _follow(smooth, log_loss), smooth.shape[1])


def _follow(smooth: Array, log_loss: Array) -> Array:
    return smooth @ np.linalg.lstsq(smooth, log_loss, rcond=None)[0]


def _upper(rest: Array) -> Mask:
    """What lies above the widest gap."""
    order = np.argsort(rest)
    return rest > rest[order[int(np.argmax(np.diff(rest[order])))]]
