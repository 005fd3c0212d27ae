"""Routed models: what many experts are worth, and experts cut finer.

Legend: N parameters one token passes through (dense count), E experts a routed layer, Ê the
experts that count after saturation at both ends, G granularity, D tokens, L loss.
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

LN10 = np.log(10.0)
SLOPE = (-5.0, 5.0)
EXPERTS = (1e-2, 1e9)


@dataclass(frozen=True)
class RoutedLaw(AbstractLaw):
    """log10 L = a·log10 N + b·log10 Ê + c·log10 N·log10 Ê + d, logarithms to base 10.

    1/Ê = 1/(E - 1 + 1/(1/E_start - 1/E_max)) + 1/E_max: Ê = E_start at one expert, so a dense
    model is the law's E = 1, and Ê = E_max for ever more of them.

    >>> law = RoutedLaw()
    >>> s_base = np.array([-0.082, -0.108, 0.009, 1.104, 1.847, 314.478])
    >>> runs = {"n_params": np.array([1.3e9, 1.3e9]), "n_experts": np.array([1.0, 128.0])}
    >>> law.predict(s_base, runs).round(2)
    array([2.24, 2.02])
    """

    name: ClassVar[str] = "routed"
    source: ClassVar[str] = "Clark et al. 2022, eq. 1 with the saturation of E"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("a", "", *SLOPE, scale="linear"),
        Parameter("b", "", *SLOPE, scale="linear"),
        Parameter("c", "", *SLOPE, scale="linear"),
        Parameter("d", "log10 nats", -50.0, 50.0, scale="linear"),
        Parameter("E_start", "experts", *EXPERTS),
        Parameter("E_max", "experts", *EXPERTS),
    )

    @property
    def form(self) -> str:
        """The formula."""
        return (
            "10**(a*log10(n_params) + b*log10(Ê) + c*log10(n_params)*log10(Ê) + d), "
            "Ê = saturated(n_experts; E_start, E_max)"
        )

    @property
    def variables(self) -> tuple[str, ...]:
        """The columns it reads."""
        return ("n_params", "n_experts")

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the loss, (..., n_runs)."""
        a, b, c, d, E_start, E_max = (theta[..., k, None] for k in range(6))
        log_N = take_log(variables["n_params"]) / LN10
        log_E = np.log(saturate(variables["n_experts"], E_start, E_max)) / LN10
        return np.exp(LN10 * (a * log_N + b * log_E + c * log_N * log_E + d))

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 6)."""
        _, b, c, _, E_start, E_max = (theta[..., k, None] for k in range(6))
        log_N = take_log(variables["n_params"]) / LN10
        E_hat = saturate(variables["n_experts"], E_start, E_max)
        log_E = np.log(E_hat) / LN10
        # With u = 1/(1/E_start - 1/E_max) and v = E - 1 + u, 1/Ê = 1/v + 1/E_max.
        u = 1 / (1 / E_start - 1 / E_max)
        share = (u / (variables["n_experts"] - 1 + u)) ** 2
        by_log_E = (b + c * log_N) * E_hat
        columns = [
            log_N + 0 * log_E,
            log_E,
            log_N * log_E,
            np.ones_like(log_E),
            by_log_E * share / E_start**2 / LN10,
            by_log_E * (1 - share) / E_max**2 / LN10,
        ]
        loss = self.predict(theta, variables)
        return LN10 * loss[..., None] * np.stack(columns, axis=-1)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw where experts begin and cease to count, solve for the rest."""
        most = float(np.max(variables["n_experts"]))
        E_start = np.exp(rng.uniform(np.log(1.05), np.log(6.0), n_starts))
        E_max = most * np.exp(rng.uniform(np.log(0.5), np.log(20.0), n_starts)) + 2 * E_start
        log_N = take_log(variables["n_params"]) / LN10
        log_E = np.log(saturate(variables["n_experts"], E_start[:, None], E_max[:, None])) / LN10
        log_N = np.broadcast_to(log_N, log_E.shape)
        basis = np.stack([log_N, log_E, log_N * log_E, np.ones_like(log_E)], axis=-1)
        solved = np.stack([np.linalg.lstsq(rows, np.log10(loss), rcond=None)[0] for rows in basis])
        return clip_to_bounds(self, np.column_stack([solved, E_start, E_max]))

    def derive(self, theta: Array) -> dict[str, Array]:
        """Exponent of a dense model, and N beyond which further experts no longer help."""
        a, b, c, _, E_start, _ = np.moveaxis(theta, -1, 0)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            cutoff = 10.0 ** (-b / c)
        return {"alpha_dense": -(a + c * np.log10(E_start)), "N_cutoff": cutoff}


@dataclass(frozen=True)
class GranularityLaw(AbstractLaw):
    """L = c + (g/G^gamma + a)/N^alpha + b/D^beta, experts 1/G the width of a dense layer.

    >>> law = GranularityLaw()
    >>> theta = np.array([0.47, 2.1, 0.58, 18.1, 0.115, 30.8, 0.147])
    >>> runs = {"n_params": np.full(2, 1e9), "n_tokens": np.full(2, 2e10)}
    >>> law.predict(theta, {**runs, "granularity": np.array([1.0, 16.0])}).round(2)
    array([3.28, 3.12])
    """

    name: ClassVar[str] = "granularity"
    source: ClassVar[str] = "Krajewski et al. 2024, scaling of fine-grained experts"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("c", "nats", *IRREDUCIBLE, scale="linear"),
        Parameter("g", "nats", *COEFFICIENT),
        Parameter("gamma", "", *EXPONENT),
        Parameter("a", "nats", *COEFFICIENT),
        Parameter("alpha", "", *EXPONENT),
        Parameter("b", "nats", *COEFFICIENT),
        Parameter("beta", "", *EXPONENT),
    )
    linear: ClassVar[tuple[str, ...]] = ("c", "g", "a", "b")
    falls_with: ClassVar[tuple[str, ...]] = ("n_params", "n_tokens", "granularity")

    @property
    def form(self) -> str:
        """The formula."""
        return "c + (g/granularity**gamma + a)/n_params**alpha + b/n_tokens**beta"

    @property
    def variables(self) -> tuple[str, ...]:
        """The columns it reads."""
        return ("n_params", "n_tokens", "granularity")

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the loss, (..., n_runs)."""
        c, g, gamma, a, alpha, b, beta = (theta[..., k, None] for k in range(7))
        by_G, by_N, by_D = _decays(variables, gamma, alpha, beta)
        return c + (g * by_G + a) * by_N + b * by_D

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 7)."""
        _, g, gamma, a, alpha, b, beta = (theta[..., k, None] for k in range(7))
        by_G, by_N, by_D = _decays(variables, gamma, alpha, beta)
        log_G, log_N, log_D = (
            take_log(variables[name]) for name in ("granularity", "n_params", "n_tokens")
        )
        columns = [
            np.ones_like(by_N * by_G * by_D),
            by_G * by_N,
            -g * log_G * by_G * by_N,
            by_N,
            -log_N * (g * by_G + a) * by_N,
            by_D,
            -b * log_D * by_D,
        ]
        return np.stack(np.broadcast_arrays(*columns), axis=-1)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw exponents, solve for the coefficients they are linear in."""
        exponents = np.exp(rng.uniform(np.log(0.05), np.log(1.2), (n_starts, 3)))
        gamma, alpha, beta = (exponents[:, k, None] for k in range(3))
        by_G, by_N, by_D = _decays(variables, gamma, alpha, beta)
        basis = np.stack([np.ones_like(by_N), by_G * by_N, by_N, by_D], axis=-1)
        c, g, a, b = np.moveaxis(solve_coefficients(basis, loss), -1, 0)
        columns = [c, g, gamma[:, 0], a, alpha[:, 0], b, beta[:, 0]]
        return clip_to_bounds(self, np.stack(columns, axis=-1))

    def derive(self, theta: Array) -> dict[str, Array]:
        """Exponents a, b of N_opt ∝ C^a, D_opt ∝ C^b at a fixed granularity, for C ∝ ND."""
        alpha, beta = theta[..., 4], theta[..., 6]
        return {"a_opt": beta / (alpha + beta), "b_opt": alpha / (alpha + beta)}


def saturate(n_experts: Array, E_start: Array, E_max: Array) -> Array:
    """Return Ê, the experts that count.

    Args:
        n_experts: (...) float, E; 1 for a dense model.
        E_start: (...) float, Ê at one expert.
        E_max: (...) float, Ê at ever more experts.

    >>> saturate(np.array([1.0, 64.0, 1e9]), np.array(2.0), np.array(300.0)).round(1)
    array([  2. ,  53.4, 300. ])
    """
    return 1 / (1 / (n_experts - 1 + 1 / (1 / E_start - 1 / E_max)) + 1 / E_max)


def effective_params(theta: Array, n_params: Array, n_experts: Array) -> Array:
    """Return N̄, the dense model of the same loss.

    N̄ = N^(alpha(Ê)/alpha(E_start))·(Ê/E_start)^(b/alpha(E_start)), alpha(e) = a + c·log10 e.

    Args:
        theta: (6,) constants of `RoutedLaw`.
        n_params: (n_runs,) float, dense count N.
        n_experts: (n_runs,) float, E.

    Returns:
        (n_runs,) float, parameters.

    >>> s_base = np.array([-0.082, -0.108, 0.009, 1.104, 1.847, 314.478])
    >>> print(f"{effective_params(s_base, np.array([5e6]), np.array([128.0]))[0]:.1e}")
    5.2e+07
    """
    a, b, c, _, E_start, E_max = theta
    E_hat = saturate(n_experts, E_start, E_max)
    dense = a + c * np.log10(E_start)
    here = a + c * np.log10(E_hat)
    return n_params ** (here / dense) * (E_hat / E_start) ** (b / dense)


def _decays(
    variables: Variables, gamma: Array, alpha: Array, beta: Array
) -> tuple[Array, Array, Array]:
    """G^-gamma, N^-alpha and D^-beta, (..., n_runs) each."""
    return (
        np.exp(-gamma * take_log(variables["granularity"])),
        np.exp(-alpha * take_log(variables["n_params"])),
        np.exp(-beta * take_log(variables["n_tokens"])),
    )
