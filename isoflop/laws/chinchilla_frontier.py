"""The loss that a budget buys at its optimum: Chinchilla's frontier in compute.

Legend: C FLOPs, L lowest loss on C = 6ND, E irreducible loss, K and gamma of the reducible one;
on a Chinchilla surface gamma = alpha·beta/(alpha + beta), G = (alpha·A/beta·B)^(1/(alpha + beta)).
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.law import (
    AbstractLaw,
    Array,
    Parameter,
    Variables,
    clip_to_bounds,
    solve_coefficients,
    take_log,
)
from isoflop.laws.power import COEFFICIENT, EXPONENT, IRREDUCIBLE


@dataclass(frozen=True)
class ChinchillaFrontierLaw(AbstractLaw):
    """L = E + K·(C/6)^-gamma, of runs whose size was optimal for their compute.

    >>> law = ChinchillaFrontierLaw()
    >>> law.predict(np.array([1.8, 300.0, 0.15]), {"flops": np.array([6e20])}).round(3)
    array([2.1])
    """

    name: ClassVar[str] = "chinchilla-c"
    source: ClassVar[str] = "Hoffmann et al. 2022, eq. 4 put into eq. 10"
    falls_with: ClassVar[Literal["all"]] = "all"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("E", "nats", *IRREDUCIBLE, scale="linear"),
        Parameter("K", "nats", *COEFFICIENT),
        Parameter("gamma", "", *EXPONENT),
    )
    linear: ClassVar[tuple[str, ...]] = ("E", "K")

    @property
    def form(self) -> str:
        """The formula."""
        return "E + K/(flops/6)**gamma"

    @property
    def variables(self) -> tuple[str, ...]:
        """The column it reads."""
        return ("flops",)

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the loss, (..., n_runs)."""
        E, K, gamma = (theta[..., k, None] for k in range(3))
        return E + K * np.exp(-gamma * _log_sixth(variables))

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 3)."""
        log_sixth = _log_sixth(variables)
        decay = np.exp(-theta[..., 2, None] * log_sixth)
        columns = [np.ones_like(decay), decay, -theta[..., 1, None] * log_sixth * decay]
        return np.stack(columns, axis=-1)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw exponents, solve for the coefficients."""
        gamma = np.exp(rng.uniform(np.log(0.02), np.log(1.0), n_starts))
        decay = np.exp(-gamma[:, None] * _log_sixth(variables))
        basis = np.stack([np.ones_like(decay), decay], axis=-1)
        E, K = np.moveaxis(solve_coefficients(basis, loss), -1, 0)
        return clip_to_bounds(self, np.stack([E, K, gamma], axis=-1))

    def derive(self, theta: Array) -> dict[str, Array]:
        """Compute that halves the reducible loss, as a factor: 2^(1/gamma)."""
        return {"compute_to_halve": 2 ** (1 / theta[..., 2])}


def frontier_theta(theta: Array) -> Array:
    """Constants E, K, gamma of the frontier of a Chinchilla surface.

    K = A·G^-alpha + B·G^beta, gamma = alpha·beta/(alpha + beta).

    Args:
        theta: (..., 5) float, E, A, B, alpha, beta of `ChinchillaLaw`.

    Returns:
        (..., 3) float.

    >>> E, K, gamma = frontier_theta(np.array([1.8172, 482.01, 2085.43, 0.3478, 0.3658]))
    >>> print(f"{E:.2f} + {K:.0f}/(C/6)^{gamma:.3f}")
    1.82 + 1968/(C/6)^0.178
    """
    E, A, B, alpha, beta = np.moveaxis(theta, -1, 0)
    G = ChinchillaLaw().derive(theta)["G"]
    K = A * G**-alpha + B * G**beta
    return np.stack([E, K, alpha * beta / (alpha + beta)], axis=-1)


def _log_sixth(variables: Variables) -> Array:
    """Log of C/6, the product of parameters and tokens."""
    return take_log(variables["flops"]) - np.log(6.0)
