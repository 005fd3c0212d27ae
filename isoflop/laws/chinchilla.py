"""The Chinchilla form: parameters and tokens add up.

Legend: N parameters, D tokens, C = 6ND FLOPs, L loss; E irreducible loss, A and B
coefficients, alpha and beta exponents, G = (alpha·A / beta·B)^(1/(alpha + beta)).
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from isoflop.laws.law import (
    AbstractLaw,
    Array,
    Parameter,
    Variables,
    clip_to_bounds,
    solve_coefficients,
    stack_columns,
    take_log,
)
from isoflop.laws.power import COEFFICIENT, EXPONENT, IRREDUCIBLE


@dataclass(frozen=True)
class ChinchillaLaw(AbstractLaw):
    """L = E + A/N^alpha + B/D^beta.

    >>> law = ChinchillaLaw()
    >>> theta = np.array([1.8172, 482.01, 2085.43, 0.3478, 0.3658])
    >>> runs = {"n_params": np.array([7e10]), "n_tokens": np.array([1.4e12])}
    >>> law.predict(theta, runs).round(3)
    array([1.974])
    """

    name: ClassVar[str] = "chinchilla"
    source: ClassVar[str] = "Hoffmann et al. 2022, eq. 10 (approach 3)"
    falls_with: ClassVar[Literal["all"]] = "all"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("E", "nats", *IRREDUCIBLE, scale="linear"),
        Parameter("A", "nats", *COEFFICIENT),
        Parameter("B", "nats", *COEFFICIENT),
        Parameter("alpha", "", *EXPONENT),
        Parameter("beta", "", *EXPONENT),
    )
    linear: ClassVar[tuple[str, ...]] = ("E", "A", "B")

    @property
    def form(self) -> str:
        """The formula."""
        return "E + A/n_params**alpha + B/n_tokens**beta"

    @property
    def variables(self) -> tuple[str, ...]:
        """The columns it reads."""
        return ("n_params", "n_tokens")

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the loss, (..., n_runs)."""
        E, A, B, alpha, beta = (theta[..., k, None] for k in range(5))
        log_N, log_D = take_log(variables["n_params"]), take_log(variables["n_tokens"])
        return E + A * np.exp(-alpha * log_N) + B * np.exp(-beta * log_D)

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 5)."""
        _, A, B, alpha, beta = (theta[..., k, None] for k in range(5))
        log_N, log_D = take_log(variables["n_params"]), take_log(variables["n_tokens"])
        by_A, by_B = np.exp(-alpha * log_N), np.exp(-beta * log_D)
        columns = [np.ones_like(by_A), by_A, by_B, -A * log_N * by_A, -B * log_D * by_B]
        return stack_columns(columns)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw exponents, solve for the coefficients they are linear in."""
        exponents = np.exp(rng.uniform(np.log(0.05), np.log(1.2), (n_starts, 2)))
        by_N = np.exp(-exponents[:, :1] * take_log(variables["n_params"]))
        by_D = np.exp(-exponents[:, 1:] * take_log(variables["n_tokens"]))
        basis = np.stack([np.ones_like(by_N), by_N, by_D], axis=-1)
        coefficients = solve_coefficients(basis, loss)
        return clip_to_bounds(self, np.concatenate([coefficients, exponents], axis=-1))

    def derive(self, theta: Array) -> dict[str, Array]:
        """Exponents a, b of N_opt ∝ C^a, D_opt ∝ C^b, and G, for C = 6ND."""
        _, A, B, alpha, beta = np.moveaxis(theta, -1, 0)
        total = alpha + beta
        return {
            "a": beta / total,
            "b": alpha / total,
            "G": np.exp(np.log(alpha * A / (beta * B)) / total),
        }
