"""The annealing law: the loss curve from the sum of the rates and the momentum of their fall.

Legend: s step, eta_k learning rate of step k, S1(s) sum of the rates up to s, S2(s) annealing
area, lam how slowly a fall of the rate is forgotten, L loss.
"""

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
from isoflop.laws.schedules.curve import ScheduleCurve, Steps, split_by_curve

STRIDE = 128
"""Steps whose falls are summed at once."""


@dataclass(frozen=True)
class AnnealingLaw(AbstractLaw):
    """L(s) = L0 + A·S1^-alpha - C·S2, S2 = Σ_(i≤s) Σ_(k≤i) (eta_(k-1) - eta_k)·lam^(i-k).

    S2 goes on growing while no weight moves, so the published law predicts a fall of the loss
    from steps at a rate of zero; here such steps change nothing. It also promises a lower loss
    for rates scaled up without end: see `isoflop.laws.schedules.checks`.

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
        S1, (S2, _) = self._areas(theta[..., 4], variables)
        return L0 + A * np.exp(-alpha * np.log(S1)) - C * S2

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n, 5)."""
        _, A, alpha, C = (theta[..., k, None] for k in range(4))
        S1, (S2, by_lam) = self._areas(theta[..., 4], variables)
        decay = np.exp(-alpha * np.log(S1))
        columns = [np.ones_like(decay), decay, -A * np.log(S1) * decay, -S2, -C * by_lam]
        return np.stack(columns, axis=-1)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw the exponent and the forgetting, solve for the coefficients."""
        alpha = rng.uniform(0.2, 1.0, n_starts)
        lam = 1 - np.exp(rng.uniform(np.log(1e-4), np.log(0.1), n_starts))
        S1, (S2, _) = self._areas(lam, variables)
        decay = np.exp(-alpha[:, None] * np.log(S1))
        basis = np.stack([np.ones_like(decay), decay, -S2], axis=-1)
        L0, A, C = np.moveaxis(solve_coefficients(basis, loss), -1, 0)
        return clip_to_bounds(self, np.stack([L0, A, alpha, C, lam], axis=-1))

    def derive(self, theta: Array) -> dict[str, Array]:
        """Steps after which a fall of the rate has brought all but 1/e of its gain."""
        return {"memory_steps": -1 / np.log(theta[..., 4])}

    def _areas(self, lam: Array, variables: Variables) -> tuple[Array, Array]:
        """S1 (n,) and S2 with its derivative by lam, (2, ..., n)."""
        flat = np.reshape(lam, -1)
        S1 = np.zeros(len(variables["steps"]))
        S2 = np.zeros((2, len(flat), len(S1)), dtype=flat.dtype)
        for curve, rows, steps in split_by_curve(self.curves, variables):
            moved = curve.trained_until[steps]
            S1[rows] = curve.rate_sums[moved]
            S2[..., rows] = annealing_area(curve, flat, moved)
        if not (S1 > 0).all():
            raise InputError("the learning rates before a measured step sum to zero; leave it out")
        return S1, S2.reshape(2, *np.shape(lam), len(S1))


def annealing_area(curve: ScheduleCurve, lam: Array, steps: Steps) -> Array:
    """Return S2 at some steps and its derivative by lam.

    With g_k the drop before step k and m_s = Σ_(k≤s) g_k·lam^(s-k), the momentum of the fall,
    S2(s) = Σ_(i≤s) m_i = (Σ_(k≤s) g_k - lam·m_s)/(1 - lam).

    Args:
        curve: the schedule.
        lam: (n_lam,) float or complex, below 1.
        steps: (n,) int.

    Returns:
        (2, n_lam, n).

    >>> drop = ScheduleCurve("drop", np.array([1.0, 0.5, 0.5]))
    >>> annealing_area(drop, np.array([0.9]), np.array([0, 1, 2]))[0].round(12)
    array([[0.  , 0.5 , 0.95]])
    """
    wanted, back = np.unique(steps, return_inverse=True)
    places = np.unique(np.concatenate([wanted, np.arange(0, wanted[-1], STRIDE)]))
    m, by_lam = (part[:, np.searchsorted(places, wanted)] for part in _momentum(curve, lam, places))
    fallen, rest = curve.lr[0] - curve.lr[wanted], 1 - lam[:, None]
    S2 = (fallen - lam[:, None] * m) / rest
    return np.stack([S2, (S2 - m - lam[:, None] * by_lam) / rest])[..., back]


def _momentum(curve: ScheduleCurve, lam: Array, places: Steps) -> tuple[Array, Array]:
    """Momentum m at steps that rise by `STRIDE` or less, its derivative by lam, (n_lam, n)."""
    gaps = np.diff(places, prepend=-1)
    lags = np.arange(STRIDE)
    falls = -np.diff(curve.lr, prepend=curve.lr[0])
    recent = np.where(lags < gaps[:, None], falls[np.maximum(places[:, None] - lags, 0)], 0.0)
    powers = lam[:, None] ** np.arange(STRIDE + 1)
    slopes = np.arange(STRIDE + 1) * np.roll(powers, 1, axis=1)  # n·lam^(n-1), 0 at n = 0
    m, by_lam = powers[:, :-1] @ recent.T, slopes[:, :-1] @ recent.T
    for j, gap in enumerate(gaps[1:], start=1):
        kept = powers[:, gap]
        by_lam[:, j] += kept * by_lam[:, j - 1] + slopes[:, gap] * m[:, j - 1]
        m[:, j] += kept * m[:, j - 1]
    return m, by_lam
