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


@dataclass(frozen=True)
class Objective:
    """Huber or squared loss of residuals r = log(predicted) − log(measured).

    On a linear scale r = predicted − measured, for amounts that may be negative or whose noise
    does not grow with them.

    Huber: r²/2 for |r| ≤ delta, delta·(|r| − delta/2) beyond. Squared: r²/2.

    Args:
        kind: `huber` or `squared`.
        delta: Huber's threshold, in units of the residual; Hoffmann 2022 uses 1e-3 on log loss.
        scale: `log` or `linear`, of the residuals.

    >>> Objective("huber", 1e-3).value(np.array([0.0, 1e-3, 2e-3]))
    array([0.0e+00, 5.0e-07, 1.5e-06])
    """

    kind: Literal["huber", "squared"] = "huber"
    delta: float = 1e-3
    scale: Literal["log", "linear"] = "log"

    def __post_init__(self) -> None:
        if self.kind not in ("huber", "squared"):
            raise InputError(f"loss must be huber or squared, found {self.kind!r}")
        if self.scale not in ("log", "linear"):
            raise InputError(f"scale must be log or linear, found {self.scale!r}")
        if not 0 < self.delta < np.inf:
            raise InputError(f"delta must be positive and finite, found {self.delta}")

    @property
    def threshold(self) -> float:
        """Largest residual treated as quadratic."""
        return self.delta if self.kind == "huber" else np.inf

    def value(self, residuals: Array) -> Array:
        """Loss of each residual, same shape."""
        if self.kind == "squared":
            return 0.5 * residuals * residuals
        size = np.abs(residuals)
        inside = np.minimum(size, self.delta)
        return 0.5 * inside * inside + self.delta * (size - inside)

    def slope_over_residual(self, residuals: Array) -> Array:
        """Loss'(r)/r: the weights of reweighted least squares, which only ever descend."""
        if self.kind == "squared":
            return np.ones_like(residuals)
        return self.delta / np.maximum(np.abs(residuals), self.delta)

    def curvature(self, residuals: Array) -> Array:
        """Loss''(r): the weights of Newton's method, which converge fast."""
        return (np.abs(residuals) <= self.threshold).astype(np.float64)
