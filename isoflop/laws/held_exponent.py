"""A law with the exponent of its optimum held: alpha follows from beta.

Legend: a of N_opt ∝ C^a; a = beta/(alpha + beta), so alpha = beta·(1 - a)/a.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from isoflop.laws.law import AbstractLaw, Array, Parameter, Variables

FREE, TIED = "beta", "alpha"


@dataclass(frozen=True)
class HeldExponentLaw(AbstractLaw):
    """Another law whose alpha is beta·(1 - a)/a.

    Args:
        law: a law with constants alpha and beta.
        a: exponent held, between 0 and 1.

    >>> from isoflop.laws.chinchilla import ChinchillaLaw
    >>> law = HeldExponentLaw(ChinchillaLaw(), 0.4)
    >>> law.parameter_names, law.complete(np.array([2.0, 400.0, 2000.0, 0.3])).round(2).tolist()
    (('E', 'A', 'B', 'beta'), [2.0, 400.0, 2000.0, 0.45, 0.3])
    """

    law: AbstractLaw
    a: float

    @property
    def name(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Name of the inner law."""
        return self.law.name

    @property
    def source(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Source of the inner law."""
        return self.law.source

    @property
    def response(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Column the inner law predicts."""
        return self.law.response

    @property
    def residual_scale(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Scale of the inner law's residuals."""
        return self.law.residual_scale

    @property
    def linear(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The inner law's linear constants."""
        return self.law.linear

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The constants but alpha."""
        return tuple(p for p in self.law.parameters if p.name != TIED)

    @property
    def form(self) -> str:
        """The inner formula and what is held."""
        return f"{self.law.form} with beta/(alpha + beta) = {self.a:.15g}"

    @property
    def variables(self) -> tuple[str, ...]:
        """The columns it reads."""
        return self.law.variables

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict, (..., n_runs)."""
        return self.law.predict(self.complete(theta), variables)

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate by the constants that are left, (..., n_runs, p)."""
        full = self.law.gradient(self.complete(theta), variables)
        tied, free = (self.law.parameter_names.index(name) for name in (TIED, FREE))
        columns = [full[..., k] for k in range(full.shape[-1])]
        columns[free] = columns[free] + columns[tied] * self._share
        return np.stack([column for k, column in enumerate(columns) if k != tied], axis=-1)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """The inner law's starts, without alpha."""
        full = self.law.propose_starts(variables, loss, n_starts=n_starts, rng=rng)
        return np.delete(full, self.law.parameter_names.index(TIED), axis=-1)

    def derive(self, theta: Array) -> dict[str, Array]:
        """What follows from all constants."""
        return self.law.derive(self.complete(theta))

    def complete(self, theta: Array) -> Array:
        """Put alpha among the constants that are left, (..., all constants)."""
        beta = theta[..., self.parameter_names.index(FREE)]
        place = self.law.parameter_names.index(TIED)
        return np.insert(theta, place, beta * self._share, axis=-1)

    @property
    def _share(self) -> float:
        return (1 - self.a) / self.a


def has_exponent(law: AbstractLaw, theta: Array) -> bool:
    """Whether a law's a is beta/(alpha + beta) of constants that are free.

    Args:
        law: the law.
        theta: (p,) parameters at which to look.
    """
    names = law.parameter_names
    if TIED not in names or FREE not in names:
        return False
    alpha, beta = (theta[names.index(name)] for name in (TIED, FREE))
    derived = law.derive(theta).get("a")
    return derived is not None and bool(np.isclose(derived, beta / (alpha + beta), rtol=1e-9))
