"""Precision: what low-precision weights, activations and caches cost, in training and after.

Legend: N parameters, D tokens, L loss; P_w, P_a, P_kv, P_post bits; N_eff the full-precision
parameters that N are worth, gamma_x bits after which a part has lost all but 1/e of its defect.
"""

from collections.abc import Sequence
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

BITS = (1e-2, 1e2)
FULL_BITS = 16.0
"""Bits a weight at which N·D counts in full: C = 6·N·D·P/16."""


@dataclass(frozen=True)
class PrecisionLaw(AbstractLaw):
    """L = E + A/N_eff^alpha + B/D^beta, N_eff = N·(1 - e^(-P_w/gamma_w))·(… a)·(… kv).

    >>> law = PrecisionLaw()
    >>> theta = np.array([1.7, 400.0, 1500.0, 0.34, 0.36, 2.7, 2.0, 1.0])
    >>> runs = {"n_params": np.full(2, 1e9), "n_tokens": np.full(2, 2e10)}
    >>> bits = {"bits_activations": np.full(2, 16.0), "bits_kv": np.full(2, 16.0)}
    >>> law.predict(theta, {**runs, **bits, "bits_weights": np.array([4.0, 16.0])}).round(3)
    array([2.374, 2.342])
    """

    name: ClassVar[str] = "precision"
    source: ClassVar[str] = "Kumar et al. 2024, effective parameters of low-precision training"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("E", "nats", *IRREDUCIBLE, scale="linear"),
        Parameter("A", "nats", *COEFFICIENT),
        Parameter("B", "nats", *COEFFICIENT),
        Parameter("alpha", "", *EXPONENT),
        Parameter("beta", "", *EXPONENT),
        Parameter("gamma_w", "bits", *BITS),
        Parameter("gamma_a", "bits", *BITS),
        Parameter("gamma_kv", "bits", *BITS),
    )
    linear: ClassVar[tuple[str, ...]] = ("E", "A", "B")
    falls_with: ClassVar[tuple[str, ...]] = (
        "n_params", "n_tokens", "bits_weights", "bits_activations", "bits_kv")  # fmt: skip

    @property
    def form(self) -> str:
        """The formula."""
        return (
            "E + A/N_eff**alpha + B/n_tokens**beta, N_eff = n_params"
            "*(1 - exp(-bits_weights/gamma_w))*(1 - exp(-bits_activations/gamma_a))"
            "*(1 - exp(-bits_kv/gamma_kv))"
        )

    @property
    def variables(self) -> tuple[str, ...]:
        """The columns it reads."""
        return ("n_params", "n_tokens", *PARTS)

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the loss, (..., n_runs)."""
        return _predict(theta, variables, PARTS)

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 8)."""
        return _gradient(theta, variables, PARTS)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw exponents and sensitivities, solve for the coefficients."""
        return clip_to_bounds(self, _starts(variables, loss, n_starts, rng, PARTS))

    def derive(self, theta: Array) -> dict[str, Array]:
        """Exponents a, b of the optimum, and P_star, the one precision best at fixed compute."""
        return _derive(theta)


@dataclass(frozen=True)
class WeightPrecisionLaw(AbstractLaw):
    """L = E + A/N_eff^alpha + B/D^beta, N_eff = N·(1 - e^(-P_w/gamma_w)); weights alone are cut.

    >>> law = WeightPrecisionLaw()
    >>> theta = np.array([1.7, 400.0, 1500.0, 0.34, 0.36, 2.7])
    >>> runs = {"n_params": np.full(2, 1e9), "n_tokens": np.full(2, 2e10)}
    >>> law.predict(theta, {**runs, "bits_weights": np.array([4.0, 16.0])}).round(3)
    array([2.374, 2.342])
    """

    name: ClassVar[str] = "precision-weights"
    source: ClassVar[str] = "Kumar et al. 2024, effective parameters, weights only"
    parameters: ClassVar[tuple[Parameter, ...]] = PrecisionLaw.parameters[:6]
    linear: ClassVar[tuple[str, ...]] = ("E", "A", "B")
    falls_with: ClassVar[tuple[str, ...]] = ("n_params", "n_tokens", "bits_weights")

    @property
    def form(self) -> str:
        """The formula."""
        return "E + A/(n_params*(1 - exp(-bits_weights/gamma_w)))**alpha + B/n_tokens**beta"

    @property
    def variables(self) -> tuple[str, ...]:
        """The columns it reads."""
        return ("n_params", "n_tokens", *PARTS[:1])

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the loss, (..., n_runs)."""
        return _predict(theta, variables, PARTS[:1])

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 6)."""
        return _gradient(theta, variables, PARTS[:1])

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw exponents and the sensitivity, solve for the coefficients."""
        return clip_to_bounds(self, _starts(variables, loss, n_starts, rng, PARTS[:1]))

    def derive(self, theta: Array) -> dict[str, Array]:
        """Exponents a, b of the optimum, and P_star, the precision best at fixed compute."""
        return _derive(theta)


PARTS = ("bits_weights", "bits_activations", "bits_kv")


def retained_share(bits: Array, gamma: Array) -> Array:
    """Return N_eff/N of one part, 1 - e^(-P/gamma).

    Args:
        bits: (...) float, P.
        gamma: (...) float, bits.

    >>> retained_share(np.array([3.0, 4.0, 8.0]), np.array(2.6745)).round(3)
    array([0.674, 0.776, 0.95 ])
    """
    return -np.expm1(-bits / gamma)


def best_precision(gammas: Array) -> Array:
    """Return P*, the one precision of all parts that wastes the least compute.

    At a fixed N·P, N_eff is largest where the sum over parts of u_x/(e^(u_x) - 1) is one,
    u_x = P/gamma_x. With three equal parts u = 1.9038, whatever N, D and the exponents.

    Args:
        gammas: (..., n_parts) float, bits.

    Returns:
        (...) float, bits; 0 for a single part, where fewer bits and more parameters always win.

    >>> print(best_precision(np.array([2.0, 2.0, 2.0])).round(4))
    3.8076
    """
    gammas = np.asarray(gammas, dtype=np.float64)
    low, high = np.zeros(gammas.shape[:-1]), 50.0 * gammas.max(axis=-1)
    for _ in range(200):
        middle = 0.5 * (low + high)
        u = middle[..., None] / gammas
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            gain = np.where(u > 0, u / np.expm1(u), 1.0).sum(axis=-1)
        low, high = np.where(gain > 1, middle, low), np.where(gain > 1, high, middle)
    return 0.5 * (low + high)


def precision_flops(n_params: Array, n_tokens: Array, bits: Array) -> Array:
    """Return Kumar's cost of training at a precision, C = (6/16)·N·D·P.

    Args:
        n_params: (...) float.
        n_tokens: (...) float.
        bits: (...) float, P, of weights, activations and caches alike.

    >>> print(f"{precision_flops(np.array(1e9), np.array(2e10), np.array(8.0)):.1e}")
    6.0e+19
    """
    return 6 / FULL_BITS * n_params * n_tokens * bits


def _useful(theta: Array, variables: Variables, parts: Sequence[str]) -> Array:
    """Log N_eff, (..., n_runs)."""
    log_N = take_log(variables["n_params"])
    for k, part in enumerate(parts, start=5):
        log_N = log_N + np.log(retained_share(variables[part], theta[..., k, None]))
    return log_N


def _predict(theta: Array, variables: Variables, parts: Sequence[str]) -> Array:
    E, A, B, alpha, beta = (theta[..., k, None] for k in range(5))
    by_N = np.exp(-alpha * _useful(theta, variables, parts))
    return E + A * by_N + B * np.exp(-beta * take_log(variables["n_tokens"]))


def _gradient(theta: Array, variables: Variables, parts: Sequence[str]) -> Array:
    _, A, B, alpha, beta = (theta[..., k, None] for k in range(5))
    log_N, log_D = _useful(theta, variables, parts), take_log(variables["n_tokens"])
    by_N, by_D = np.exp(-alpha * log_N), np.exp(-beta * log_D)
    columns = [np.ones_like(by_N), by_N, by_D, -A * log_N * by_N, -B * log_D * by_D]
    for k, part in enumerate(parts, start=5):
        u, gamma = variables[part] / theta[..., k, None], theta[..., k, None]
        # ∂ log(1 - e^-u)/∂ gamma = -u/gamma/(e^u - 1).
        columns.append(alpha * A * by_N * u / gamma / np.expm1(u))
    return np.stack(columns, axis=-1)


def _starts(
    variables: Variables,
    loss: Array,
    n_starts: int,
    rng: np.random.Generator,
    parts: Sequence[str],
) -> Array:
    exponents = np.exp(rng.uniform(np.log(0.05), np.log(1.2), (n_starts, 2)))
    gammas = np.exp(rng.uniform(np.log(0.5), np.log(6.0), (n_starts, len(parts))))
    theta = np.concatenate([np.ones((n_starts, 3)), exponents, gammas], axis=1)
    by_N = np.exp(-exponents[:, :1] * _useful(theta, variables, parts))
    by_D = np.exp(-exponents[:, 1:] * take_log(variables["n_tokens"]))
    basis = np.stack([np.ones_like(by_N), by_N, by_D], axis=-1)
    return np.concatenate([solve_coefficients(basis, loss), theta[:, 3:]], axis=1)


def _derive(theta: Array) -> dict[str, Array]:
    alpha, beta = theta[..., 3], theta[..., 4]
    P_star = best_precision(theta[..., 5:])
    return {"a": beta / (alpha + beta), "b": alpha / (alpha + beta), "P_star": P_star}
