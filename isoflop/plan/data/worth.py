"""What repeated epochs are worth, in fresh tokens.

Legend: U distinct tokens, D tokens processed, epochs D/U, R = D/U - 1 repeats; R_star how soon
their worth decays; D'/U = 1 + R_star·(1 - exp(-R/R_star)) the fresh epochs they are worth.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isoflop.base.errors import InputError
from isoflop.base.estimate import Estimate
from isoflop.laws.law import Array
from isoflop.laws.repeated import RepeatedLaw, worth_of_repeats
from isoflop.plan.constants import Constants, all_notes, estimate_from, take_constants
from isoflop.plan.optimum.choose import AnyLaw

EPOCHS = (1.0, 2.0, 4.0, 8.0, 16.0, 40.0, np.inf)
"""Epochs of the table unless others are asked for."""

LAW = "muennighoff-2023-repeated"


@dataclass(frozen=True)
class EpochWorth:
    """What a number of epochs is worth.

    Args:
        epochs: D/U; infinite for the limit.
        worth: D'/U, fresh epochs.
        share: D'/D, worth of a processed token on average; 0 in the limit.
        next_token: worth of one more processed token, exp(-R/R_star).
    """

    epochs: float
    worth: Estimate
    share: Estimate
    next_token: Estimate

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object; `epochs` is null for the limit."""
        return {
            "epochs": self.epochs if np.isfinite(self.epochs) else None,
            "worth": self.worth.to_dict(),
            "share": self.share.to_dict(),
            "next_token": self.next_token.to_dict(),
        }


@dataclass(frozen=True)
class Worth:
    """A table of epochs and their worth.

    Args:
        decay: R_star, repeats after which a processed token is worth 1/e of a fresh one.
        table: one row for each number of epochs.
        notes: what the numbers rest on.
    """

    decay: Estimate
    table: tuple[EpochWorth, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        rows = [row.to_dict() for row in self.table]
        return {"decay": self.decay.to_dict(), "table": rows, "notes": list(self.notes)}


def value_repeats(law: AnyLaw | str = LAW, *, epochs: Sequence[float] = EPOCHS) -> Worth:
    """Value repeated epochs in fresh ones (Muennighoff et al. 2023, eq. 5).

    Args:
        law: a `repeated` fit, a published one, or the name or file of one.
        epochs: numbers of epochs, at least 1; infinity is the limit.

    Raises:
        InputError: fewer epochs than one, or a law of another form.

    >>> [f"{row.worth.value:.2f}" for row in value_repeats().table]
    ['1.00', '1.97', '3.73', '6.62', '10.58', '15.17', '16.39']
    """
    constants = take_constants(law, RepeatedLaw)
    return Worth(
        decay=estimate_from(lambda rows: rows[:, 5], constants),
        table=tuple(_worth(constants, number) for number in epochs),
        notes=data_notes(constants),
    )


def _worth(constants: Constants, epochs: float) -> EpochWorth:
    if not epochs >= 1:
        raise InputError(f"epochs must be at least 1, found {epochs:g}")

    def worth(rows: Array) -> Array:
        return worth_of_repeats(np.full(len(rows), epochs - 1), rows[:, 5])

    return EpochWorth(
        epochs=epochs,
        worth=estimate_from(worth, constants),
        share=estimate_from(lambda rows: worth(rows) / epochs, constants),
        next_token=estimate_from(lambda rows: np.exp(-(epochs - 1) / rows[:, 5]), constants),
    )


def data_notes(constants: Constants) -> tuple[str, ...]:
    """Notes of a law of repeated data, with what its authors' runs can tell."""
    about = f"{constants.name}: {constants.about}" if constants.about else ""
    return (*all_notes(constants), *((about,) if about else ()))
