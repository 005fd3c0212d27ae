"""Learning curves of Alabdulmohsin et al. 2022: M3, saturating at large x, and M4, at both ends.

Their M1 is the power law and their M2 the power law above a constant (`isoflop.laws.power`).

Legend: L loss or error rate, x the variable; beta coefficient, c exponent, gamma inverse of the
scale beyond which M3 is flat, E limit of M4, height how far above E it starts.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from isoflop.laws.law import (
    AbstractLaw,
    Array,
    Parameter,
    Variables,
    clip_to_bounds,
    solve_coefficients,
    stack_columns,
    take_log,
)
from isoflop.laws.power import COEFFICIENT, EXPONENT, IRREDUCIBLE
from isoflop.laws.softplus import logistic, soft_step

NEWTON_STEPS = 60
"""More than the root of M4 ever takes: about 8, or 30 with alpha of 1e-3."""
LAST_STEP = 1e-9
"""Relative step after which the root is exact: Newton's next one is about its square."""


@dataclass(frozen=True)
class SaturatingLaw(AbstractLaw):
    """M3: L = beta·(1/x + gamma)^c.

    Args:
        variable: the column x is read from.

    >>> law = SaturatingLaw("n_tokens")
    >>> law.predict(np.array([6.0, 0.25, 0.5]), {"n_tokens": np.array([4.0, 1e30])})
    array([4.24264069, 3.        ])
    """

    variable: str = "flops"

    name: ClassVar[str] = "m3"
    source: ClassVar[str] = "Alabdulmohsin et al. 2022 (arXiv 2209.06640), M3"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("beta", "nats", *COEFFICIENT),
        Parameter("gamma", "1 over the variable", 1e-36, 1e6),
        Parameter("c", "", *EXPONENT),
    )
    linear: ClassVar[tuple[str, ...]] = ("beta",)
    falls_with: ClassVar[Literal["all"]] = "all"

    @property
    def form(self) -> str:
        """The formula."""
        return f"beta*(1/{self.variable} + gamma)**c"

    @property
    def variables(self) -> tuple[str, ...]:
        """The one column."""
        return (self.variable,)

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the loss, (..., n_runs)."""
        beta, gamma, c = (theta[..., k, None] for k in range(3))
        return beta * np.exp(c * _log_rate(gamma, variables[self.variable]))

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 3)."""
        beta, gamma, c = (theta[..., k, None] for k in range(3))
        x = np.asarray(variables[self.variable], dtype=np.float64)
        log_rate = _log_rate(gamma, x)
        power = np.exp(c * log_rate)
        by_gamma = beta * c * power * x / (1 + gamma * x)
        return np.stack([power, by_gamma, beta * log_rate * power], axis=-1)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw exponents and places of saturation, solve for the coefficient."""
        x = np.asarray(variables[self.variable], dtype=np.float64)
        c = np.exp(rng.uniform(np.log(0.01), np.log(1.5), n_starts))
        low, high = -np.log(x.max()) - 5.0, -np.log(x.min())
        gamma = np.exp(rng.uniform(low, high, n_starts))
        basis = np.exp(c[:, None] * _log_rate(gamma[:, None], x))[..., None]
        beta = solve_coefficients(basis, loss)[:, 0]
        return clip_to_bounds(self, np.stack([beta, gamma, c], axis=-1))

    def derive(self, theta: Array) -> dict[str, Array]:
        """The limit beta·gamma^c that it approaches."""
        return {"E": theta[..., 0] * theta[..., 1] ** theta[..., 2]}


def _log_rate(gamma: Array, x: Array) -> Array:
    """log(1/x + gamma), exact however small gamma·x is."""
    return np.log1p(gamma * x) - take_log(x)


@dataclass(frozen=True)
class SigmoidLaw(AbstractLaw):
    """M4: (L − E)/(E + height − L)^alpha = beta·x^-c, solved for L.

    The paper writes epsilon_inf = E and epsilon_0 = E + height. With L = E + height·σ(v) the
    equation reads alpha·log(1+e^v) − log(1+e^-v) = log beta − c·log x − (1 − alpha)·log height:
    its left side rises in v with a slope between 1 and alpha, so Newton's method finds the one
    root from anywhere.

    Args:
        variable: the column x is read from.

    >>> law = SigmoidLaw("n_tokens")
    >>> law.predict(np.array([0.25, 0.5, 1.0, 10.0, 0.5]), {"n_tokens": np.array([100.0])})
    array([0.5])
    """

    variable: str = "flops"

    name: ClassVar[str] = "m4"
    source: ClassVar[str] = "Alabdulmohsin et al. 2022 (arXiv 2209.06640), M4"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("E", "nats", *IRREDUCIBLE, scale="linear"),
        Parameter("height", "nats", 1e-9, 1e6),
        Parameter("alpha", "", 1e-3, 1e2),
        Parameter("beta", "", 1e-40, 1e60),
        Parameter("c", "", *EXPONENT),
    )
    linear: ClassVar[tuple[str, ...]] = ("E",)
    falls_with: ClassVar[Literal["all"]] = "all"

    @property
    def form(self) -> str:
        """The formula, implicit in L."""
        return f"L with (L - E)/(E + height - L)**alpha = beta*{self.variable}**(-c)"

    @property
    def variables(self) -> tuple[str, ...]:
        """The one column."""
        return (self.variable,)

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the loss, (..., n_runs)."""
        root = _solve_root(theta, take_log(variables[self.variable]))
        return theta[..., 0, None] + theta[..., 1, None] * logistic(root)

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate implicitly, (..., n_runs, 5)."""
        _, height, alpha, beta, _ = (theta[..., k, None] for k in range(5))
        log_x = take_log(variables[self.variable])
        v = _solve_root(theta, log_x)
        step, rise = soft_step(v)
        fall = logistic(-v)
        per_level = height * rise * fall / (fall + alpha * rise)
        return stack_columns(
            [
                np.ones_like(v),
                rise - per_level * (1 - alpha) / height,
                per_level * (np.log(height) - step),
                per_level / beta,
                -per_level * log_x,
            ]
        )

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw both ends and alpha; beta and c follow by regression."""
        log_x = take_log(variables[self.variable])
        E = rng.uniform(0, 0.99, n_starts) * loss.min()
        top = loss.max() + np.exp(rng.uniform(np.log(1e-3), np.log(3.0), n_starts)) * np.ptp(loss)
        alpha = np.exp(rng.uniform(np.log(0.05), np.log(5.0), n_starts))
        above, below = loss - E[:, None], (top[:, None] - loss) + 1e-9 * loss.max()
        level = np.log(above) - alpha[:, None] * np.log(below)
        centred = log_x - log_x.mean()
        c = np.maximum(-(level @ centred) / (centred @ centred + 1e-300), EXPONENT[0])
        log_beta = np.clip(level.mean(1) + c * log_x.mean(), -90.0, 135.0)
        theta = np.stack([E, top - E, alpha, np.exp(log_beta), c], axis=-1)
        return clip_to_bounds(self, theta)

    def derive(self, theta: Array) -> dict[str, Array]:
        """The loss epsilon_0 it starts from."""
        return {"epsilon_0": theta[..., 0] + theta[..., 1]}


def _solve_root(theta: Array, log_x: Array) -> Array:
    """Solve M4 for v, (..., n_runs); a complex step rides on the root of the real part."""
    real = np.real(theta)
    v = _newton(real[..., 2, None], _level(real, log_x))
    if not np.iscomplexobj(theta):
        return v
    alpha = theta[..., 2, None]
    miss, slope = _miss(v, alpha, _level(theta, log_x))
    return v - miss / slope


def _newton(alpha: Array, level: Array) -> Array:
    v = np.where(level < 0, level, level / alpha)
    for _ in range(NEWTON_STEPS):
        miss, slope = _miss(v, alpha, level)
        step = miss / slope
        v = v - step
        if not np.any(np.abs(step) > LAST_STEP * (1 + np.abs(v))):
            break
    return v


def _level(theta: Array, log_x: Array) -> Array:
    _, height, alpha, beta, c = (theta[..., k, None] for k in range(5))
    return np.log(beta) - c * log_x - (1 - alpha) * np.log(height)


def _miss(v: Array, alpha: Array, level: Array) -> tuple[Array, Array]:
    """How far v is from the root's level, and the slope: log(1+e^-v) is log(1+e^v) - v."""
    step, rise = soft_step(v)
    return alpha * step - (step - v) - level, 1.0 + (alpha - 1.0) * rise
