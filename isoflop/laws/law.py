"""What a scaling law is: named parameters, a prediction and its exact derivatives.

Every law is final and subclasses `AbstractLaw`; nothing implemented is ever overridden.
Parameter vectors are batched: theta has shape (..., n_parameters), predictions (..., n_runs).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Variables = Mapping[str, Array]
"""{column name: (n_runs,) float}; what a law is evaluated on."""


@dataclass(frozen=True)
class Parameter:
    """One named constant of a law.

    Args:
        name: as it stands in the formula.
        unit: its unit, or "" for pure numbers.
        low: lower bound; a fit that ends here says so.
        high: upper bound.
        scale: coordinate the solver steps in; `log` keeps a positive constant positive.
    """

    name: str
    unit: str
    low: float
    high: float
    scale: Literal["log", "linear"] = "log"


@dataclass(frozen=True)
class AbstractLaw(ABC):
    """A family of laws loss = f(variables; parameters)."""

    name: ClassVar[str]
    """Name on the command line, kebab-case."""

    source: ClassVar[str]
    """Paper and equation it comes from."""

    parameters: ClassVar[tuple[Parameter, ...]]
    """Its constants, in the order of a parameter vector."""

    response: ClassVar[str] = "loss"
    """Run-table column it predicts."""

    residual_scale: ClassVar[Literal["log", "linear"]] = "log"
    """Scale on which the response is compared; `linear` where it may be zero or negative."""

    linear: ClassVar[tuple[str, ...]] = ()
    """Names of the constants in which the prediction is linear, which a solver may project out."""

    exchangeable: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Groups of constants that may swap places as wholes, such as the terms of a sum; a fit puts
    them in the order in which the first constant of each grows."""

    falls_with: ClassVar[tuple[str, ...] | Literal["all"]] = ()
    """Columns that never raise the prediction by growing, whatever the constants within bounds."""

    @property
    @abstractmethod
    def form(self) -> str:
        """The formula, in the notation of the docs."""

    @property
    @abstractmethod
    def variables(self) -> tuple[str, ...]:
        """Run-table columns it is a function of."""

    @abstractmethod
    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the loss.

        Args:
            theta: (..., n_parameters) float or complex, in the order of `parameters`.
            variables: {name: (n_runs,) float}.

        Returns:
            (..., n_runs) loss.
        """

    @abstractmethod
    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate the prediction by each parameter, exactly.

        Returns:
            (..., n_runs, n_parameters), ∂loss/∂parameter.
        """

    @abstractmethod
    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw starting points for a fit from the data's own scale.

        Args:
            variables: {name: (n_runs,) float}.
            loss: (n_runs,) float.
            n_starts: how many.
            rng: source of randomness.

        Returns:
            (n_starts, n_parameters), within bounds.
        """

    @abstractmethod
    def derive(self, theta: Array) -> dict[str, Array]:
        """Quantities that follow from the constants, such as the optimum's exponents.

        Returns:
            {name: (...)}.
        """

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the constants, in order."""
        return tuple(parameter.name for parameter in self.parameters)


def stack_columns(columns: Sequence[Array]) -> Array:
    """Gradient (..., n_runs, n_parameters) from its columns (..., n_runs).

    Each column stays contiguous in memory, which is how a solver reads them.
    """
    return np.swapaxes(np.stack(columns, axis=-2), -1, -2)


def take_log(array: Array) -> Array:
    """Natural log as a float array (..., n) for use in exponents."""
    return np.log(np.asarray(array, dtype=np.float64))


def clip_to_bounds(law: AbstractLaw, theta: Array) -> Array:
    """Bring parameter vectors (..., n_parameters) inside the law's bounds."""
    low = np.array([parameter.low for parameter in law.parameters])
    high = np.array([parameter.high for parameter in law.parameters])
    return np.clip(theta, low, high)


def solve_coefficients(basis: Array, loss: Array) -> Array:
    """Best non-negative-ish coefficients of a law linear in them, by relative least squares.

    Used for starting points only: negative solutions are replaced by a small share of the loss.

    Args:
        basis: (n_starts, n_runs, n_terms) float.
        loss: (n_runs,) float.

    Returns:
        (n_starts, n_terms) float, all positive.
    """
    scaled = basis / loss[None, :, None]
    size = np.linalg.norm(scaled, axis=1, keepdims=True) + 1e-300
    unit = scaled / size
    gram = np.swapaxes(unit, 1, 2) @ unit + 1e-9 * np.eye(basis.shape[-1])
    right = unit.sum(axis=1)[..., None]
    coefficients = np.linalg.solve(gram, right)[..., 0] / size[:, 0, :]
    floor = 1e-2 * loss.mean() / np.abs(basis).mean(axis=1)
    return np.where(coefficients > floor, coefficients, floor)
