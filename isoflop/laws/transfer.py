"""Pretraining counted in data: what it is worth to a model that is then fine-tuned.

Legend: N non-embedding parameters, D_F data fine-tuned on, D_T the further data of the same kind
that a model from scratch would have needed, D_E = D_F + D_T effective data, all in one unit.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from isoflop.laws.law import AbstractLaw, Array, Parameter, Variables, clip_to_bounds, take_log
from isoflop.laws.power import COEFFICIENT, EXPONENT


@dataclass(frozen=True)
class TransferLaw(AbstractLaw):
    """D_T = k·D_F^alpha·N^beta, for D_F up to a tenth of what a model from scratch can use.

    alpha says how near the two distributions are, beta how far a larger model generalises.

    >>> law, python = TransferLaw(), np.array([1.9e4, 0.18, 0.38])
    >>> runs = {"n_finetune": np.array([1.0]), "n_params": np.array([1.75e11])}
    >>> print(f"{law.predict(python, runs)[0]:.2e}")  # characters, from the first one on
    3.56e+08
    """

    name: ClassVar[str] = "transfer"
    source: ClassVar[str] = "Hernandez et al. 2021, effective data transferred"
    response: ClassVar[str] = "n_transferred"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("k", "", *COEFFICIENT),
        Parameter("alpha", "", *EXPONENT),
        Parameter("beta", "", *EXPONENT),
    )
    linear: ClassVar[tuple[str, ...]] = ("k",)

    @property
    def form(self) -> str:
        """The formula."""
        return "k*n_finetune**alpha*n_params**beta"

    @property
    def variables(self) -> tuple[str, ...]:
        """The columns it reads."""
        return ("n_finetune", "n_params")

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the data transferred, (..., n_runs)."""
        k, alpha, beta = (theta[..., i, None] for i in range(3))
        log_D, log_N = take_log(variables["n_finetune"]), take_log(variables["n_params"])
        return k * np.exp(alpha * log_D + beta * log_N)

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 3)."""
        worth = self.predict(theta, variables)
        log_D, log_N = take_log(variables["n_finetune"]), take_log(variables["n_params"])
        return np.stack([worth / theta[..., 0, None], worth * log_D, worth * log_N], axis=-1)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw exponents; k passes through the mean of the amounts (`loss`)."""
        alpha, beta = np.exp(rng.uniform(np.log(0.03), np.log(1.0), (2, n_starts)))
        log_D, log_N = (take_log(variables[name]).mean() for name in self.variables)
        k = np.exp(np.log(loss).mean() - alpha * log_D - beta * log_N)
        return clip_to_bounds(self, np.stack([k, alpha, beta], axis=-1))

    def derive(self, theta: Array) -> dict[str, Array]:
        """Factor of fine-tuning data that a tenfold model stands for, 10^(beta/alpha)."""
        return {"data_per_decade": 10.0 ** (theta[..., 2] / theta[..., 1])}


def effective_data(theta: Array, variables: Variables) -> Array:
    """Return D_E = D_F + D_T, the data a model from scratch would have needed.

    It takes the place of D in any law of tokens, in Kaplan's L(N, D) for one (Hernandez et al.
    2021). Pretraining multiplies the data by D_E/D_F.

    Args:
        theta: (..., 3) float, k, alpha, beta.
        variables: {"n_finetune", "n_params": (n_runs,) float}, data in the unit of k.

    Returns:
        (..., n_runs) float, in the unit of n_finetune.

    >>> runs = {"n_finetune": np.array([3e5]), "n_params": np.array([4e7])}
    >>> (effective_data(np.array([1.9e4, 0.18, 0.38]), runs) / 3e5).round()
    array([476.])
    """
    finetuned = np.asarray(variables["n_finetune"], dtype=np.float64)
    return finetuned + TransferLaw().predict(theta, variables)
