"""Infogain: the share of a loss that a condition removes, such as an image beside its caption.

Legend: N parameters, I = [loss without the condition - loss with it]/loss without it, lam its
growth per e-fold of N, N_c the size from which a model uses the condition at all.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from isoflop.laws.law import AbstractLaw, Array, Parameter, Variables, clip_to_bounds, take_log
from isoflop.laws.power import COEFFICIENT


@dataclass(frozen=True)
class InfogainLaw(AbstractLaw):
    """I = lam·ln(N/N_c), below zero for models smaller than N_c.

    The mutual information itself, in nats, follows the same law.

    >>> law = InfogainLaw()
    >>> law.predict(np.array([0.0125, 3e5]), {"n_params": np.array([1e9, 3e12])}).round(2)
    array([0.1, 0.2])
    """

    name: ClassVar[str] = "infogain"
    source: ClassVar[str] = "Henighan et al. 2020, mutual information of text and image"
    response: ClassVar[str] = "infogain"
    residual_scale: ClassVar[Literal["log", "linear"]] = "linear"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("lam", "per e-fold", 1e-9, 1e3),
        Parameter("N_c", "parameters", *COEFFICIENT),
    )
    linear: ClassVar[tuple[str, ...]] = ("lam",)

    @property
    def form(self) -> str:
        """The formula."""
        return "lam*log(n_params/N_c)"

    @property
    def variables(self) -> tuple[str, ...]:
        """The column it reads."""
        return ("n_params",)

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the infogain, (..., n_runs)."""
        lam, N_c = theta[..., 0, None], theta[..., 1, None]
        return lam * (take_log(variables["n_params"]) - np.log(N_c))

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 2)."""
        lam, N_c = theta[..., 0, None], theta[..., 1, None]
        log_ratio = take_log(variables["n_params"]) - np.log(N_c)
        return np.stack([log_ratio, -lam / N_c + 0 * log_ratio], axis=-1)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw slopes around that between the smallest and the largest infogain (`loss`)."""
        log_N = take_log(variables["n_params"])
        steep = max(float(np.ptp(loss) / np.ptp(log_N)), 1e-6)
        lam = steep * np.exp(rng.uniform(-1.0, 1.0, n_starts))
        log_N_c = np.clip(log_N.mean() - loss.mean() / lam, -20, 60)
        return clip_to_bounds(self, np.stack([lam, np.exp(log_N_c)], axis=-1))

    def derive(self, theta: Array) -> dict[str, Array]:
        """Infogain per factor of ten in parameters."""
        return {"per_decade": theta[..., 0] * np.log(10.0)}
