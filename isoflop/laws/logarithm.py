"""The logarithm: no power law, and fitted to lose against them.

Legend: L loss, x one of N, D, C; a the loss at x = 1, b nats per e-fold of x.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from isoflop.laws.law import AbstractLaw, Array, Parameter, Variables, clip_to_bounds, take_log


@dataclass(frozen=True)
class LogarithmLaw(AbstractLaw):
    """L = a - b·ln x.

    Kaplan et al. 2020 (Figure 23) fit it beside a power law, which is better. Beyond `x_zero` it
    predicts a loss at or below zero, which is what is wrong with it and is not hidden: on the
    runs fitted its logarithm must exist, far from them the number is given as it is.

    Args:
        variable: the column x is read from.

    >>> law = LogarithmLaw("n_params")
    >>> law.predict(np.array([10.0, 0.4]), {"n_params": np.exp([10.0, 20.0, 30.0])})
    array([ 6.,  2., -2.])
    """

    variable: str = "flops"

    name: ClassVar[str] = "logarithm"
    source: ClassVar[str] = "Kaplan et al. 2020, Figure 23"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("a", "nats", -1e6, 1e6, scale="linear"),
        Parameter("b", "nats", -1e5, 1e5, scale="linear"),
    )
    linear: ClassVar[tuple[str, ...]] = ("a", "b")

    @property
    def form(self) -> str:
        """The formula."""
        return f"a - b*log({self.variable})"

    @property
    def variables(self) -> tuple[str, ...]:
        """The one column."""
        return (self.variable,)

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the loss, (..., n_runs)."""
        return theta[..., 0, None] - theta[..., 1, None] * take_log(variables[self.variable])

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 2)."""
        log_x = take_log(variables[self.variable])
        columns = np.stack([np.ones_like(log_x), -log_x], axis=-1)
        return np.broadcast_to(columns, (*theta.shape[:-1], *columns.shape)).copy()

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw lines between positive losses at both ends, where their logarithm exists."""
        log_x = take_log(variables[self.variable])
        first, last = int(np.argmin(log_x)), int(np.argmax(log_x))
        ends = np.abs(loss[[first, last]]) * np.exp(rng.uniform(-0.3, 0.3, (n_starts, 2)))
        b = (ends[:, 0] - ends[:, 1]) / (log_x[last] - log_x[first])
        return clip_to_bounds(self, np.stack([ends[:, 0] + b * log_x[first], b], axis=-1))

    def derive(self, theta: Array) -> dict[str, Array]:
        """The scale x_zero = exp(a/b) from which it promises a loss of zero."""
        return {"x_zero": np.exp(theta[..., 0] / theta[..., 1])}
