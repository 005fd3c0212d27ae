"""When to stop: compute-efficient training ends about ten per cent above the converged loss.

Legend: L(N, S) = (N_c/N)^alpha_N + (S_c/S)^alpha_S; f the fraction above L(N, inf) at which
training stops; N parameters, S steps, C ∝ N·S at the batch that goes with the loss.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from isoflop.base.estimate import Estimate
from isoflop.laws.kaplan import KaplanStepsLaw
from isoflop.laws.law import Array
from isoflop.plan.constants import all_notes, estimate_from, take_constants
from isoflop.plan.optimum.choose import AnyLaw
from isoflop.plan.possible import check_positive

NEARLY_CONVERGED = 0.02
"""Kaplan's example of inefficient training: within 2 % of converged."""


@dataclass(frozen=True)
class Stop:
    """Training stopped at one fraction above converged.

    Args:
        above_converged: f.
        n_params: parameters that reach the loss so; None without a loss.
        steps: steps far above the critical batch; None without a loss.
    """

    above_converged: Estimate
    n_params: Estimate | None = None
    steps: Estimate | None = None

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            name: None if value is None else value.to_dict() for name, value in vars(self).items()
        }


@dataclass(frozen=True)
class Stopping:
    """Stopping where compute is spent best, held against stopping elsewhere at the same loss.

    Args:
        best: at f = alpha_N/alpha_S.
        instead: at the other fraction.
        params_ratio: parameters of best over those of instead.
        steps_ratio: steps of instead over those of best.
        compute_saved: 1 - C_best/C_instead.
        loss: the loss both reach, None if the ratios alone were asked for.
        notes: what the numbers rest on.
    """

    best: Stop
    instead: Stop
    params_ratio: Estimate
    steps_ratio: Estimate
    compute_saved: Estimate
    loss: float | None
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        ratios = ("params_ratio", "steps_ratio", "compute_saved")
        return {
            "best": self.best.to_dict(),
            "instead": self.instead.to_dict(),
            **{name: getattr(self, name).to_dict() for name in ratios},
            "loss": self.loss,
            "notes": list(self.notes),
        }


def compare_stopping(
    law: AnyLaw | str = "kaplan-2020-ns",
    *,
    instead: float = NEARLY_CONVERGED,
    loss: float | None = None,
) -> Stopping:
    """Hold compute-efficient stopping against stopping at another fraction above converged.

    At the same loss N ∝ (1 + f)^(1/alpha_N) and S ∝ (1 + 1/f)^(1/alpha_S) (Kaplan et al. 2020,
    appendix B.3); N·S is least at f = alpha_N/alpha_S (eq. B.2).

    Args:
        law: a `kaplan-ns` fit, a published one, or the name or file of one.
        instead: the other fraction above converged, such as .02.
        loss: loss to reach, nats per token; then parameters and steps are given too.

    Raises:
        InputError: a fraction or loss that is not positive, or a law of another form.

    >>> found = compare_stopping()
    >>> print(found.best.above_converged, found.params_ratio, found.steps_ratio)
    0.101 2.71 7.64
    >>> print(found.compute_saved)
    0.646
    """
    check_positive(instead=instead, loss=loss)
    constants = take_constants(law, KaplanStepsLaw)

    def best_f(rows: Array) -> Array:
        return rows[:, 0] / rows[:, 1]

    def other_f(rows: Array) -> Array:
        return np.full(len(rows), instead)

    def sizes(rows: Array) -> Array:
        return _growth(best_f(rows), rows[:, 0]) / _growth(instead, rows[:, 0])

    def steps(rows: Array) -> Array:
        return _growth(1 / instead, rows[:, 1]) / _growth(1 / best_f(rows), rows[:, 1])

    def stop(fraction: Estimate, f_of: Callable[[Array], Array]) -> Stop:
        if (target := loss) is None:
            return Stop(fraction)
        return Stop(
            fraction,
            estimate_from(lambda rows: params_at(rows, f_of(rows), target), constants),
            estimate_from(lambda rows: steps_at(rows, f_of(rows), target), constants),
        )

    return Stopping(
        best=stop(estimate_from(best_f, constants), best_f),
        instead=stop(Estimate(instead), other_f),
        params_ratio=estimate_from(sizes, constants),
        steps_ratio=estimate_from(steps, constants),
        compute_saved=estimate_from(
            lambda rows: 1 - sizes(rows) / steps(rows), constants, log=False
        ),
        loss=loss,
        notes=all_notes(constants),
    )


def params_at(rows: Array, fraction: Array, loss: float) -> Array:
    """N = N_c·((1 + f)/L)^(1/alpha_N), whose converged loss lies a fraction f below L, (K,)."""
    return rows[:, 2] * ((1 + fraction) / loss) ** (1 / rows[:, 0])


def steps_at(rows: Array, fraction: Array, loss: float) -> Array:
    """S = S_c·((1 + 1/f)/L)^(1/alpha_S), steps far above the critical batch, (K,)."""
    return rows[:, 3] * ((1 + 1 / fraction) / loss) ** (1 / rows[:, 1])


def _growth(fraction: Array | float, exponent: Array) -> Array:
    """(1 + f)^(1/alpha)."""
    return (1 + fraction) ** (1 / exponent)
