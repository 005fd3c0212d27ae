"""The critical batch, and what training at another batch costs.

Legend: L loss, B tokens a step, B_crit(L) = B_star/L^(1/alpha_B) the critical batch, S steps,
C FLOPs, E = B·S tokens processed; S_min at B far above B_crit, C_min and E_min far below.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from isoflop.laws.law import AbstractLaw, Array, Parameter, Variables, clip_to_bounds, take_log

BATCH_SCALE = (1e-6, 1e40)
BATCH_EXPONENT = (0.01, 4.0)
"""Bounds of alpha_B; at .01 a per cent of loss would double the batch."""


@dataclass(frozen=True)
class CriticalBatchLaw(AbstractLaw):
    """B_crit = B_star/L^(1/alpha_B), in tokens a step, whatever the size of the model.

    >>> law = CriticalBatchLaw()
    >>> law.predict(np.array([2.1e8, 0.21]), {"loss": np.array([3.0, 2.5])}).round(-4)
    array([1120000., 2670000.])
    """

    name: ClassVar[str] = "critical-batch"
    source: ClassVar[str] = "Kaplan et al. 2020, eq. 1.4 and 5.3"
    response: ClassVar[str] = "batch_tokens"
    falls_with: ClassVar[Literal["all"]] = "all"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("B_star", "tokens", *BATCH_SCALE),
        Parameter("alpha_B", "", *BATCH_EXPONENT),
    )
    linear: ClassVar[tuple[str, ...]] = ("B_star",)

    @property
    def form(self) -> str:
        """The formula."""
        return "B_star/loss**(1/alpha_B)"

    @property
    def variables(self) -> tuple[str, ...]:
        """The column it reads."""
        return ("loss",)

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the critical batch, (..., n_runs) tokens."""
        B_star, alpha_B = theta[..., 0, None], theta[..., 1, None]
        return B_star * np.exp(-take_log(variables["loss"]) / alpha_B)

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 2)."""
        batch, log_L = self.predict(theta, variables), take_log(variables["loss"])
        B_star, alpha_B = theta[..., 0, None], theta[..., 1, None]
        return np.stack([batch / B_star, batch * log_L / alpha_B**2], axis=-1)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw alpha_B, take B_star from the mean; `loss` is the measured critical batch."""
        alpha_B = np.exp(rng.uniform(np.log(0.05), np.log(1.0), n_starts))
        log_B_star = np.log(loss).mean() + take_log(variables["loss"]).mean() / alpha_B
        return clip_to_bounds(self, np.stack([np.exp(log_B_star), alpha_B], axis=-1))

    def derive(self, theta: Array) -> dict[str, Array]:
        """Share of the loss that must go for the critical batch to double, 1 - 2^-alpha_B."""
        return {"drop_to_double": 1 - 2 ** -theta[..., 1]}


@dataclass(frozen=True)
class BatchTradeLaw(AbstractLaw):
    """S = S_min + E_min/B, the steps to one target loss at any batch.

    The hyperbola (S/S_min - 1)(E/E_min - 1) = 1 with E = B·S; fit one for each target loss, then
    `CriticalBatchLaw` to the critical batches over the losses (Kaplan et al. 2020, Figure 18).

    >>> law = BatchTradeLaw()
    >>> law.predict(np.array([4e3, 2e9]), {"batch_tokens": np.array([5e5, 5e7])})
    array([8000., 4040.])
    """

    name: ClassVar[str] = "batch-trade"
    source: ClassVar[str] = "Kaplan et al. 2020, eq. 5.1; McCandlish et al. 2018"
    response: ClassVar[str] = "steps"
    falls_with: ClassVar[Literal["all"]] = "all"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("S_min", "steps", *BATCH_SCALE),
        Parameter("E_min", "tokens", *BATCH_SCALE),
    )
    linear: ClassVar[tuple[str, ...]] = ("S_min", "E_min")

    @property
    def form(self) -> str:
        """The formula."""
        return "S_min + E_min/batch_tokens"

    @property
    def variables(self) -> tuple[str, ...]:
        """The column it reads."""
        return ("batch_tokens",)

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the steps, (..., n_runs)."""
        return theta[..., 0, None] + theta[..., 1, None] / variables["batch_tokens"]

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 2)."""
        B = variables["batch_tokens"]
        columns = np.stack([np.ones_like(B), 1 / B], axis=-1)
        return np.broadcast_to(columns, (*theta.shape[:-1], *columns.shape)).copy()

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw what share of the fewest steps (`loss`), and of the fewest tokens, is needed."""
        shares = rng.uniform(0.1, 1.0, (n_starts, 2))
        fewest = np.array([loss.min(), (loss * variables["batch_tokens"]).min()])
        return clip_to_bounds(self, shares * fewest)

    def derive(self, theta: Array) -> dict[str, Array]:
        """B_crit = E_min/S_min, where twice both minima are spent."""
        return {"B_crit": theta[..., 1] / theta[..., 0]}


def adjust_steps(steps: Array, batch_tokens: Array, critical: Array) -> Array:
    """Return S_min = S/(1 + B_crit/B), the steps that a very large batch would have needed.

    Args:
        steps: (...) float, steps taken.
        batch_tokens: (...) float, tokens a step.
        critical: (...) float, critical batch at the loss reached.

    Returns:
        (...) float; with `adjust_tokens` it obeys (S/S_min - 1)(E/E_min - 1) = 1.

    >>> adjust_steps(np.array(1e5), np.array(5e5), np.array(5e5))
    array(50000.)
    """
    return np.asarray(steps / (1 + critical / batch_tokens))


def adjust_tokens(n_tokens: Array, batch_tokens: Array, critical: Array) -> Array:
    """Return E_min = E/(1 + B/B_crit), the tokens that a very small batch would have needed.

    The same factor takes C to C_min, for which pass FLOPs instead of tokens.

    Args:
        n_tokens: (...) float, tokens processed, or FLOPs.
        batch_tokens: (...) float, tokens a step.
        critical: (...) float, critical batch at the loss reached.

    Returns:
        (...) float.

    >>> adjust_tokens(np.array(6e10), np.array(1e6), np.array(5e5))
    array(2.e+10)
    """
    return np.asarray(n_tokens / (1 + batch_tokens / critical))
