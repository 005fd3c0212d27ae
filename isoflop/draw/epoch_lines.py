"""Lines along epochs, with bands: what repeats are worth, and the loss of one size on them.

Legend: U distinct tokens, D tokens processed, epochs D/U, D' the fresh tokens they are worth.
"""

from collections.abc import Sequence

import numpy as np

from isoflop.base.estimate import Estimate
from isoflop.draw.series import NONE, Array, Line
from isoflop.laws.law import Array as Rows
from isoflop.laws.repeated import worth_of_repeats
from isoflop.plan.constants import Constants, estimate_from
from isoflop.plan.data.worth import value_repeats
from isoflop.plan.optimum.choose import AnyLaw
from isoflop.plan.rows import predict_rows

NOT_RULED_OUT = {"muennighoff-2023-repeated": (4.52, np.inf)}
"""R_D_star at 95 %, by the likelihood ratio, on the 182 runs that the published value was fitted
to: docs/reproductions/data-constrained.md."""


def worth_line(constants: Constants, law: AnyLaw | str, epochs: Array) -> tuple[Line, str]:
    """D'/U with the fit's interval, or with what is not ruled out of a published decay."""
    found = [row.worth for row in value_repeats(law, epochs=[float(e) for e in epochs]).table]
    y = np.array([each.value for each in found])
    if constants.name in NOT_RULED_OUT and not len(constants.draws):
        low, high = (_worth_at(epochs, decay) for decay in NOT_RULED_OUT[constants.name])
        return Line("worth of epochs", epochs, y, low, high), "not ruled out by its 182 runs (95 %)"
    if not len(constants.draws):
        return Line("worth of epochs", epochs, y, NONE, NONE), ""
    low, high = _band(found)
    band = f"{100 * constants.level:.0f} % interval"
    return Line("worth of epochs", epochs, y, low, high), band


def _worth_at(epochs: Array, decay: float) -> Array:
    if not np.isfinite(decay):
        return epochs.copy()
    return worth_of_repeats(epochs - 1, np.array(decay))


def loss_lines(
    constants: Constants, epochs: Array, n_params: float, unique: float
) -> tuple[Line, Line]:
    """L against epochs of U, and of as many fresh tokens."""

    def along(label: str, fresh: bool) -> Line:
        found = [_loss(constants, n_params, e * unique, e * unique if fresh else unique)
                 for e in epochs]  # fmt: skip
        low, high = _band(found) if len(constants.draws) and not fresh else (NONE, NONE)
        return Line(label, epochs, np.array([each.value for each in found]), low, high)

    return along("loss on repeats", False), along("if every token were fresh", True)


def _loss(constants: Constants, n_params: float, n_tokens: float, unique: float) -> Estimate:
    def compute(rows: Rows) -> Rows:
        return predict_rows(
            constants.law, rows, n_params=n_params, n_tokens=n_tokens, n_tokens_unique=unique
        )

    return estimate_from(compute, constants)


def _band(found: Sequence[Estimate]) -> tuple[Array, Array]:
    low, high = (
        np.array([each.value if end is None else end for each, end in ends])
        for ends in ([(e, e.low) for e in found], [(e, e.high) for e in found])
    )
    return low, high


def half_interval(name: str, decay: Estimate) -> tuple[float, float]:
    """Epochs of half worth at the ends of what is known of the decay."""
    if decay.low is not None and decay.high is not None:
        ends = decay.low, decay.high
    else:
        ends = NOT_RULED_OUT.get(name, (np.nan, np.nan))
    return float(1 + np.log(2) * ends[0]), float(1 + np.log(2) * ends[1])
