"""Kaplan's joint laws: parameters with tokens, parameters with steps.

Legend: N non-embedding parameters, D tokens, S optimiser steps (S_min when adjusted to batch
sizes far above critical), L loss; N_c, D_c, S_c scales, alpha_N, alpha_D, alpha_S exponents.
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
    take_log,
)
from isoflop.laws.power import EXPONENT, IRREDUCIBLE

SCALE = (1e-6, 1e40)


@dataclass(frozen=True)
class KaplanTokensLaw(AbstractLaw):
    """L(N, D) = [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D.

    >>> law = KaplanTokensLaw()
    >>> theta = np.array([0.076, 0.103, 6.4e13, 1.8e13])
    >>> law.predict(theta, {"n_params": np.array([1e9]), "n_tokens": np.array([2.2e10])}).round(2)
    array([2.37])
    """

    name: ClassVar[str] = "kaplan-nd"
    source: ClassVar[str] = "Kaplan et al. 2020, eq. 1.5"
    falls_with: ClassVar[Literal["all"]] = "all"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("alpha_N", "", *EXPONENT),
        Parameter("alpha_D", "", *EXPONENT),
        Parameter("N_c", "parameters", *SCALE),
        Parameter("D_c", "tokens", *SCALE),
    )

    @property
    def form(self) -> str:
        """The formula."""
        return "((N_c/n_params)**(alpha_N/alpha_D) + D_c/n_tokens)**alpha_D"

    @property
    def variables(self) -> tuple[str, ...]:
        """The columns it reads."""
        return ("n_params", "n_tokens")

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the loss, (..., n_runs)."""
        return _coupled(theta, variables)[0]

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 4)."""
        return _coupled(theta, variables)[1]

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw exponents and each term's share of the loss at the centre of the design."""
        return clip_to_bounds(self, _coupled_starts(variables, loss, n_starts, rng))

    def derive(self, theta: Array) -> dict[str, Array]:
        """Optimum under C = 6ND, and p of D ∝ N^p that holds the overfitting penalty (eq. 4.3)."""
        return _coupled_optimum(theta)


@dataclass(frozen=True)
class KaplanTokensConstantLaw(AbstractLaw):
    """L(N, D) = E + [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D.

    Kaplan's coupled form with an irreducible loss; the best joint form of small ladders.
    """

    name: ClassVar[str] = "kaplan-nd-constant"
    source: ClassVar[str] = "Kaplan et al. 2020, eq. 1.5, plus a constant"
    falls_with: ClassVar[Literal["all"]] = "all"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("E", "nats", *IRREDUCIBLE, scale="linear"),
        *KaplanTokensLaw.parameters,
    )
    linear: ClassVar[tuple[str, ...]] = ("E",)

    @property
    def form(self) -> str:
        """The formula."""
        return "E + ((N_c/n_params)**(alpha_N/alpha_D) + D_c/n_tokens)**alpha_D"

    @property
    def variables(self) -> tuple[str, ...]:
        """The columns it reads."""
        return ("n_params", "n_tokens")

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the loss, (..., n_runs)."""
        return theta[..., 0, None] + _coupled(theta[..., 1:], variables)[0]

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 5)."""
        coupled = _coupled(theta[..., 1:], variables)[1]
        return np.concatenate([np.ones_like(coupled[..., :1]), coupled], axis=-1)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw an irreducible share below the lowest loss, then the coupled form's starts."""
        E = loss.min() * rng.uniform(0.05, 0.98, n_starts)
        rest = [
            _coupled_starts(variables, loss - irreducible, 1, rng, exponents=(0.05, 1.5))
            for irreducible in E
        ]
        return clip_to_bounds(self, np.column_stack([E, np.concatenate(rest)]))

    def derive(self, theta: Array) -> dict[str, Array]:
        """Optimum under C = 6ND, and p of D ∝ N^p that holds the overfitting penalty."""
        return _coupled_optimum(theta[..., 1:])


@dataclass(frozen=True)
class KaplanStepsLaw(AbstractLaw):
    """L(N, S_min) = (N_c/N)^alpha_N + (S_c/S_min)^alpha_S.

    >>> law = KaplanStepsLaw()
    >>> theta = np.array([0.077, 0.76, 6.5e13, 2.1e3])
    >>> law.predict(theta, {"n_params": np.array([1e9]), "steps": np.array([1e5])}).round(2)
    array([2.4])
    """

    name: ClassVar[str] = "kaplan-ns"
    source: ClassVar[str] = "Kaplan et al. 2020, eq. 1.6 and 5.6"
    falls_with: ClassVar[Literal["all"]] = "all"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("alpha_N", "", *EXPONENT),
        Parameter("alpha_S", "", *EXPONENT),
        Parameter("N_c", "parameters", *SCALE),
        Parameter("S_c", "steps", *SCALE),
    )

    @property
    def form(self) -> str:
        """The formula."""
        return "(N_c/n_params)**alpha_N + (S_c/steps)**alpha_S"

    @property
    def variables(self) -> tuple[str, ...]:
        """The columns it reads."""
        return ("n_params", "steps")

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the loss, (..., n_runs)."""
        by_N, by_S, _, _ = _separate(theta, variables)
        return by_N + by_S

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 4)."""
        alpha_N, alpha_S, N_c, S_c = (theta[..., k, None] for k in range(4))
        by_N, by_S, log_N, log_S = _separate(theta, variables)
        columns = [by_N * log_N, by_S * log_S, by_N * alpha_N / N_c, by_S * alpha_S / S_c]
        return np.stack(columns, axis=-1)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw exponents and each term's share of the loss at the centre of the design."""
        alpha_N = np.exp(rng.uniform(np.log(0.02), np.log(1.0), n_starts))
        alpha_S = np.exp(rng.uniform(np.log(0.05), np.log(1.5), n_starts))
        share = rng.uniform(0.1, 0.9, n_starts)
        centre = np.exp(take_log(loss).mean())
        N_0, S_0 = (np.exp(take_log(variables[name]).mean()) for name in self.variables)
        N_c = N_0 * (share * centre) ** (1 / alpha_N)
        S_c = S_0 * ((1 - share) * centre) ** (1 / alpha_S)
        return clip_to_bounds(self, np.stack([alpha_N, alpha_S, N_c, S_c], axis=-1))

    def derive(self, theta: Array) -> dict[str, Array]:
        """Fraction above the converged loss at which compute-optimal training stops (B.2)."""
        return {"optimal_stop": theta[..., 0] / theta[..., 1]}


def _coupled(theta: Array, variables: Variables) -> tuple[Array, Array]:
    """Value (..., n) and gradient (..., n, 4) of [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D.

    In logs, for (N_c/N)^(alpha_N/alpha_D) exceeds every float where alpha_D is small.
    """
    alpha_N, alpha_D, N_c, D_c = (theta[..., k, None] for k in range(4))
    log_N = np.log(N_c) - take_log(variables["n_params"])
    log_by_N = alpha_N / alpha_D * log_N
    log_by_D = np.log(D_c) - take_log(variables["n_tokens"])
    larger = np.maximum(log_by_N, log_by_D)  # logaddexp takes no complex step
    log_inner = larger + np.log(np.exp(log_by_N - larger) + np.exp(log_by_D - larger))
    value = np.exp(alpha_D * log_inner)
    share_N, share_D = np.exp(log_by_N - log_inner), np.exp(log_by_D - log_inner)
    gradient = [
        value * share_N * log_N,
        value * (log_inner - share_N * log_by_N),
        value * share_N * alpha_N / N_c,
        value * share_D * alpha_D / D_c,
    ]
    return value, np.stack(gradient, axis=-1)


def _coupled_optimum(theta: Array) -> dict[str, Array]:
    """a, b and G of N* = G·(C/6)^a, D* = (C/6)^b/G, and the overfitting exponent.

    With r = alpha_N/alpha_D the inner sum is (N_c/N)^r + 6·D_c·N/C; its derivative vanishes at
    N^(1+r) = r·N_c^r/D_c · C/6.
    """
    alpha_N, alpha_D, N_c, D_c = np.moveaxis(theta, -1, 0)
    r = alpha_N / alpha_D
    log_G = (np.log(r) + r * np.log(N_c) - np.log(D_c)) / (1 + r)
    return {"a": 1 / (1 + r), "b": r / (1 + r), "G": np.exp(log_G), "overfit_exponent": r}


def _coupled_starts(
    variables: Variables,
    loss: Array,
    n_starts: int,
    rng: np.random.Generator,
    *,
    exponents: tuple[float, float] = (0.02, 1.0),
) -> Array:
    low, high = np.log(exponents[0]), np.log(exponents[1])
    alpha_N, alpha_D = np.exp(rng.uniform(low, high, (2, n_starts)))
    share = rng.uniform(0.1, 0.9, n_starts)
    inner = np.exp(take_log(loss).mean() / alpha_D)
    N_0 = np.exp(take_log(variables["n_params"]).mean())
    D_0 = np.exp(take_log(variables["n_tokens"]).mean())
    N_c = N_0 * (share * inner) ** (alpha_D / alpha_N)
    return np.stack([alpha_N, alpha_D, N_c, D_0 * (1 - share) * inner], axis=-1)


def _separate(theta: Array, variables: Variables) -> tuple[Array, Array, Array, Array]:
    """Both terms of L(N, S) and the logs of N_c/N and S_c/S, each (..., n)."""
    alpha_N, alpha_S, N_c, S_c = (theta[..., k, None] for k in range(4))
    log_N = np.log(N_c) - take_log(variables["n_params"])
    log_S = np.log(S_c) - take_log(variables["steps"])
    return np.exp(alpha_N * log_N), np.exp(alpha_S * log_S), log_N, log_S
