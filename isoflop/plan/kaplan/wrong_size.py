"""What a model of another size than the compute-efficient one costs, at the same loss.

Legend: r = N/N_eff; L(N, S) = (N_c/N)^alpha_N + (S_c/S)^alpha_S; C compute, S steps.
"""

from dataclasses import dataclass

import numpy as np

from isoflop.base.errors import RefusalError
from isoflop.base.estimate import Estimate
from isoflop.laws.kaplan import KaplanStepsLaw
from isoflop.laws.law import Array
from isoflop.plan.constants import all_notes, estimate_from, take_constants
from isoflop.plan.optimum.choose import AnyLaw
from isoflop.plan.possible import check_positive
from isoflop.plan.rows import solve_rows

EXCESS = 0.20
"""Kaplan's band: at most 20 % more compute."""
LARGEST = 1e9
"""Sizes searched, times the efficient one."""


@dataclass(frozen=True)
class WrongSize:
    """A size away from the compute-efficient one.

    Args:
        ratio: r = N/N_eff.
        compute_ratio: compute for the same loss, times the least.
        steps_ratio: steps for the same loss, times those of the efficient size.
        excess: extra compute that the band allows, such as .2.
        smallest: smallest r within it.
        largest: largest r within it.
        notes: what the numbers rest on.
    """

    ratio: float
    compute_ratio: Estimate
    steps_ratio: Estimate
    excess: float
    smallest: Estimate
    largest: Estimate
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "ratio": self.ratio,
            "compute_ratio": self.compute_ratio.to_dict(),
            "steps_ratio": self.steps_ratio.to_dict(),
            "excess": self.excess,
            "smallest": self.smallest.to_dict(),
            "largest": self.largest.to_dict(),
            "notes": list(self.notes),
        }


def price_wrong_size(
    ratio: float, law: AnyLaw | str = "kaplan-2020-ns", *, excess: float = EXCESS
) -> WrongSize:
    """Price a model r times the compute-efficient size, at the same loss.

    C(N)/C(N_eff) = r·[1 + (alpha_S/alpha_N)(1 - r^-alpha_N)]^(-1/alpha_S), and the steps the same
    without the leading r (Kaplan et al. 2020, appendix B.4).

    Args:
        ratio: r = N/N_eff.
        law: a `kaplan-ns` fit, a published one, or the name or file of one.
        excess: extra compute allowed for the band of sizes.

    Raises:
        InputError: a ratio or excess that is not positive, or a law of another form.
        RefusalError: a model that small never reaches the loss.

    >>> found = price_wrong_size(2.2)
    >>> print(found.compute_ratio, found.steps_ratio, found.smallest, found.largest)
    1.20 0.547 0.577 2.18
    """
    check_positive(ratio=ratio, excess=excess)
    constants = take_constants(law, KaplanStepsLaw)
    lowest = float(smallest_ratio(constants.theta[None])[0])
    if ratio <= lowest:
        raise RefusalError(
            f"a model {ratio:g} times the efficient size never reaches its loss, however long it "
            f"trains; the smallest that does is {lowest:.3g} times it"
        )

    def edge(rows: Array, *, largest: bool) -> Array:
        low, high = (1.0, LARGEST) if largest else (LARGEST**-1, 1.0)
        sign = 1.0 if largest else -1.0
        return solve_rows(lambda r: sign * (compute_ratio(rows, r) - 1 - excess), low, high)

    return WrongSize(
        ratio=ratio,
        compute_ratio=estimate_from(lambda rows: compute_ratio(rows, ratio), constants),
        steps_ratio=estimate_from(lambda rows: compute_ratio(rows, ratio) / ratio, constants),
        excess=excess,
        smallest=estimate_from(lambda rows: edge(rows, largest=False), constants),
        largest=estimate_from(lambda rows: edge(rows, largest=True), constants),
        notes=all_notes(constants),
    )


def compute_ratio(rows: Array, ratio: Array | float) -> Array:
    """C(N)/C(N_eff), (K,); infinite where the model never reaches the loss."""
    alpha_N, alpha_S = rows[:, 0], rows[:, 1]
    left = 1 + alpha_S / alpha_N * -np.expm1(-alpha_N * np.log(ratio))
    reached = left > 0
    return np.where(reached, ratio * np.where(reached, left, 1.0) ** (-1 / alpha_S), np.inf)


def smallest_ratio(rows: Array) -> Array:
    """Least r that ever reaches the loss, (1 + alpha_N/alpha_S)^(-1/alpha_N), (K,)."""
    return (1 + rows[:, 0] / rows[:, 1]) ** (-1 / rows[:, 0])
