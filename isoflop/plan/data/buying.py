"""What more distinct data would buy a budget: nats, and the compute that would buy the same.

Legend: C = 6ND FLOPs, N parameters, D tokens processed, U distinct tokens, L loss; D', N' fresh
tokens and useful parameters that repeated tokens and excess parameters are worth.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isoflop.base.estimate import Estimate
from isoflop.laws.law import Array
from isoflop.laws.repeated import RepeatedLaw, worth_of_repeats
from isoflop.plan.constants import Constants, estimate_from, take_constants
from isoflop.plan.data.allocation import SIZES_SEARCHED, best_size, loss_of_size
from isoflop.plan.data.worth import LAW, data_notes
from isoflop.plan.optimum.choose import AnyLaw
from isoflop.plan.possible import check_positive
from isoflop.plan.rows import minimise_rows

FACTORS = (1.5, 2.0, 4.0, 10.0)
"""How much more distinct data, unless others are asked for."""


@dataclass(frozen=True)
class MoreData:
    """A budget on more distinct data.

    Args:
        factor: distinct tokens, times those at hand.
        n_tokens_unique: distinct tokens.
        n_params: optimal size on them.
        epochs: optimal epochs.
        loss: there.
        gain: loss saved, nats.
        flops_equal: FLOPs that reach the same loss on the data at hand; infinite where none do.
    """

    factor: float
    n_tokens_unique: float
    n_params: Estimate
    epochs: Estimate
    loss: Estimate
    gain: Estimate
    flops_equal: Estimate

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object; `flops_equal` has no value where no compute is enough."""
        return {
            name: value.to_dict() if isinstance(value, Estimate) else value
            for name, value in vars(self).items()
        }


@dataclass(frozen=True)
class Purchase:
    """What more distinct data buys.

    Args:
        flops: the budget.
        n_tokens_unique: distinct tokens at hand.
        loss: lowest loss on them with the budget.
        floor: lowest loss on them with any budget.
        offers: one for each factor.
        notes: what the numbers rest on.
    """

    flops: float
    n_tokens_unique: float
    loss: Estimate
    floor: Estimate
    offers: tuple[MoreData, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "flops": self.flops,
            "n_tokens_unique": self.n_tokens_unique,
            "loss": self.loss.to_dict(),
            "floor": self.floor.to_dict(),
            "offers": [offer.to_dict() for offer in self.offers],
            "notes": list(self.notes),
        }


def price_data(
    flops: float,
    n_tokens_unique: float,
    law: AnyLaw | str = LAW,
    *,
    factors: Sequence[float] = FACTORS,
) -> Purchase:
    """Price more distinct data for a budget: nats saved, and the compute worth as much.

    Args:
        flops: C, FLOPs, spent as C = 6ND.
        n_tokens_unique: U, distinct tokens at hand.
        law: a `repeated` fit, a published one, or the name or file of one.
        factors: how many times as many distinct tokens.

    Raises:
        InputError: an amount that is not positive, or a law of another form.

    >>> offer = price_data(1e22, 25e9, factors=[2]).offers[0]
    >>> print(offer.loss, offer.gain, offer.flops_equal)  # as good as 1.83 times the compute
    2.20 0.0219 1.83e22
    """
    check_positive(flops=flops, n_tokens_unique=n_tokens_unique)
    constants = take_constants(law, RepeatedLaw)
    return Purchase(
        flops=flops,
        n_tokens_unique=n_tokens_unique,
        loss=estimate_from(
            lambda rows: _lowest(constants, rows, flops, n_tokens_unique), constants
        ),
        floor=estimate_from(lambda rows: floor_of_data(rows, n_tokens_unique), constants),
        offers=tuple(_offer(constants, flops, n_tokens_unique, factor) for factor in factors),
        notes=data_notes(constants),
    )


def _offer(constants: Constants, flops: float, at_hand: float, factor: float) -> MoreData:
    check_positive(factor=factor)
    unique = factor * at_hand

    def size(rows: Array) -> Array:
        return best_size(constants, rows, flops, unique)

    def loss(rows: Array) -> Array:
        return _lowest(constants, rows, flops, unique)

    return MoreData(
        factor=factor,
        n_tokens_unique=unique,
        n_params=estimate_from(size, constants),
        epochs=estimate_from(lambda rows: flops / (6 * size(rows) * unique), constants),
        loss=estimate_from(loss, constants),
        gain=estimate_from(
            lambda rows: _lowest(constants, rows, flops, at_hand) - loss(rows),
            constants,
            log=False,
        ),
        flops_equal=estimate_from(
            lambda rows: flops_for_loss(rows, loss(rows), at_hand), constants
        ),
    )


def _lowest(constants: Constants, rows: Array, flops: float, unique: float) -> Array:
    return loss_of_size(constants, rows, best_size(constants, rows, flops, unique), flops, unique)


def floor_of_data(rows: Array, unique: float) -> Array:
    """Lowest loss of U distinct tokens with any compute, (K,): D' and N' at their limits."""
    E, A, B, alpha, beta, R_D_star, R_N_star = rows.T
    by_N = A * (best_size_of_data(rows, unique) * (1 + R_N_star)) ** -alpha
    return E + by_N + B * (unique * (1 + R_D_star)) ** -beta


def best_size_of_data(rows: Array, unique: float) -> Array:
    """N_opt = G·(G·U)^(beta/alpha), the size that U tokens read once train best, (K,)."""
    _, A, B, alpha, beta, _, _ = rows.T
    return np.exp((np.log(alpha * A / (beta * B)) + beta * np.log(unique)) / alpha)


def flops_for_loss(rows: Array, loss: Array, unique: float) -> Array:
    """Least FLOPs that reach a loss on U distinct tokens, all read at least once, (K,).

    For each N the tokens follow in closed form from B/D'^beta = L - E - A/N'^alpha and
    R = -R_star·ln(1 - (D'/U - 1)/R_star).
    """
    E, A, B, alpha, beta, R_D_star, R_N_star = rows.T
    useful = best_size_of_data(rows, unique)

    def flops(N: Array) -> Array:
        U_N = np.minimum(N, useful)
        left = loss - E - A * (U_N * worth_of_repeats(N / U_N - 1, R_N_star)) ** -alpha
        epochs = (B / np.where(left > 0, left, np.nan)) ** (1 / beta) / unique
        spent = 1 - np.maximum(epochs - 1, 0) / R_D_star
        tokens = unique * (1 - R_D_star * np.log(np.where(spent > 0, spent, np.nan)))
        total = 6 * N * np.where(epochs < 1, epochs * unique, tokens)
        return np.where(np.isfinite(total), total, np.inf)

    best = minimise_rows(flops, *SIZES_SEARCHED)
    return np.where(np.isfinite(best), flops(np.where(np.isfinite(best), best, 1.0)), np.inf)
