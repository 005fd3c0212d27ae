"""Downstream against upstream error: where a better pretrained model stops to help.

Legend: e_US error of the pretraining task, e_DS error of a task it is used for, k and alpha of
their relation, e_IR the downstream error that remains when the upstream error is gone.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from isoflop.laws.law import AbstractLaw, Array, Parameter, Variables, clip_to_bounds, take_log


@dataclass(frozen=True)
class SaturationLaw(AbstractLaw):
    """e_DS = k·e_US^alpha + e_IR, fitted in error space.

    >>> law = SaturationLaw()
    >>> law.predict(np.array([0.6, 0.8, 0.1]), {"error_upstream": np.array([0.01, 0.5])}).round(3)
    array([0.115, 0.445])
    """

    name: ClassVar[str] = "saturation"
    source: ClassVar[str] = "Abnar et al. 2021, exploring the limits of pretraining"
    response: ClassVar[str] = "error"
    residual_scale: ClassVar[Literal["log", "linear"]] = "linear"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("k", "", 1e-9, 1e9),
        Parameter("alpha", "", 1e-2, 50.0),
        Parameter("e_IR", "", 0.0, 1.0, scale="linear"),
    )
    linear: ClassVar[tuple[str, ...]] = ("k", "e_IR")

    @property
    def form(self) -> str:
        """The formula."""
        return "k*error_upstream**alpha + e_IR"

    @property
    def variables(self) -> tuple[str, ...]:
        """The column it reads."""
        return ("error_upstream",)

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the downstream error, (..., n_runs)."""
        k, alpha, e_IR = (theta[..., i, None] for i in range(3))
        return k * np.exp(alpha * take_log(variables["error_upstream"])) + e_IR

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 3)."""
        log_e = take_log(variables["error_upstream"])
        power = np.exp(theta[..., 1, None] * log_e)
        columns = [power, theta[..., 0, None] * log_e * power, np.ones_like(power)]
        return np.stack(columns, axis=-1)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw exponents and remainders; k passes through the mean of the errors (`loss`)."""
        alpha = np.exp(rng.uniform(np.log(0.2), np.log(5.0), n_starts))
        e_IR = float(loss.min()) * rng.uniform(0.0, 1.0, n_starts)
        power = np.exp(alpha[:, None] * take_log(variables["error_upstream"])).mean(axis=1)
        k = np.maximum(loss.mean() - e_IR, 1e-6) / power
        return clip_to_bounds(self, np.stack([k, alpha, e_IR], axis=-1))

    def derive(self, theta: Array) -> dict[str, Array]:
        """Accuracy that no better upstream model exceeds, 1 - e_IR."""
        return {"saturation_accuracy": 1 - theta[..., 2]}


def mark_hull(error_upstream: Array, error: Array) -> NDArray[np.bool_]:
    """Mark the models on the convex hull of what mixtures of them attain.

    Answering with one of two models at random attains every point of the line between them, so
    that only the lower hull of the errors (the upper one of the accuracies) is worth having. Fit
    to all models and to those on the hull: `table.select(mark_hull(...))`.

    Args:
        error_upstream: (n_models,) float.
        error: (n_models,) float, downstream.

    Returns:
        (n_models,) bool.

    >>> mark_hull(np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.2, 0.22, 0.35, 0.4]))
    array([ True,  True, False,  True])
    """
    hull: list[int] = []
    for model in np.lexsort((error, error_upstream)).tolist():
        while len(hull) >= 2 and not _turns_left(hull[-2:], model, error_upstream, error):
            hull.pop()
        hull.append(model)
    marked = np.zeros(len(error), dtype=bool)
    marked[hull] = True
    return marked


def _turns_left(last: list[int], model: int, x: Array, y: Array) -> bool:
    """Whether the path over two models and a third bends upwards (Andrew's monotone chain)."""
    first, second = last
    return bool(
        (x[second] - x[first]) * (y[model] - y[first])
        > (y[second] - y[first]) * (x[model] - x[first])
    )
