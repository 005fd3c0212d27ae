"""Hyper-parameters that grow: the peak learning rate and the batch a run should have.

Legend: N parameters, D tokens, eta peak learning rate, B tokens a step; k prefactor, p and q
exponents, negative where the amount falls.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from isoflop.laws.growth import POWER, PREFACTOR
from isoflop.laws.law import AbstractLaw, Array, Parameter, Variables, clip_to_bounds, take_log


@dataclass(frozen=True)
class LearningRateLaw(AbstractLaw):
    """eta = k·N^p·D^q.

    >>> law = LearningRateLaw()
    >>> runs = {"n_params": np.array([1e9]), "n_tokens": np.array([2e10])}
    >>> law.predict(np.array([1.79, -0.713, 0.307]), runs).round(5).tolist()
    [0.001]
    """

    name: ClassVar[str] = "learning-rate"
    source: ClassVar[str] = "Li et al. 2025 (Step law), learning rate"
    response: ClassVar[str] = "lr"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("k", "", *PREFACTOR),
        Parameter("p", "", *POWER, scale="linear"),
        Parameter("q", "", *POWER, scale="linear"),
    )
    linear: ClassVar[tuple[str, ...]] = ("k",)

    @property
    def form(self) -> str:
        """The formula."""
        return "k*n_params**p*n_tokens**q"

    @property
    def variables(self) -> tuple[str, ...]:
        """The columns it reads."""
        return ("n_params", "n_tokens")

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the peak learning rate, (..., n_runs)."""
        return _product(theta, variables, self.variables)

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 3)."""
        return _slopes(theta, variables, self.variables)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Solve in logs, where the law is linear, and draw around; `loss` is the rate."""
        return clip_to_bounds(self, _starts(variables, loss, self.variables, n_starts, rng))

    def derive(self, theta: Array) -> dict[str, Array]:
        """Factors by which the rate changes when N, or D, grows tenfold."""
        return {"per_decade_N": 10.0 ** theta[..., 1], "per_decade_D": 10.0 ** theta[..., 2]}


@dataclass(frozen=True)
class BatchLaw(AbstractLaw):
    """B = k·D^q.

    >>> law = BatchLaw()
    >>> law.predict(np.array([0.58, 0.571]), {"n_tokens": np.array([2e10])}).round(-4)
    array([440000.])
    """

    name: ClassVar[str] = "batch-size"
    source: ClassVar[str] = "Li et al. 2025 (Step law), batch size"
    response: ClassVar[str] = "batch_tokens"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("k", "tokens", *PREFACTOR),
        Parameter("q", "", *POWER, scale="linear"),
    )
    linear: ClassVar[tuple[str, ...]] = ("k",)

    @property
    def form(self) -> str:
        """The formula."""
        return "k*n_tokens**q"

    @property
    def variables(self) -> tuple[str, ...]:
        """The column it reads."""
        return ("n_tokens",)

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the tokens a step, (..., n_runs)."""
        return _product(theta, variables, self.variables)

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 2)."""
        return _slopes(theta, variables, self.variables)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Solve in logs, where the law is linear, and draw around; `loss` is the batch."""
        return clip_to_bounds(self, _starts(variables, loss, self.variables, n_starts, rng))

    def derive(self, theta: Array) -> dict[str, Array]:
        """Factor by which the batch grows when D grows tenfold."""
        return {"per_decade_D": 10.0 ** theta[..., 1]}


def _product(theta: Array, variables: Variables, names: tuple[str, ...]) -> Array:
    """k·Π x^p, (..., n_runs)."""
    powers = (theta[..., k, None] * take_log(variables[x]) for k, x in enumerate(names, start=1))
    return theta[..., 0, None] * np.exp(sum(powers))


def _slopes(theta: Array, variables: Variables, names: tuple[str, ...]) -> Array:
    """Gradient of k·Π x^p, (..., n_runs, 1 + n_names)."""
    amount = _product(theta, variables, names)
    by_powers = [amount * take_log(variables[x]) for x in names]
    return np.stack([amount / theta[..., 0, None], *by_powers], axis=-1)


def _starts(
    variables: Variables,
    amount: Array,
    names: tuple[str, ...],
    n_starts: int,
    rng: np.random.Generator,
) -> Array:
    logs = np.stack([take_log(variables[x]) for x in names], axis=-1)
    basis = np.column_stack([np.ones(len(amount)), logs])
    solved = np.linalg.lstsq(basis, take_log(amount), rcond=None)[0]
    theta = np.tile(solved, (n_starts, 1)).astype(np.float64)
    theta[1:, 1:] += rng.normal(0.0, 0.1, (n_starts - 1, len(names)))
    # The prefactor follows the exponents, so that every start passes through the middle.
    theta[:, 0] = np.exp(np.mean(take_log(amount) - theta[:, 1:] @ logs.T, axis=1))
    return theta
