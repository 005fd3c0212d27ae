"""From loss to what people measure: error and accuracy of downstream tasks.

Legend: L loss on a held-out set, Err share of a task failed, Acc share solved. Residuals are
linear, because measured accuracies of zero and one are legal and common.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from isoflop.laws.law import AbstractLaw, Array, Parameter, Variables, clip_to_bounds

RATE = (1e-2, 1e2)
"""Bounds of a slope in 1/nat."""
SHARE = (0.0, 1.0)


@dataclass(frozen=True)
class ErrorLaw(AbstractLaw):
    """Err = eps - k·exp(-gamma·L), of the average error over many tasks.

    >>> law = ErrorLaw()
    >>> law.predict(np.array([0.857, 2.2065, 0.7146]), {"loss": np.array([2.443])}).round(3)
    array([0.472])
    """

    name: ClassVar[str] = "error"
    source: ClassVar[str] = "Gadre et al. 2024, error of downstream tasks"
    response: ClassVar[str] = "error"
    residual_scale: ClassVar[Literal["log", "linear"]] = "linear"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("eps", "", 0.0, 10.0, scale="linear"),
        Parameter("k", "", 1e-9, 1e9),
        Parameter("gamma", "1/nat", *RATE),
    )
    linear: ClassVar[tuple[str, ...]] = ("eps", "k")

    @property
    def form(self) -> str:
        """The formula."""
        return "eps - k*exp(-gamma*loss)"

    @property
    def variables(self) -> tuple[str, ...]:
        """The column it reads."""
        return ("loss",)

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the error, (..., n_runs)."""
        eps, k, gamma = (theta[..., i, None] for i in range(3))
        return eps - k * np.exp(-gamma * variables["loss"])

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 3)."""
        L = variables["loss"]
        decay = np.exp(-theta[..., 2, None] * L)
        columns = [np.ones_like(decay), -decay, theta[..., 1, None] * L * decay]
        return np.stack(columns, axis=-1)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw slopes and asymptotes above the errors (`loss`); k passes through the lowest."""
        L = variables["loss"]
        gamma = np.exp(rng.uniform(np.log(0.1), np.log(5.0), n_starts))
        eps = loss.max() + rng.uniform(0.0, 1.0, n_starts) * max(float(np.ptp(loss)), 1e-3)
        k = (eps - loss.min()) * np.exp(gamma * L.min())
        return clip_to_bounds(self, np.stack([eps, k, gamma], axis=-1))

    def derive(self, theta: Array) -> dict[str, Array]:
        """The loss at which the error would be zero, and the accuracy at a loss of zero."""
        eps, k, gamma = np.moveaxis(theta, -1, 0)
        with np.errstate(divide="ignore"):  # with eps = 0 the error is zero at infinity
            no_error = np.log(k / eps) / gamma
        return {"loss_of_no_error": no_error, "accuracy_limit": 1 - eps + k}


@dataclass(frozen=True)
class AccuracyExponentialLaw(AbstractLaw):
    """Acc = k·exp(-gamma·L), exact match of answers of many tokens.

    With p the chance of one token right, an answer of K tokens is right with p^K = exp(-K·L): k = 1
    and gamma = K.

    >>> law = AccuracyExponentialLaw()
    >>> law.predict(np.array([1.0, 5.0]), {"loss": np.array([0.2])}).round(3)
    array([0.368])
    """

    name: ClassVar[str] = "accuracy-exponential"
    source: ClassVar[str] = "Schaeffer et al. 2023, exact match of K tokens"
    response: ClassVar[str] = "accuracy"
    residual_scale: ClassVar[Literal["log", "linear"]] = "linear"
    falls_with: ClassVar[Literal["all"]] = "all"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("k", "", 1e-9, 1e9),
        Parameter("gamma", "1/nat", *RATE),
    )
    linear: ClassVar[tuple[str, ...]] = ("k",)

    @property
    def form(self) -> str:
        """The formula."""
        return "k*exp(-gamma*loss)"

    @property
    def variables(self) -> tuple[str, ...]:
        """The column it reads."""
        return ("loss",)

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the accuracy, (..., n_runs)."""
        return theta[..., 0, None] * np.exp(-theta[..., 1, None] * variables["loss"])

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 2)."""
        L = variables["loss"]
        decay = np.exp(-theta[..., 1, None] * L)
        return np.stack([decay, -theta[..., 0, None] * L * decay], axis=-1)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw slopes; k passes through the highest accuracy (`loss`)."""
        gamma = np.exp(rng.uniform(np.log(0.2), np.log(20.0), n_starts))
        k = max(float(loss.max()), 1e-3) * np.exp(gamma * variables["loss"].min())
        return clip_to_bounds(self, np.stack([k, gamma], axis=-1))

    def derive(self, theta: Array) -> dict[str, Array]:
        """The loss at which the accuracy would be one."""
        return {"loss_of_all_right": np.log(theta[..., 0]) / theta[..., 1]}


@dataclass(frozen=True)
class AccuracySigmoidLaw(AbstractLaw):
    """Acc = floor + (ceiling - floor)/(1 + exp(slope·(L - L_half))).

    >>> law = AccuracySigmoidLaw()
    >>> theta = np.array([0.25, 0.95, 4.0, 2.5])
    >>> law.predict(theta, {"loss": np.array([2.5, 9.0])}).round(2)
    array([0.6 , 0.25])
    """

    name: ClassVar[str] = "accuracy-sigmoid"
    source: ClassVar[str] = "downstream accuracy as a sigmoid of loss, floor and ceiling free"
    response: ClassVar[str] = "accuracy"
    residual_scale: ClassVar[Literal["log", "linear"]] = "linear"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("floor", "", *SHARE, scale="linear"),
        Parameter("ceiling", "", *SHARE, scale="linear"),
        Parameter("slope", "1/nat", *RATE),
        Parameter("L_half", "nats", -1e2, 1e2, scale="linear"),
    )
    linear: ClassVar[tuple[str, ...]] = ("floor", "ceiling")

    @property
    def form(self) -> str:
        """The formula."""
        return "floor + (ceiling - floor)/(1 + exp(slope*(loss - L_half)))"

    @property
    def variables(self) -> tuple[str, ...]:
        """The column it reads."""
        return ("loss",)

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the accuracy, (..., n_runs)."""
        floor, ceiling = theta[..., 0, None], theta[..., 1, None]
        return floor + (ceiling - floor) * _share(theta, variables)

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 4)."""
        floor, ceiling, slope, L_half = (theta[..., i, None] for i in range(4))
        share = _share(theta, variables)
        steep = (ceiling - floor) * share * (1 - share)
        columns = [1 - share, share, -steep * (variables["loss"] - L_half), steep * slope]
        return np.stack(columns, axis=-1)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw a sigmoid's middle among the losses, ends around the accuracies (`loss`)."""
        L = variables["loss"]
        width = max(float(np.ptp(L)), 1e-3)
        slope = np.exp(rng.uniform(np.log(1.0), np.log(30.0), n_starts)) / width
        L_half = L.min() + width * rng.uniform(-0.5, 1.0, n_starts)
        floor = loss.min() * rng.uniform(0.5, 1.0, n_starts)
        ceiling = loss.max() + (1 - loss.max()) * rng.uniform(0.0, 1.0, n_starts)
        return clip_to_bounds(self, np.stack([floor, ceiling, slope, L_half], axis=-1))

    def derive(self, theta: Array) -> dict[str, Array]:
        """Accuracy at L_half."""
        return {"accuracy_half": (theta[..., 0] + theta[..., 1]) / 2}


def _share(theta: Array, variables: Variables) -> Array:
    """The sigmoid 1/(1 + exp(slope·(L - L_half))), (..., n_runs), without overflow."""
    z = theta[..., 2, None] * (variables["loss"] - theta[..., 3, None])
    is_above = np.real(z) > 0
    small = np.exp(np.where(is_above, -z, z))
    return np.where(is_above, small, 1) / (1 + small)
