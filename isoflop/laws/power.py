"""One variable: a power law, alone and with an irreducible constant.

Legend: L loss, x one of N, D, C; A coefficient, alpha exponent, E irreducible loss.
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

EXPONENT = (1e-3, 4.0)
"""Bounds of every decay exponent; the published ones lie between .03 and 2."""

COEFFICIENT = (1e-12, 1e30)
IRREDUCIBLE = (0.0, 1e4)


@dataclass(frozen=True)
class PowerLaw(AbstractLaw):
    """L = A / x^alpha.

    Args:
        variable: the column x is read from.

    >>> law = PowerLaw("n_params")
    >>> law.predict(np.array([10.0, 0.5]), {"n_params": np.array([4.0, 100.0])})
    array([5., 1.])
    """

    variable: str = "flops"

    name: ClassVar[str] = "power"
    source: ClassVar[str] = "Kaplan et al. 2020, eq. 1.1-1.3, with A = X_c^alpha"
    falls_with: ClassVar[Literal["all"]] = "all"

    @property
    def form(self) -> str:
        """The formula."""
        return f"A/{self.variable}**alpha"

    @property
    def variables(self) -> tuple[str, ...]:
        """The one column."""
        return (self.variable,)

    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("A", "nats", *COEFFICIENT),
        Parameter("alpha", "", *EXPONENT),
    )
    linear: ClassVar[tuple[str, ...]] = ("A",)

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the loss, (..., n_runs)."""
        A, alpha = theta[..., 0, None], theta[..., 1, None]
        return A * np.exp(-alpha * take_log(variables[self.variable]))

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 2)."""
        log_x = take_log(variables[self.variable])
        decay = np.exp(-theta[..., 1, None] * log_x)
        return stack_columns([decay, -theta[..., 0, None] * log_x * decay])

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw exponents, solve for the coefficient."""
        alpha = np.exp(rng.uniform(np.log(0.01), np.log(1.5), n_starts))
        basis = np.exp(-alpha[:, None] * take_log(variables[self.variable]))[..., None]
        A = solve_coefficients(basis, loss)
        return clip_to_bounds(self, np.stack([A[:, 0], alpha], axis=-1))

    def derive(self, theta: Array) -> dict[str, Array]:
        """Kaplan's scale x_c = A^(1/alpha), where the law predicts a loss of one."""
        return {"x_c": theta[..., 0] ** (1 / theta[..., 1])}


@dataclass(frozen=True)
class PowerConstantLaw(AbstractLaw):
    """L = E + A / x^alpha.

    Args:
        variable: the column x is read from.

    >>> law = PowerConstantLaw("n_params")
    >>> law.predict(np.array([2.0, 10.0, 0.5]), {"n_params": np.array([4.0, 100.0])})
    array([7., 3.])
    """

    variable: str = "flops"

    name: ClassVar[str] = "power-constant"
    source: ClassVar[str] = "Henighan et al. 2020, eq. 1.1, with A = x_0^alpha"
    falls_with: ClassVar[Literal["all"]] = "all"

    @property
    def form(self) -> str:
        """The formula."""
        return f"E + A/{self.variable}**alpha"

    @property
    def variables(self) -> tuple[str, ...]:
        """The one column."""
        return (self.variable,)

    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("E", "nats", *IRREDUCIBLE, scale="linear"),
        Parameter("A", "nats", *COEFFICIENT),
        Parameter("alpha", "", *EXPONENT),
    )
    linear: ClassVar[tuple[str, ...]] = ("E", "A")

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the loss, (..., n_runs)."""
        E, A, alpha = (theta[..., k, None] for k in range(3))
        return E + A * np.exp(-alpha * take_log(variables[self.variable]))

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 3)."""
        log_x = take_log(variables[self.variable])
        decay = np.exp(-theta[..., 2, None] * log_x)
        return stack_columns([np.ones_like(decay), decay, -theta[..., 1, None] * log_x * decay])

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw exponents, solve for the coefficients."""
        alpha = np.exp(rng.uniform(np.log(0.02), np.log(1.5), n_starts))
        decay = np.exp(-alpha[:, None] * take_log(variables[self.variable]))
        basis = np.stack([np.ones_like(decay), decay], axis=-1)
        E, A = np.moveaxis(solve_coefficients(basis, loss), -1, 0)
        return clip_to_bounds(self, np.stack([E, A, alpha], axis=-1))

    def derive(self, theta: Array) -> dict[str, Array]:
        """Henighan's scale x_0 = A^(1/alpha), where the reducible loss is one."""
        return {"x_0": theta[..., 1] ** (1 / theta[..., 2])}
