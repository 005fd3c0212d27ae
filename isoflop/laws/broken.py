"""Broken neural scaling laws: power laws whose exponent changes at a few places.

Legend: L loss, x the variable; a limit, b coefficient, c0 first exponent, c_i change of the
exponent at break i, d_i its place, f_i its width in e-folds of x.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from isoflop.laws.law import (
    AbstractLaw,
    Array,
    Parameter,
    Variables,
    clip_to_bounds,
    stack_columns,
    take_log,
)
from isoflop.laws.power import COEFFICIENT, IRREDUCIBLE
from isoflop.laws.softplus import soft_step, softplus

SOURCE = "Caballero et al. 2022 (arXiv 2210.14891), eq. 1"
FIRST = (
    Parameter("a", "nats", *IRREDUCIBLE, scale="linear"),
    Parameter("b", "nats", *COEFFICIENT),
    Parameter("c0", "", -20.0, 20.0, scale="linear"),
)


def break_parameters(n_breaks: int) -> tuple[Parameter, ...]:
    """Return the constants of a law with so many breaks: 3 and 3 for each."""
    breaks = [
        (
            Parameter(f"c{i}", "", -20.0, 20.0, scale="linear"),
            Parameter(f"d{i}", "of the variable", 1e-6, 1e36),
            Parameter(f"f{i}", "e-folds", 1e-3, 1e2),
        )
        for i in range(1, n_breaks + 1)
    ]
    return (*FIRST, *(parameter for one in breaks for parameter in one))


@dataclass(frozen=True)
class AbstractBrokenLaw(AbstractLaw):
    """L = a + b·x^(-c0)·Π_i (1 + (x/d_i)^(1/f_i))^(-c_i·f_i).

    Far left of every break the reducible loss falls as x^-c0, past break 1 as x^-(c0 + c1), and
    so on. Negative exponents, where the loss rises, are within bounds. A break beyond the data
    cannot be seen, and none of these laws foretells it.

    Args:
        variable: the column x is read from.
    """

    variable: str = "flops"

    source: ClassVar[str] = SOURCE
    linear: ClassVar[tuple[str, ...]] = ("a", "b")

    @property
    def n_breaks(self) -> int:
        """Places at which the exponent changes."""
        return (len(self.parameters) - len(FIRST)) // 3

    @property
    def form(self) -> str:
        """The formula."""
        x = self.variable
        breaks = "".join(
            f"*(1 + ({x}/d{i})**(1/f{i}))**(-c{i}*f{i})" for i in range(1, self.n_breaks + 1)
        )
        return f"a + b*{x}**(-c0){breaks}"

    @property
    def variables(self) -> tuple[str, ...]:
        """The one column."""
        return (self.variable,)

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the loss, (..., n_runs)."""
        return theta[..., 0, None] + self._reducible(theta, take_log(variables[self.variable]))

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 3 + 3·n_breaks)."""
        log_x = take_log(variables[self.variable])
        log_loss, slopes = -theta[..., 2, None] * log_x, []
        for c, d, f in self._breaks(theta):
            t = (log_x - np.log(d)) / f
            step, rise = soft_step(t)
            log_loss = log_loss - c * f * step
            slopes += [-f * step, c * rise / d, -c * (step - t * rise)]
        power = np.exp(log_loss)
        reducible = theta[..., 1, None] * power
        by_limit = np.ones_like(reducible)
        slopes = [by_limit, power, *(slope * reducible for slope in (-log_x, *slopes))]
        return stack_columns(slopes)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw limits, places and widths; the coefficient and exponents follow by regression."""
        log_x = take_log(variables[self.variable])
        a = np.where(rng.random(n_starts) < 0.3, 0.0, rng.uniform(0, 0.99, n_starts)) * loss.min()
        places = np.sort(rng.uniform(log_x.min(), log_x.max(), (n_starts, self.n_breaks)))
        widths = np.exp(rng.uniform(np.log(0.03), np.log(2.0), places.shape))
        steps = widths[:, None] * softplus((log_x[:, None] - places[:, None]) / widths[:, None])
        ones = np.ones((n_starts, len(log_x), 1))
        basis = np.concatenate([ones, -log_x[:, None] * ones, -steps], axis=-1)
        solved = _regress(basis, np.log(np.maximum(loss - a[:, None], 1e-3 * loss)))
        log_b = np.clip(solved[:, 0], *np.log(COEFFICIENT))
        breaks = np.stack([solved[:, 2:], np.exp(places), widths], axis=-1)
        theta = np.concatenate(
            [np.stack([a, np.exp(log_b), solved[:, 1]], axis=-1), breaks.reshape(n_starts, -1)], -1
        )
        return clip_to_bounds(self, theta)

    def derive(self, theta: Array) -> dict[str, Array]:
        """The exponent past the last break, which an extrapolation follows."""
        return {"c_last": theta[..., 2] + theta[..., 3::3].sum(-1)}

    def _breaks(self, theta: Array) -> list[tuple[Array, Array, Array]]:
        """Change, place and width of each break, (..., 1) each."""
        columns = [theta[..., k, None] for k in range(3, 3 + 3 * self.n_breaks)]
        return list(zip(columns[0::3], columns[1::3], columns[2::3], strict=True))

    def _reducible(self, theta: Array, log_x: Array) -> Array:
        log_loss = -theta[..., 2, None] * log_x
        for c, d, f in self._breaks(theta):
            log_loss = log_loss - c * f * softplus((log_x - np.log(d)) / f)
        return theta[..., 1, None] * np.exp(log_loss)


def _regress(basis: Array, log_loss: Array) -> Array:
    """Least squares of every start, (n_starts, n_terms), with a touch of ridge."""
    turned = np.swapaxes(basis, 1, 2)
    gram = turned @ basis
    size = np.einsum("bkk->bk", gram)
    gram = gram + 1e-9 * size[:, :, None] * np.eye(basis.shape[-1])
    return np.linalg.solve(gram, turned @ log_loss[..., None])[..., 0]


@dataclass(frozen=True)
class UnbrokenLaw(AbstractBrokenLaw):
    """No break: L = a + b·x^-c0.

    >>> law = UnbrokenLaw("n_params")
    >>> law.predict(np.array([2.0, 10.0, 0.5]), {"n_params": np.array([4.0, 100.0])})
    array([7., 3.])
    """

    name: ClassVar[str] = "bnsl0"
    parameters: ClassVar[tuple[Parameter, ...]] = break_parameters(0)


@dataclass(frozen=True)
class BrokenLaw(AbstractBrokenLaw):
    """One break: six constants.

    >>> law = BrokenLaw("n_params")
    >>> law.predict(np.array([0.0, 1.0, 0.5, 0.5, 10.0, 1.0]), {"n_params": np.array([90.0])})
    array([0.03333333])
    """

    name: ClassVar[str] = "bnsl1"
    parameters: ClassVar[tuple[Parameter, ...]] = break_parameters(1)


@dataclass(frozen=True)
class TwiceBrokenLaw(AbstractBrokenLaw):
    """Two breaks: nine constants."""

    name: ClassVar[str] = "bnsl2"
    parameters: ClassVar[tuple[Parameter, ...]] = break_parameters(2)
    exchangeable: ClassVar[tuple[tuple[str, ...], ...]] = (("d1", "c1", "f1"), ("d2", "c2", "f2"))


@dataclass(frozen=True)
class ThriceBrokenLaw(AbstractBrokenLaw):
    """Three breaks: twelve constants."""

    name: ClassVar[str] = "bnsl3"
    parameters: ClassVar[tuple[Parameter, ...]] = break_parameters(3)
    exchangeable: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("d1", "c1", "f1"),
        ("d2", "c2", "f2"),
        ("d3", "c3", "f3"),
    )
