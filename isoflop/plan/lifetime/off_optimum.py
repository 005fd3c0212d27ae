"""What a model of another size than a budget's optimum costs: nats, compute, dollars.

Legend: C = 6ND FLOPs, N parameters, r = N/N*, L loss; L*(C) the lowest loss of a budget.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isoflop.base.errors import InputError, RefusalError
from isoflop.base.estimate import Estimate, shorten
from isoflop.laws.law import Array
from isoflop.plan.constants import Constants, all_notes, estimates_from, reach_note, take_constants
from isoflop.plan.lifetime.isoloss import best_size, tokens_for_loss
from isoflop.plan.optimum.choose import AnyLaw
from isoflop.plan.possible import check_positive
from isoflop.plan.rows import predict_rows, solve_rows

RATIOS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Sizes over the optimum's, unless others are asked for."""
EXCESS = 0.2
WIDEST = 1e9
"""Ratios searched for the band."""
LEAST_SHARE = 1e-9


@dataclass(frozen=True)
class OffOptimum:
    """A budget spent on one size.

    Args:
        ratio: r.
        n_params: r·N*.
        n_tokens: tokens that the budget leaves.
        loss: there.
        penalty: above the optimum's, nats.
        wasted: share of the budget with which an optimal model reaches the same loss less.
        equal_flops: compute over the budget with which this size reaches the optimum's loss; none
            where it never does.
    """

    ratio: float
    n_params: Estimate
    n_tokens: Estimate
    loss: Estimate
    penalty: Estimate
    wasted: Estimate
    equal_flops: Estimate

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            name: value.to_dict() if isinstance(value, Estimate) else value
            for name, value in vars(self).items()
        }


@dataclass(frozen=True)
class OffTable:
    """Sizes around a budget's optimum.

    Args:
        flops: C.
        table: one row for each ratio.
        excess: extra compute allowed for the optimum's loss.
        smallest: smallest r within it.
        largest: largest r within it.
        notes: what the numbers rest on.
    """

    flops: float
    table: tuple[OffOptimum, ...]
    excess: float
    smallest: Estimate
    largest: Estimate
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "flops": self.flops,
            "table": [row.to_dict() for row in self.table],
            "excess": self.excess,
            "smallest": self.smallest.to_dict(),
            "largest": self.largest.to_dict(),
            "notes": list(self.notes),
        }


def price_off_optimum(
    flops: float,
    law: AnyLaw | str,
    *,
    ratios: Sequence[float] = RATIOS,
    excess: float = EXCESS,
) -> OffTable:
    """Price models smaller and larger than a budget's optimum.

    `wasted` is 1 - C'/C where L*(C') is the loss that the size reaches with C (deadweight);
    `equal_flops` is what the size needs for L*(C), over C. For Kaplan's law of N and S, at a batch
    that follows the loss, see `price_wrong_size`.

    Args:
        flops: C, FLOPs, spent as C = 6ND.
        law: a fit of n_params and n_tokens, a published law, or the name or file of one.
        ratios: sizes over the optimum's.
        excess: extra compute allowed for the band of sizes.

    Raises:
        InputError: an amount that is not positive, or a law of other variables.
        RefusalError: a law without an optimum.

    >>> found = price_off_optimum(1e21, "besiroglu-2024", ratios=[2, 4])
    >>> [str(row.wasted) for row in found.table]
    ['0.157', '0.486']
    """
    check_positive(flops=flops, excess=excess)
    if not ratios:
        raise InputError("no size is given; ratios are sizes over the optimum's, such as 2")
    for ratio in ratios:
        check_positive(ratio=ratio)
    constants = take_constants(law, reads="n_params,n_tokens")
    if not np.isfinite(best_size(constants.law, constants.theta[None], flops)[0]):
        raise RefusalError(f"{constants.name} has no optimum at {shorten(flops)} FLOPs")
    table = tuple(_off(constants, flops, ratio) for ratio in ratios)
    reach = [
        note
        for row in (table[0], table[-1])
        for note in reach_note(
            constants, {"n_params": row.n_params.value, "n_tokens": row.n_tokens.value}
        )
    ]
    band = estimates_from(
        lambda rows: {
            "smallest": _edge(constants, rows, flops, excess, largest=False),
            "largest": _edge(constants, rows, flops, excess, largest=True),
        },
        constants,
    )
    notes = tuple(dict.fromkeys((*all_notes(constants), *reach)))
    return OffTable(flops, table, excess, band["smallest"], band["largest"], notes)


def _off(constants: Constants, flops: float, ratio: float) -> OffOptimum:
    law = constants.law

    def compute(rows: Array) -> dict[str, Array]:
        N = ratio * best_size(law, rows, flops)
        loss = predict_rows(law, rows, n_params=N, n_tokens=flops / (6 * N))
        share = solve_rows(
            lambda s: loss - _lowest(constants, rows, s * flops), LEAST_SHARE, 1 + 1e-9
        )
        return {
            "n_params": N,
            "n_tokens": flops / (6 * N),
            "loss": loss,
            "penalty": np.maximum(loss - _lowest(constants, rows, flops), 0.0),
            "wasted": 1 - np.clip(share, 0.0, 1.0),
            "equal_flops": _needed(constants, rows, flops, np.full(len(rows), ratio)),
        }

    return OffOptimum(
        ratio=ratio, **estimates_from(compute, constants, linear=("penalty", "wasted"))
    )


def _lowest(constants: Constants, rows: Array, flops: Array | float) -> Array:
    """L*(C) of each row, (K,)."""
    N = best_size(constants.law, rows, flops)
    return predict_rows(constants.law, rows, n_params=N, n_tokens=flops / (6 * N))


def _needed(constants: Constants, rows: Array, flops: float, ratio: Array) -> Array:
    """Compute over C with which r·N* reaches L*(C), (K,); infinite where it never does."""
    N = ratio * best_size(constants.law, rows, flops)
    D = tokens_for_loss(constants.law, rows, N, _lowest(constants, rows, flops))
    return np.where(np.isfinite(D), 6 * N * D / flops, np.inf)


def _edge(
    constants: Constants, rows: Array, flops: float, excess: float, *, largest: bool
) -> Array:
    """The r at which the compute needed is 1 + excess, (K,)."""
    low, high = (1.0, WIDEST) if largest else (1 / WIDEST, 1.0)
    sign = 1.0 if largest else -1.0
    return solve_rows(lambda r: sign * (_needed(constants, rows, flops, r) - 1 - excess), low, high)
