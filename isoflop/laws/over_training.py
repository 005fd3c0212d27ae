"""Over-training: a law in compute and tokens per parameter, with one exponent for both.

Legend: N parameters, D tokens, C = 6ND FLOPs, M = D/N tokens per parameter, L loss; E irreducible
loss, A and B the coefficients a and b of the paper, eta half the exponent of N and of D.
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
    take_log,
)
from isoflop.laws.power import COEFFICIENT, IRREDUCIBLE

ETA = (5e-4, 2.0)
"""Bounds of eta, half of those of other exponents."""


@dataclass(frozen=True)
class OverTrainingLaw(AbstractLaw):
    """L = E + (A·M^eta + B·M^-eta)·C^-eta with M = D/N and C = 6ND.

    Chinchilla's form with equal exponents alpha = beta = 2·eta, written so that over-training at
    constant M shifts the curve and never its slope.

    >>> law = OverTrainingLaw()
    >>> theta = np.array([1.8366, 212.24, 366.69, 0.13643])
    >>> runs = {"n_params": np.array([6.9e9]), "n_tokens": np.array([1.38e11])}
    >>> law.predict(theta, runs).round(2)
    array([2.44])
    """

    name: ClassVar[str] = "over-training"
    source: ClassVar[str] = "Gadre et al. 2024, loss of over-trained models"
    falls_with: ClassVar[Literal["all"]] = "all"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("E", "nats", *IRREDUCIBLE, scale="linear"),
        Parameter("A", "nats", *COEFFICIENT),
        Parameter("B", "nats", *COEFFICIENT),
        Parameter("eta", "", *ETA),
    )
    linear: ClassVar[tuple[str, ...]] = ("E", "A", "B")

    @property
    def form(self) -> str:
        """The formula, with (D/N)·6ND = 6D² and 6ND/(D/N) = 6N²."""
        return "E + A/(6*n_params**2)**eta + B/(6*n_tokens**2)**eta"

    @property
    def variables(self) -> tuple[str, ...]:
        """The columns it reads."""
        return ("n_params", "n_tokens")

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the loss, (..., n_runs)."""
        E, A, B, eta = (theta[..., k, None] for k in range(4))
        log_6NN, log_6DD = _log_squares(variables)
        return E + A * np.exp(-eta * log_6NN) + B * np.exp(-eta * log_6DD)

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 4)."""
        _, A, B, eta = (theta[..., k, None] for k in range(4))
        log_6NN, log_6DD = _log_squares(variables)
        by_A, by_B = np.exp(-eta * log_6NN), np.exp(-eta * log_6DD)
        by_eta = -A * log_6NN * by_A - B * log_6DD * by_B
        return np.stack([np.ones_like(by_A), by_A, by_B, by_eta], axis=-1)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw eta, solve for the coefficients."""
        eta = np.exp(rng.uniform(np.log(0.02), np.log(0.6), n_starts))
        by_N, by_D = (np.exp(-eta[:, None] * log) for log in _log_squares(variables))
        basis = np.stack([np.ones_like(by_N), by_N, by_D], axis=-1)
        coefficients = solve_coefficients(basis, loss)
        return clip_to_bounds(self, np.concatenate([coefficients, eta[:, None]], axis=-1))

    def derive(self, theta: Array) -> dict[str, Array]:
        """M_opt = (B/A)^(1/(2·eta)), a = b = 1/2 of N_opt ∝ C^a, and G = M_opt^-1/2."""
        _, A, B, eta = np.moveaxis(theta, -1, 0)
        log_M = (np.log(B) - np.log(A)) / (2 * eta)
        half = np.full_like(log_M, 0.5)
        return {"a": half, "b": half.copy(), "G": np.exp(-log_M / 2), "M_opt": np.exp(log_M)}


def _log_squares(variables: Variables) -> tuple[Array, Array]:
    """Logs of C/M = 6N² and C·M = 6D², (n_runs,) each."""
    log_6 = np.log(6.0)
    N, D = take_log(variables["n_params"]), take_log(variables["n_tokens"])
    return log_6 + 2 * N, log_6 + 2 * D
