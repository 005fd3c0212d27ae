"""A budget on data that repeat: how large a model, for how many epochs.

Legend: C = 6ND FLOPs, N parameters, D tokens processed, U distinct tokens at hand, L loss.
"""

from dataclasses import dataclass

import numpy as np

from isoflop.base.errors import RefusalError
from isoflop.base.estimate import Estimate, shorten
from isoflop.laws.law import Array
from isoflop.laws.repeated import RepeatedLaw, worth_of_repeats
from isoflop.plan.constants import Constants, estimate_from, reach_note, take_constants
from isoflop.plan.data.worth import LAW, data_notes
from isoflop.plan.optimum.choose import AnyLaw
from isoflop.plan.possible import check_positive
from isoflop.plan.rows import minimise_rows, predict_rows

SIZES_SEARCHED = (1.0, 1e22)
FRESH = 1e60
"""Distinct tokens that stand for data without end."""


@dataclass(frozen=True)
class DataPlan:
    """What to train with a budget on limited data.

    Args:
        flops: C.
        n_tokens_unique: U.
        n_params: optimal N.
        n_tokens: tokens to process.
        epochs: D/U; below 1 where the data outlast the budget.
        loss: there.
        worth: D', fresh tokens that the processed ones are worth.
        fresh_n_params: optimal N if no token had to repeat.
        fresh_n_tokens: D of it.
        fresh_loss: its loss: what unlimited data would buy at most.
        notes: what the numbers rest on.
    """

    flops: float
    n_tokens_unique: float
    n_params: Estimate
    n_tokens: Estimate
    epochs: Estimate
    loss: Estimate
    worth: Estimate
    fresh_n_params: Estimate
    fresh_n_tokens: Estimate
    fresh_loss: Estimate
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            name: value.to_dict()
            if isinstance(value, Estimate)
            else list(value)
            if isinstance(value, tuple)
            else value
            for name, value in vars(self).items()
        }


def plan_repeats(flops: float, n_tokens_unique: float, law: AnyLaw | str = LAW) -> DataPlan:
    """Find the size and the epochs of lowest loss for a budget on U distinct tokens.

    The minimum of L(N, C/(6N), U) over N, exact where the authors search a grid (Muennighoff
    et al. 2023).

    Args:
        flops: C, FLOPs, spent as C = 6ND.
        n_tokens_unique: U, distinct tokens.
        law: a `repeated` fit, a published one, or the name or file of one.

    Raises:
        InputError: an amount that is not positive, or a law of another form.
        RefusalError: the lowest loss lies at the edge of the sizes searched.

    >>> plan = plan_repeats(1e22, 25e9)
    >>> print(plan.n_params, plan.n_tokens, plan.epochs, plan.loss)
    7.03e9 2.37e11 9.49 2.22
    """
    check_positive(flops=flops, n_tokens_unique=n_tokens_unique)
    constants = take_constants(law, RepeatedLaw)

    def best(rows: Array) -> Array:
        return best_size(constants, rows, flops, n_tokens_unique)

    def fresh(rows: Array) -> Array:
        return best_size(constants, rows, flops, FRESH)

    def worth(rows: Array) -> Array:
        tokens = flops / (6 * best(rows))
        unique = np.minimum(n_tokens_unique, tokens)
        return unique * worth_of_repeats(tokens / unique - 1, rows[:, 5])

    n_params = estimate_from(best, constants)
    if not np.isfinite(n_params.value):
        raise RefusalError(
            f"{constants.name} has no optimum at {shorten(flops)} FLOPs on "
            f"{shorten(n_tokens_unique)} distinct tokens: its loss falls to the edge of the sizes "
            "searched"
        )
    n_tokens = estimate_from(lambda rows: flops / (6 * best(rows)), constants)
    at = {"n_params": n_params.value, "n_tokens": n_tokens.value}
    return DataPlan(
        flops=flops,
        n_tokens_unique=n_tokens_unique,
        n_params=n_params,
        n_tokens=n_tokens,
        epochs=estimate_from(lambda rows: flops / (6 * best(rows) * n_tokens_unique), constants),
        loss=estimate_from(
            lambda rows: loss_of_size(constants, rows, best(rows), flops, n_tokens_unique),
            constants,
        ),
        worth=estimate_from(worth, constants),
        fresh_n_params=estimate_from(fresh, constants),
        fresh_n_tokens=estimate_from(lambda rows: flops / (6 * fresh(rows)), constants),
        fresh_loss=estimate_from(
            lambda rows: loss_of_size(constants, rows, fresh(rows), flops, FRESH), constants
        ),
        notes=(*data_notes(constants), *reach_note(constants, at)),
    )


def best_size(constants: Constants, rows: Array, flops: Array | float, unique: float) -> Array:
    """Size of lowest loss on a budget, for each row, (K,); NaN at the edge of those searched."""
    return minimise_rows(lambda N: loss_of_size(constants, rows, N, flops, unique), *SIZES_SEARCHED)


def loss_of_size(
    constants: Constants, rows: Array, n_params: Array, flops: Array | float, unique: float
) -> Array:
    """L(N, C/(6N), U) for each row, (K,)."""
    return predict_rows(
        constants.law,
        rows,
        n_params=n_params,
        n_tokens=flops / (6 * n_params),
        n_tokens_unique=unique,
    )
