"""The annealing law: the loss curve from the sum of the rates and the momentum of their fall.

Legend: s step, eta_k learning rate of step k, S1(s) sum of the rates up to s, S2(s) annealing
area, lam how slowly a fall of the rate is forgotten, L loss.
"""

import itertools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from isoflop.base.errors import InputError
from isoflop.laws.law import (
    AbstractLaw,
    Array,
    Parameter,
    Variables,
    clip_to_bounds,
    solve_coefficients,
)
from isoflop.laws.power import COEFFICIENT, EXPONENT, IRREDUCIBLE
from isoflop.laws.schedule_curve import ScheduleCurve, split_by_curve

MEMORY = 128
"""Steps of the annealing area summed at once."""


@dataclass(frozen=True)
class AnnealingLaw(AbstractLaw):
    """L(s) = L0 + A·S1^-alpha - C·S2, S2 = Σ_(i≤s) Σ_(k≤i) (eta_(k-1) - eta_k)·lam^(i-k).

    S2 goes on growing while no weight moves, so the published law predicts a fall of the loss
    from steps at a rate of zero; here such steps change nothing. It also promises a lower loss
    for any higher rate: see `isoflop.laws.schedule_checks`.

    Args:
        curves: the schedules, in the order of the column `curve`, numbered from 1; where there
            is but one, the law reads `steps` alone.

    >>> law = AnnealingLaw((ScheduleCurve("staircase", [1.0, 1.0, 0.5, 0.5]),))
    >>> law.predict(np.array([1.0, 2.0, 1.0, 0.1, 0.9]), {"steps": np.array([1.0, 3.0])})
    array([2.        , 1.57166667])
    """

    curves: tuple[ScheduleCurve, ...]

    name: ClassVar[str] = "annealing"
    source: ClassVar[str] = "Tissue et al. 2024, scaling law with learning-rate annealing"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("L0", "nats", *IRREDUCIBLE, scale="linear"),
        Parameter("A", "nats·rate^alpha", *COEFFICIENT),
        Parameter("alpha", "", *EXPONENT),
        Parameter("C", "nats/rate", *COEFFICIENT),
        Parameter("lam", "", 0.0, 0.999999, scale="linear"),
    )
    linear: ClassVar[tuple[str, ...]] = ("L0", "A", "C")

    def __post_init__(self) -> None:
        if not self.curves:
            raise InputError(f"{self.name} needs a schedule")

    @property
    def form(self) -> str:
        """The formula."""
        place = "steps" if len(self.curves) == 1 else "steps of curve"
        return f"L0 + A*S1({place})**-alpha - C*S2({place}; lam)"

    @property
    def variables(self) -> tuple[str, ...]:
        """The columns it reads."""
        return ("steps",) if len(self.curves) == 1 else ("curve", "steps")

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the loss, (..., n)."""
        L0, A, alpha, C = (theta[..., k, None] for k in range(4))
        S1, S2, _ = self._areas(theta[..., 4], variables)
        return L0 + A * np.exp(-alpha * np.log(S1)) - C * S2

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n, 5)."""
        _, A, alpha, C = (theta[..., k, None] for k in range(4))
        S1, S2, by_lam = self._areas(theta[..., 4], variables)
        decay = np.exp(-alpha * np.log(S1))
        columns = [np.ones_like(decay), decay, -A * np.log(S1) * decay, -S2, -C * by_lam]
        return np.stack(columns, axis=-1)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw the exponent and the forgetting, solve for the coefficients."""
        alpha = rng.uniform(0.2, 1.0, n_starts)
        lam = 1 - np.exp(rng.uniform(np.log(1e-4), np.log(0.1), n_starts))
        S1, S2, _ = self._areas(lam, variables)
        decay = np.exp(-alpha[:, None] * np.log(S1))
        basis = np.stack([np.ones_like(decay), decay, -S2], axis=-1)
        L0, A, C = np.moveaxis(solve_coefficients(basis, loss), -1, 0)
        return clip_to_bounds(self, np.stack([L0, A, alpha, C, lam], axis=-1))

    def derive(self, theta: Array) -> dict[str, Array]:
        """Steps after which a fall of the rate has brought all but 1/e of its gain."""
        return {"memory_steps": -1 / np.log(theta[..., 4])}

    def _areas(self, lam: Array, variables: Variables) -> tuple[Array, Array, Array]:
        """S1 (n,), S2 and its derivative by lam (..., n)."""
        flat = np.reshape(lam, -1)
        S1 = np.zeros(len(variables["steps"]))
        areas = np.zeros((2, len(flat), len(S1)), dtype=flat.dtype)
        for curve, rows, steps in split_by_curve(self.curves, variables):
            moved = curve.trained_until[steps]
            S1[rows] = curve.rate_sums[moved]
            for b, forgetting in enumerate(flat):
                for order, area in enumerate(annealing_area(curve, forgetting)):
                    areas[order, b, rows] = area[moved]
        if not (S1 > 0).all():
            raise InputError("the learning rates before a measured step sum to zero; leave it out")
        S2, by_lam = areas.reshape(2, *np.shape(lam), len(S1))
        return S1, S2, by_lam


def annealing_area(curve: ScheduleCurve, lam: float | np.complex128) -> tuple[Array, Array]:
    """Return S2 of every step and its derivative by lam, (n_steps,) each.

    m_i = lam·m_(i-1) + eta_(i-1) - eta_i and S2 = Σ m_i, in one pass.

    >>> annealing_area(ScheduleCurve("drop", [1.0, 0.5, 0.5]), 0.9)[0]
    array([0.  , 0.5 , 0.95])
    """
    falls = np.concatenate([[0.0], -np.diff(curve.lr)])
    momentum = _remember(falls, lam)
    by_lam = _remember(np.concatenate([[0.0], momentum[:-1]]), lam)
    return np.cumsum(momentum), np.cumsum(by_lam)


def _remember(source: Array, lam: float | np.complex128) -> Array:
    """Solve y_i = lam·y_(i-1) + source_i, (n,), some hundred steps at a time."""
    powers = lam ** np.arange(MEMORY + 1)
    lags = np.subtract.outer(np.arange(MEMORY), np.arange(MEMORY))
    kernel = np.where(lags >= 0, powers[np.abs(lags)], 0.0)
    padded = np.zeros(-(-len(source) // MEMORY) * MEMORY, dtype=source.dtype)
    padded[: len(source)] = source
    y = padded.reshape(-1, MEMORY) @ kernel.T
    for before, here in itertools.pairwise(y):
        here += before[-1] * powers[1:]
    return y.ravel()[: len(source)]
