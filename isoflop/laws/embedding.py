"""Embedding-aware Chinchilla: one surface, seen in non-embedding parameters.

Legend: N parameters without embeddings, N_T = N + gamma·N^(1/3) with them, D tokens,
C = 6ND FLOPs counted without embeddings, L loss. It turns Chinchilla's exponent .51 into .78 at
Kaplan's sizes, which is how Pearce & Song explain Kaplan's .73.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

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

EMBEDDING = (1e-3, 1e9)


@dataclass(frozen=True)
class EmbeddingLaw(AbstractLaw):
    """L = E + A/(N + gamma·N^(1/3))^alpha + B/D^beta, N without embeddings.

    >>> law = EmbeddingLaw()
    >>> theta = np.array([1.8172, 482.01, 2085.43, 0.3478, 0.3658, 47491.0])
    >>> runs = {"n_params_non_embedding": np.array([1e6, 1e9]), "n_tokens": np.full(2, 2e10)}
    >>> law.predict(theta, runs).round(3)
    array([4.321, 2.524])
    """

    name: ClassVar[str] = "embedding"
    source: ClassVar[str] = "Pearce & Song 2024, N_T = N + gamma·N^(1/3) in Hoffmann's eq. 10"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("E", "nats", *IRREDUCIBLE, scale="linear"),
        Parameter("A", "nats", *COEFFICIENT),
        Parameter("B", "nats", *COEFFICIENT),
        Parameter("alpha", "", *EXPONENT),
        Parameter("beta", "", *EXPONENT),
        Parameter("gamma", "parameters^(2/3)", *EMBEDDING),
    )
    linear: ClassVar[tuple[str, ...]] = ("E", "A", "B")
    falls_with: ClassVar[tuple[str, ...]] = ("n_params_non_embedding", "n_tokens")

    @property
    def form(self) -> str:
        """The formula."""
        return (
            "E + A/(n_params_non_embedding + gamma*n_params_non_embedding**(1/3))**alpha "
            "+ B/n_tokens**beta"
        )

    @property
    def variables(self) -> tuple[str, ...]:
        """The columns it reads."""
        return ("n_params_non_embedding", "n_tokens")

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the loss, (..., n_runs)."""
        E, A, B, alpha, beta, gamma = (theta[..., k, None] for k in range(6))
        N_T = total_params(variables["n_params_non_embedding"], gamma)
        log_D = take_log(variables["n_tokens"])
        return E + A * np.exp(-alpha * np.log(N_T)) + B * np.exp(-beta * log_D)

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 6)."""
        _, A, B, alpha, beta, gamma = (theta[..., k, None] for k in range(6))
        N = variables["n_params_non_embedding"]
        N_T, log_D = total_params(N, gamma), take_log(variables["n_tokens"])
        log_N = np.log(N_T)
        by_N, by_D = np.exp(-alpha * log_N), np.exp(-beta * log_D)
        columns = [
            np.ones_like(by_N),
            by_N,
            by_D,
            -A * log_N * by_N,
            -B * log_D * by_D,
            -alpha * A * by_N / N_T * np.cbrt(N),
        ]
        return np.stack(np.broadcast_arrays(*columns), axis=-1)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw exponents and embeddings near the sizes at hand, solve for the coefficients."""
        N = np.asarray(variables["n_params_non_embedding"], dtype=np.float64)
        exponents = np.exp(rng.uniform(np.log(0.05), np.log(1.2), (n_starts, 2)))
        # gamma·N^(1/3) between a hundredth of the largest model and ten of the smallest.
        low, high = np.log(0.01 * N.max() ** (2 / 3)), np.log(10 * N.min() ** (2 / 3))
        gamma = np.exp(rng.uniform(min(low, high), max(low, high), n_starts))
        by_N = np.exp(-exponents[:, :1] * np.log(total_params(N, gamma[:, None])))
        by_D = np.exp(-exponents[:, 1:] * take_log(variables["n_tokens"]))
        basis = np.stack([np.ones_like(by_N), by_N, by_D], axis=-1)
        coefficients = solve_coefficients(basis, loss)
        return clip_to_bounds(self, np.column_stack([coefficients, exponents, gamma]))

    def derive(self, theta: Array) -> dict[str, Array]:
        """Exponents of N_opt ∝ C^a where embeddings are everything, and where they are nothing."""
        alpha, beta = theta[..., 3], theta[..., 4]
        return {"a_small": beta / (alpha / 3 + beta), "a_large": beta / (alpha + beta)}


def total_params(n_params: Array, gamma: Array) -> Array:
    """Return N_T = N + gamma·N^(1/3).

    Args:
        n_params: (...) float, without embeddings.
        gamma: (...) float; V·(aspect ratio/12)^(1/3), 47491 over Chinchilla's models.

    >>> total_params(np.array([1e6, 1e9]), np.array(47491.0))
    array([5.749100e+06, 1.047491e+09])
    """
    return n_params + gamma * np.cbrt(n_params)


def optimal_flops(theta: Array, n_params: Array) -> Array:
    """Return the budget, in non-embedding FLOPs, for which a size is optimal.

    C = 6N·(N + gamma/3·N^(1/3))^(-1/beta)·N_T^((1 + alpha)/beta)·(beta·B/alpha·A)^(1/beta).

    Args:
        theta: (..., 6) constants of `EmbeddingLaw`.
        n_params: (...) float, N without embeddings.

    >>> theta = np.array([1.8172, 482.01, 2085.43, 0.3478, 0.3658, 47491.0])
    >>> print(f"{optimal_flops(theta, np.array(1.5e9)):.2g}")
    3.3e+20
    """
    _, A, B, alpha, beta, gamma = np.moveaxis(np.asarray(theta, dtype=np.float64), -1, 0)
    log_ratio = np.log(beta * B / (alpha * A))
    log_inner = np.log(n_params + gamma / 3 * np.cbrt(n_params))
    log_T = np.log(total_params(n_params, gamma))
    return 6 * n_params * np.exp((log_ratio - log_inner + (1 + alpha) * log_T) / beta)


def local_exponent(theta: Array, n_params: Array) -> Array:
    """Return d log N_opt/d log C at a size, what a power law fitted there would find.

    Args:
        theta: (..., 6) constants of `EmbeddingLaw`.
        n_params: (...) float, N without embeddings.

    >>> theta = np.array([1.8172, 482.01, 2085.43, 0.3478, 0.3658, 47491.0])
    >>> local_exponent(theta, np.array([1e3, 1e7, 1e13])).round(2)
    array([0.76, 0.85, 0.51])
    """
    _, _, _, alpha, beta, gamma = np.moveaxis(np.asarray(theta, dtype=np.float64), -1, 0)
    root = np.cbrt(n_params) ** 2
    inner = (root + gamma / 9) / (root + gamma / 3)
    total = (root + gamma / 3) / (root + gamma)
    return 1 / (1 - inner / beta + (1 + alpha) / beta * total)
