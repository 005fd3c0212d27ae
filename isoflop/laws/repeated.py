"""Data read more than once: what further epochs, and further parameters, are still worth.

Legend: N parameters, D tokens processed, U distinct tokens at hand, L loss; U_D = min(U, D)
distinct tokens seen, U_N = min(N, N_opt) the size that U_D tokens would train compute-optimally;
R_D = D/U_D - 1 repeats, R_N = N/U_N - 1 excess size; R_D_star, R_N_star how soon they decay;
D', N' the fresh tokens and useful parameters they are worth.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

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

HALF_LIFE = (1e-2, 1e6)
"""Bounds of R_D_star and R_N_star; 1e6 says that repeats cost nothing within the data."""


@dataclass(frozen=True)
class RepeatedLaw(AbstractLaw):
    """L = E + A/N'^alpha + B/D'^beta, D' = U_D + U_D·R_D_star·(1 - exp(-R_D/R_D_star)).

    N' follows likewise from U_N, R_N and R_N_star, where N_opt = G·(G·U_D)^(beta/alpha) and
    G = (alpha·A / beta·B)^(1/(alpha + beta)).

    >>> law = RepeatedLaw()
    >>> theta = np.array([1.87, 521.0, 1488.0, 0.35266, 0.35266, 15.39, 5.31])
    >>> four_epochs = {
    ...     "n_params": np.array([1e9]),
    ...     "n_tokens": np.array([8e10]),
    ...     "n_tokens_unique": np.array([2e10]),
    ... }
    >>> law.predict(theta, four_epochs).round(3)
    array([2.437])
    """

    name: ClassVar[str] = "repeated"
    source: ClassVar[str] = "Muennighoff et al. 2023, data-constrained scaling"
    falls_with: ClassVar[Literal["all"]] = "all"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("E", "nats", *IRREDUCIBLE, scale="linear"),
        Parameter("A", "nats", *COEFFICIENT),
        Parameter("B", "nats", *COEFFICIENT),
        Parameter("alpha", "", *EXPONENT),
        Parameter("beta", "", *EXPONENT),
        Parameter("R_D_star", "epochs", *HALF_LIFE),
        Parameter("R_N_star", "", *HALF_LIFE),
    )

    @property
    def form(self) -> str:
        """The formula."""
        return "E + A/worth(n_params)**alpha + B/worth(n_tokens, n_tokens_unique)**beta"

    @property
    def variables(self) -> tuple[str, ...]:
        """The columns it reads."""
        return ("n_params", "n_tokens", "n_tokens_unique")

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the loss, (..., n_runs); the branch of each min() goes by real parts."""
        E, A, B, alpha, beta, R_D_star, R_N_star = (theta[..., k, None] for k in range(7))
        U_D, R_D = _repeats(variables)
        U_N, R_N, _ = _excess(theta, variables)
        by_N = A * (U_N * worth_of_repeats(R_N, R_N_star)) ** -alpha
        return E + by_N + B * (U_D * worth_of_repeats(R_D, R_D_star)) ** -beta

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate by the chain rule, (..., n_runs, 7)."""
        _, A, B, alpha, beta, R_D_star, R_N_star = (theta[..., k, None] for k in range(7))
        U_D, R_D = _repeats(variables)
        U_N, R_N, is_excess = _excess(theta, variables)
        useful_N = U_N * worth_of_repeats(R_N, R_N_star)
        useful_D = U_D * worth_of_repeats(R_D, R_D_star)
        unit_N, unit_D = useful_N**-alpha, useful_D**-beta
        slope_N = -alpha * A * unit_N / useful_N  # ∂L/∂N'
        slope_D = -beta * B * unit_D / useful_D  # ∂L/∂D'
        # N' depends on A, B, alpha, beta only where N exceeds N_opt: U_N = N_opt(A, B, …).
        fade = np.exp(-R_N / R_N_star)
        through = np.where(is_excess, slope_N * (useful_N - fade * (R_N + 1) * U_N), 0.0)
        share, log_U = np.log(alpha * A / (beta * B)), np.log(U_D)
        columns = [
            np.ones_like(slope_N * slope_D),
            unit_N + through / (alpha * A),
            unit_D - through / (alpha * B),
            -A * unit_N * np.log(useful_N) + through * (1 - share - beta * log_U) / alpha**2,
            -B * unit_D * np.log(useful_D) + through * (log_U - 1 / beta) / alpha,
            slope_D * U_D * _worth_slope(R_D, R_D_star),
            slope_N * U_N * _worth_slope(R_N, R_N_star),
        ]
        return np.stack(np.broadcast_arrays(*columns), axis=-1)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw exponents and decays, solve for the coefficients as if no parameter were idle."""
        exponents = np.exp(rng.uniform(np.log(0.05), np.log(1.2), (n_starts, 2)))
        decays = np.exp(rng.uniform(np.log(1.0), np.log(100.0), (n_starts, 2)))
        U_D, R_D = _repeats(variables)
        useful_D = U_D * worth_of_repeats(R_D, decays[:, :1])
        by_N = np.exp(-exponents[:, :1] * take_log(variables["n_params"]))
        by_D = np.exp(-exponents[:, 1:] * take_log(useful_D))
        basis = np.stack([np.ones_like(by_N), by_N, by_D], axis=-1)
        coefficients = solve_coefficients(basis, loss)
        return clip_to_bounds(self, np.concatenate([coefficients, exponents, decays], axis=-1))

    def derive(self, theta: Array) -> dict[str, Array]:
        """Exponents a, b of N_opt ∝ C^a, D_opt ∝ C^b on fresh data, and the worth of U forever."""
        alpha, beta = theta[..., 3], theta[..., 4]
        return {
            "a": beta / (alpha + beta),
            "b": alpha / (alpha + beta),
            "worth_limit": 1 + theta[..., 5],
        }


def worth_of_repeats(repeats: Array, decay: Array) -> Array:
    """Return D'/U_D, the fresh epochs that one epoch and `repeats` further ones are worth.

    D'/U_D = 1 + decay·(1 - exp(-repeats/decay)).

    Args:
        repeats: (...) float, epochs beyond the first.
        decay: (...) float, R_D_star; repeats after which a token is worth 1/e of a fresh one.

    Returns:
        (...) float, at least 1.

    >>> worth_of_repeats(np.array([0.0, 3.0]), np.array(15.387756)).round(2)
    array([1.  , 3.73])
    """
    return 1 - decay * np.expm1(-repeats / decay)


def _worth_slope(repeats: Array, decay: Array) -> Array:
    """Derivative of `worth_of_repeats` by its decay."""
    return -np.expm1(-repeats / decay) - repeats / decay * np.exp(-repeats / decay)


def _repeats(variables: Variables) -> tuple[Array, Array]:
    """U_D and R_D, (n_runs,) each."""
    D = np.asarray(variables["n_tokens"], dtype=np.float64)
    U_D = np.minimum(np.asarray(variables["n_tokens_unique"], dtype=np.float64), D)
    return U_D, D / U_D - 1


def _excess(theta: Array, variables: Variables) -> tuple[Array, Array, NDArray[np.bool_]]:
    """U_N and R_N, (..., n_runs) each, and whether N exceeds N_opt."""
    _, A, B, alpha, beta, _, _ = (theta[..., k, None] for k in range(7))
    N = np.asarray(variables["n_params"], dtype=np.float64)
    U_D, _ = _repeats(variables)
    # G·(G·U_D)^(beta/alpha) in logs, where (1 + beta/alpha)/(alpha + beta) = 1/alpha.
    log_N_opt = (np.log(alpha * A / (beta * B)) + beta * np.log(U_D)) / alpha
    N_opt = np.exp(log_N_opt)
    is_excess = np.real(N_opt) < N
    U_N = np.where(is_excess, N_opt, N)
    return U_N, N / U_N - 1, is_excess
