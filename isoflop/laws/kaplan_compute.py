"""Kaplan's compute law at any batch: L(C_min), where C_min depends on the loss itself.

Legend: C FLOPs spent, B tokens a step, L loss, B_crit = B_star/L^(1/alpha_B), C_min =
C/(1 + B/B_crit) FLOPs of training far below the critical batch; C_c, alpha_C of the law in C_min.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from isoflop.laws.critical_batch import BATCH_EXPONENT, BATCH_SCALE
from isoflop.laws.kaplan import SCALE
from isoflop.laws.law import AbstractLaw, Array, Parameter, Variables, clip_to_bounds, take_log
from isoflop.laws.power import EXPONENT

ITERATIONS = 100
"""Newton steps at most; from below, on a concave function, it rises to the root and stays."""


@dataclass(frozen=True)
class KaplanComputeLaw(AbstractLaw):
    """L = (C_c/C_min)^alpha_C with C_min = C/(1 + B·L^(1/alpha_B)/B_star).

    The loss stands on both sides; with alpha_C < alpha_B there is exactly one. At batches far below
    critical it is the power law over flops.

    >>> law = KaplanComputeLaw()
    >>> theta = np.array([0.05, 3.1e8 * 8.64e19, 2.1e8, 0.21])
    >>> runs = {"flops": np.array([1e21, 1e21]), "batch_tokens": np.array([1.0, 524288.0])}
    >>> law.predict(theta, runs).round(3)
    array([2.352, 2.368])
    """

    name: ClassVar[str] = "kaplan-c-min"
    source: ClassVar[str] = "Kaplan et al. 2020, eq. 1.3, 1.4 and 5.5"
    falls_with: ClassVar[tuple[str, ...]] = ("flops",)
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("alpha_C", "", *EXPONENT),
        Parameter("C_c", "FLOPs", SCALE[0], 1e200),
        Parameter("B_star", "tokens", *BATCH_SCALE),
        Parameter("alpha_B", "", *BATCH_EXPONENT),
    )

    @property
    def form(self) -> str:
        """The formula."""
        return "(C_c/(flops/(1 + batch_tokens*loss**(1/alpha_B)/B_star)))**alpha_C"

    @property
    def variables(self) -> tuple[str, ...]:
        """The columns it reads."""
        return ("flops", "batch_tokens")

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the loss, (..., n_runs); NaN where no loss solves the equation."""
        return np.exp(_solve_log_loss(theta, variables))

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate the implicit equation, (..., n_runs, 4)."""
        alpha_C, C_c, B_star, alpha_B = (theta[..., k, None] for k in range(4))
        log_L = _solve_log_loss(theta, variables)
        log_ratio, excess, share = _batch_excess(theta, variables, log_L)
        columns = [
            log_ratio + excess,
            alpha_C / C_c + 0 * share,
            -alpha_C * share / B_star,
            -alpha_C * share * log_L / alpha_B**2,
        ]
        slope = np.exp(log_L) / (1 - alpha_C / alpha_B * share)
        return np.stack(columns, axis=-1) * slope[..., None]

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw exponents and the share of the batch that exceeds critical; C_c follows."""
        alpha_B = np.exp(rng.uniform(np.log(0.1), np.log(0.6), n_starts))
        alpha_C = alpha_B * rng.uniform(0.05, 0.8, n_starts)
        ratio = np.exp(rng.uniform(np.log(0.1), np.log(10.0), n_starts))  # B/B_crit at the centre
        log_L, log_B = np.log(loss).mean(), take_log(variables["batch_tokens"]).mean()
        log_B_star = log_B + log_L / alpha_B - np.log(ratio)
        log_C_c = take_log(variables["flops"]).mean() + log_L / alpha_C - np.log1p(ratio)
        columns = [alpha_C, np.exp(np.minimum(log_C_c, 400)), np.exp(log_B_star), alpha_B]
        return clip_to_bounds(self, np.stack(columns, axis=-1))

    def derive(self, theta: Array) -> dict[str, Array]:
        """Share of the loss that must go for the critical batch to double, 1 - 2^-alpha_B."""
        return {"drop_to_double": 1 - 2 ** -theta[..., 3]}


def _batch_excess(theta: Array, variables: Variables, log_L: Array) -> tuple[Array, Array, Array]:
    """log(C_c/C), log(1 + B/B_crit) and (B/B_crit)/(1 + B/B_crit), each (..., n)."""
    _, C_c, B_star, alpha_B = (theta[..., k, None] for k in range(4))
    log_ratio = np.log(C_c) - take_log(variables["flops"])
    z = take_log(variables["batch_tokens"]) - np.log(B_star) + log_L / alpha_B
    is_above = np.real(z) > 0
    small = np.exp(np.where(is_above, -z, z))
    share = np.where(is_above, 1, small) / (1 + small)
    return log_ratio, np.where(is_above, z, 0) + np.log1p(small), share


def _solve_log_loss(theta: Array, variables: Variables) -> Array:
    """Newton's method on log L, from the loss of a batch far below critical, (..., n).

    log L - alpha_C·[log(C_c/C) + log(1 + B/B_crit(L))] is concave in log L and negative at the
    start, so that every step goes up and none goes past the root.
    """
    alpha_C, alpha_B = theta[..., 0, None], theta[..., 3, None]
    log_ratio = np.log(theta[..., 1, None]) - take_log(variables["flops"])
    log_L = alpha_C * (log_ratio + 0 * take_log(variables["batch_tokens"]))
    settled = False
    for _ in range(ITERATIONS):
        _, excess, share = _batch_excess(theta, variables, log_L)
        slope = 1 - alpha_C / alpha_B * share
        value = log_L - alpha_C * (log_ratio + excess)
        step = np.where(np.real(slope) > 0, value, np.nan) / slope
        log_L = log_L - step
        if settled:
            break
        # One step more than needed: a complex step's imaginary part settles after the real one.
        settled = not bool((np.abs(np.real(step)) > 1e-15 * (1 + np.abs(np.real(log_L)))).any())
    return log_L
