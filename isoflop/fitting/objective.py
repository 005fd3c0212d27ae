"""What a fit minimises: the sum over runs of a loss function of the residuals.

A sum, never a mean: with Huber's delta of 1e-3 the mean is so small that quasi-Newton solvers
stop at once (Besiroglu et al. 2024).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from isoflop.base.errors import InputError

Array = NDArray[np.float64]
LossKind = Literal["robust", "huber", "squared"]
Scale = Literal["log", "linear", "log1p"]
SCALES: tuple[Scale, ...] = ("log", "linear", "log1p")
LOSSES: tuple[LossKind, ...] = ("robust", "huber", "squared")

HUBER_DELTA = 1e-3
"""Huber's threshold on log loss; Hoffmann et al. 2022."""


@dataclass(frozen=True)
class Objective:
    """Robust, Huber or squared loss of residuals r = log(predicted) − log(measured).

    On a linear scale r = predicted − measured, for amounts that may be negative or whose noise
    does not grow with them. On log1p r = log(1 + predicted) − log(1 + measured), as Caballero et
    al. 2022 fit: relative for large amounts, absolute for small ones.

    Robust (Tukey's biweight): delta²/6·(1 − (1 − (r/delta)²)³) for |r| ≤ delta, delta²/6 beyond,
    so that a run further off than delta has no say at all; Huber: r²/2 for |r| ≤ delta,
    delta·(|r| − delta/2) beyond; squared: r²/2.

    Args:
        kind: `robust`, `huber` or `squared`.
        delta: threshold in units of the residual. Huber's is 1e-3 unless given. Robust without
            one takes 4.685 robust standard deviations of the residuals, measured by the fit
            (see `isoflop.fitting.solve.robust`), and the fit then says which.
        scale: `log`, `linear` or `log1p`, of the residuals.

    >>> Objective("huber", 1e-3).value(np.array([0.0, 1e-3, 2e-3]))
    array([0.0e+00, 5.0e-07, 1.5e-06])
    >>> Objective("robust", 1.0).value(np.array([0.0, 1.0, 100.0])).round(4)
    array([0.    , 0.1667, 0.1667])
    """

    kind: LossKind = "robust"
    delta: float | None = None
    scale: Scale = "log"

    def __post_init__(self) -> None:
        require_loss(self.kind)
        require_scale(self.scale)
        if self.delta is None and self.kind != "robust":
            object.__setattr__(self, "delta", HUBER_DELTA)
        if self.delta is not None and not 0 < self.delta < np.inf:
            raise InputError(f"delta must be positive and finite, found {self.delta}")

    @property
    def measured(self) -> bool:
        """Whether the threshold is still to be measured from the residuals."""
        return self.delta is None

    @property
    def threshold(self) -> float:
        """Residual beyond which the loss is no longer least squares' or Tukey's."""
        return np.inf if self.kind == "squared" or self.delta is None else self.delta

    def enter(self, response: Array) -> Array:
        """Put a response on the residuals' scale, same shape.

        >>> Objective(scale="log1p").enter(np.array([0.0, np.e - 1]))
        array([0., 1.])
        """
        if self.scale == "linear":
            return response
        return np.log(response) if self.scale == "log" else np.log1p(response)

    def unit(self, response: Array) -> Array | float:
        """What a residual of one is worth there in the response: dy/dr, same shape or 1."""
        if self.scale == "linear":
            return 1.0
        return response if self.scale == "log" else 1.0 + response

    def shift(self, response: Array, residuals: Array) -> Array:
        """Move a response by residuals, same shape: the inverse of `enter`'s difference."""
        if self.scale == "linear":
            return response + residuals
        if self.scale == "log":
            return response * np.exp(residuals)
        return (1.0 + response) * np.exp(residuals) - 1.0

    def value(self, residuals: Array) -> Array:
        """Loss of each residual, same shape."""
        if self.threshold == np.inf:
            return 0.5 * residuals * residuals
        delta = self.threshold
        size = np.abs(residuals)
        inside = np.minimum(size, delta)
        if self.kind == "huber":
            return 0.5 * inside * inside + delta * (size - inside)
        share = (inside / delta) ** 2
        # 1 − (1 − u)³ = u·(3 − 3u + u²), which keeps its digits where u is tiny.
        loss = delta**2 / 6 * share * (3 - 3 * share + share**2)
        return np.where(np.isfinite(size), loss, np.inf)  # an overflow is no outlier

    def slope_over_residual(self, residuals: Array) -> Array:
        """Loss'(r)/r: the weights of reweighted least squares, which only ever descend."""
        if self.threshold == np.inf:
            return np.ones_like(residuals)
        delta = self.threshold
        if self.kind == "huber":
            return delta / np.maximum(np.abs(residuals), delta)
        return (1 - np.minimum((residuals / delta) ** 2, 1.0)) ** 2

    def curvature(self, residuals: Array) -> Array:
        """Loss''(r): the weights of Newton's method, which converge fast."""
        inside = np.abs(residuals) <= self.threshold
        if self.kind != "robust" or self.threshold == np.inf:
            return inside.astype(np.float64)
        share = (residuals / self.threshold) ** 2
        return np.where(inside, (1 - share) * (1 - 5 * share), 0.0)


def require_scale(name: str) -> Scale:
    """Check the name of a scale of residuals."""
    for scale in SCALES:
        if scale == name:
            return scale
    raise InputError(f"scale must be log, linear or log1p, found {name!r}")


def require_loss(name: str) -> LossKind:
    """Check the name of a loss."""
    for kind in LOSSES:
        if kind == name:
            return kind
    raise InputError(f"loss must be robust, huber or squared, found {name!r}")
