"""Quantised after training: the loss that rounding the weights of a finished model adds.

Legend: N parameters, D tokens, P bits of the weights after training, delta the added loss.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from isoflop.laws.law import AbstractLaw, Array, Parameter, Variables, clip_to_bounds, take_log
from isoflop.laws.power import COEFFICIENT
from isoflop.laws.precision import BITS

POWER = (-5.0, 5.0)


@dataclass(frozen=True)
class QuantisedLaw(AbstractLaw):
    """delta = C_T·D^gamma_D/N^gamma_N·e^(-P/gamma_post).

    More tokens make it worse, more parameters better: an over-trained model rounds badly.

    >>> law = QuantisedLaw()
    >>> theta = np.array([0.06, 0.5068, 0.3439, 0.6])
    >>> runs = {"n_params": np.full(2, 1e9), "n_tokens": np.array([2e10, 2e11])}
    >>> law.predict(theta, {**runs, "bits_post": np.full(2, 4.0)}).round(3)
    array([0.01 , 0.033])
    """

    name: ClassVar[str] = "quantised"
    source: ClassVar[str] = "Kumar et al. 2024, degradation by post-training quantisation"
    response: ClassVar[str] = "loss_added"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("C_T", "nats", *COEFFICIENT),
        Parameter("gamma_D", "", *POWER, scale="linear"),
        Parameter("gamma_N", "", *POWER, scale="linear"),
        Parameter("gamma_post", "bits", *BITS),
    )
    linear: ClassVar[tuple[str, ...]] = ("C_T",)

    @property
    def form(self) -> str:
        """The formula."""
        return "C_T*n_tokens**gamma_D/n_params**gamma_N*exp(-bits_post/gamma_post)"

    @property
    def variables(self) -> tuple[str, ...]:
        """The columns it reads."""
        return ("n_params", "n_tokens", "bits_post")

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the added loss, (..., n_runs)."""
        return theta[..., 0, None] * _growth(theta, variables)

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 4)."""
        growth = _growth(theta, variables)
        delta, gamma = theta[..., 0, None] * growth, theta[..., 3, None]
        columns = [
            growth,
            delta * take_log(variables["n_tokens"]),
            -delta * take_log(variables["n_params"]),
            delta * variables["bits_post"] / gamma**2,
        ]
        return np.stack(columns, axis=-1)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Solve the law in logs, where all but gamma_post is linear; draw around it."""
        log_D, log_N = take_log(variables["n_tokens"]), take_log(variables["n_params"])
        basis = np.stack([np.ones_like(log_D), log_D, -log_N, -variables["bits_post"]], axis=-1)
        solved = np.linalg.lstsq(basis, take_log(loss), rcond=None)[0]
        theta: Array = np.tile(solved, (n_starts, 1)).astype(np.float64)
        theta[:, 1:] *= rng.uniform(0.7, 1.3, (n_starts, 3))
        theta[0] = solved
        theta[:, 0] = np.mean(take_log(loss) - theta[:, 1:] @ basis[:, 1:].T, axis=1)
        with np.errstate(divide="ignore", over="ignore"):
            theta[:, 0], theta[:, 3] = np.exp(theta[:, 0]), 1 / theta[:, 3]
        return clip_to_bounds(self, theta)

    def derive(self, theta: Array) -> dict[str, Array]:
        """P of D ∝ N^p along which rounding costs the same, and the bits that halve it."""
        return {
            "p_iso": theta[..., 2] / theta[..., 1],
            "halving_bits": np.log(2.0) * theta[..., 3],
        }


def _growth(theta: Array, variables: Variables) -> Array:
    """D^gamma_D/N^gamma_N·e^(-P/gamma_post), (..., n_runs)."""
    gamma_D, gamma_N, gamma_post = (theta[..., k, None] for k in (1, 2, 3))
    power = gamma_D * take_log(variables["n_tokens"]) - gamma_N * take_log(variables["n_params"])
    return np.exp(power - variables["bits_post"] / gamma_post)
