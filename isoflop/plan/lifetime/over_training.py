"""Training past the optimum: a smaller model on more tokens, and when it pays.

Legend: N parameters, D tokens, C = 6ND FLOPs, M = D/N; M_opt at the optimum of the budget.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isoflop.base.errors import InputError, RefusalError
from isoflop.base.estimate import Estimate, shorten
from isoflop.laws.law import Array
from isoflop.plan.constants import Constants, all_notes, estimates_from, reach_note, take_constants
from isoflop.plan.lifetime.isoloss import best_size
from isoflop.plan.optimum.choose import AnyLaw
from isoflop.plan.possible import check_positive
from isoflop.plan.rows import predict_rows, solve_rows

LAW = "gadre-2024-redpajama"
FACTORS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Tokens per parameter over the optimum's, unless others are asked for."""
MOST_OVERHEAD = 1e12


@dataclass(frozen=True)
class OverTrained:
    """A model with more tokens per parameter than the budget's optimum.

    Args:
        factor: M/M_opt.
        tokens_per_param: M.
        n_params: N that spends the budget at M.
        n_tokens: D that spends it.
        loss: there.
        penalty: loss above the optimum's, nats.
        equal_flops: FLOPs over the budget at which M reaches the optimum's loss.
        equal_params: N over the optimum's at that loss: what serving a token costs.
        pays_after: tokens served after which the smaller model is cheaper; none at factor 1.
    """

    factor: float
    tokens_per_param: Estimate
    n_params: Estimate
    n_tokens: Estimate
    loss: Estimate
    penalty: Estimate
    equal_flops: Estimate
    equal_params: Estimate
    pays_after: Estimate

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            name: value.to_dict() if isinstance(value, Estimate) else value
            for name, value in vars(self).items()
        }


@dataclass(frozen=True)
class OverTraining:
    """A budget at its optimum and past it.

    Args:
        flops: C.
        table: one row for each factor.
        notes: what the numbers rest on.
    """

    flops: float
    table: tuple[OverTrained, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        rows = [row.to_dict() for row in self.table]
        return {"flops": self.flops, "table": rows, "notes": list(self.notes)}


def price_over_training(
    flops: float, law: AnyLaw | str = LAW, *, factors: Sequence[float] = FACTORS
) -> OverTraining:
    """Price more tokens per parameter than the optimum, at the same compute and the same loss.

    Under L = E + (a·M^eta + b·M^-eta)·C^-eta (Gadre et al. 2024) the overhead at the same loss is
    [(a·M^eta + b·M^-eta)/(a·M_opt^eta + b·M_opt^-eta)]^(1/eta), whatever the budget.

    Args:
        flops: C, FLOPs, spent as C = 6ND.
        law: a fit of n_params and n_tokens, a published law, or the name or file of one.
        factors: M/M_opt; below 1 is under-training.

    Raises:
        InputError: an amount that is not positive, or a law of other variables.
        RefusalError: a law without an optimum, or a ratio that never reaches its loss.

    >>> row = price_over_training(1e21, factors=[32]).table[0]
    >>> print(row.penalty, row.equal_flops, row.equal_params)
    0.0867 2.20 0.262
    """
    check_positive(flops=flops)
    if not factors:
        raise InputError("no factor of tokens per parameter is given")
    for factor in factors:
        check_positive(factor=factor)
    constants = take_constants(law, reads="n_params,n_tokens")
    best = float(best_size(constants.law, constants.theta[None], flops)[0])
    if not np.isfinite(best):
        raise RefusalError(f"{constants.name} has no optimum at {shorten(flops)} FLOPs")
    table = tuple(_over_trained(constants, flops, factor) for factor in factors)
    reach = [
        note
        for row in (table[0], table[-1])
        for note in reach_note(
            constants, {"n_params": row.n_params.value, "n_tokens": row.n_tokens.value}
        )
    ]
    return OverTraining(flops, table, tuple(dict.fromkeys((*all_notes(constants), *reach))))


def _over_trained(constants: Constants, flops: float, factor: float) -> OverTrained:
    def compute(rows: Array) -> dict[str, Array]:
        law = constants.law
        N_opt = best_size(law, rows, flops)
        M = factor * flops / (6 * N_opt**2)
        N = np.sqrt(flops / (6 * M))

        def loss(C: Array | float) -> Array:
            return predict_rows(
                law, rows, n_params=np.sqrt(C / (6 * M)), n_tokens=np.sqrt(C * M / 6)
            )

        lowest = predict_rows(law, rows, n_params=N_opt, n_tokens=flops / (6 * N_opt))
        overhead = solve_rows(lambda r: lowest - loss(r * flops), 1 - 1e-12, MOST_OVERHEAD)
        overhead = np.where(overhead > 0, np.maximum(overhead, 1.0), 1.0)
        size = np.sqrt(overhead * flops / (6 * M))
        spared = 2 * (N_opt - size)
        return {
            "tokens_per_param": M,
            "n_params": N,
            "n_tokens": M * N,
            "loss": loss(flops),
            "penalty": np.maximum(loss(flops) - lowest, 0.0),
            "equal_flops": overhead,
            "equal_params": size / N_opt,
            "pays_after": np.where(
                spared > 1e-6 * N_opt, (overhead - 1) * flops / np.where(spared, spared, 1), np.nan
            ),
        }

    return OverTrained(factor=factor, **estimates_from(compute, constants, linear=("penalty",)))
