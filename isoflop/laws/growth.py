"""Rules of growth: what a budget, a loss or a size asks for.

Legend: y the amount asked for (parameters, tokens, steps, tokens a step), x what it grows with
(C in FLOPs, L in nats, N), k prefactor, p exponent, negative where y falls with x.
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

PREFACTOR = (1e-60, 1e60)
POWER = (-20.0, 20.0)


@dataclass(frozen=True)
class GrowthLaw(AbstractLaw):
    """y = k·x^p.

    Unlike the laws of loss it predicts an amount; `PublishedLaw.predicts` says which.

    Args:
        variable: the column x is read from.

    >>> rule = GrowthLaw("n_params")  # 20 tokens a parameter
    >>> rule.predict(np.array([20.0, 1.0]), {"n_params": np.array([1e9])})
    array([2.e+10])
    """

    variable: str = "flops"

    name: ClassVar[str] = "growth"
    source: ClassVar[str] = "Kaplan et al. 2020, Table 6; Henighan et al. 2020, Table 1"
    response: ClassVar[str] = "amount"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("k", "", *PREFACTOR),
        Parameter("p", "", *POWER, scale="linear"),
    )
    linear: ClassVar[tuple[str, ...]] = ("k",)

    @property
    def form(self) -> str:
        """The formula."""
        return f"k*{self.variable}**p"

    @property
    def variables(self) -> tuple[str, ...]:
        """The one column."""
        return (self.variable,)

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the amount, (..., n_runs)."""
        k, p = theta[..., 0, None], theta[..., 1, None]
        return k * np.exp(p * take_log(variables[self.variable]))

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 2)."""
        log_x = take_log(variables[self.variable])
        power = np.exp(theta[..., 1, None] * log_x)
        return np.stack([power, theta[..., 0, None] * log_x * power], axis=-1)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw exponents, solve for the prefactor; `loss` is the amount to be predicted."""
        p = rng.uniform(-1.5, 1.5, n_starts)
        log_x = take_log(variables[self.variable])
        # Centred, so that no power of 1e24 FLOPs meets the floor of the linear solver.
        basis = np.exp(p[:, None] * (log_x - log_x.mean()))[..., None]
        k = solve_coefficients(basis, loss)[:, 0] * np.exp(-p * log_x.mean())
        return clip_to_bounds(self, np.stack([k, p], axis=-1))

    def derive(self, theta: Array) -> dict[str, Array]:
        """Factor by which y grows when x grows tenfold."""
        return {"per_decade": 10.0 ** theta[..., 1]}
