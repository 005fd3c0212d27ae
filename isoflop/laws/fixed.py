"""A law with some of its constants held: what is known need not be fitted."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.laws.law import AbstractLaw, Array, Parameter, Variables


@dataclass(frozen=True)
class FixedLaw(AbstractLaw):
    """Another law, some of its constants given.

    Made by `fix_constants`, which checks names and bounds.

    Args:
        law: the law whose constants are held.
        values: (constant, value) pairs, in the law's order.

    >>> from isoflop.laws.power import PowerConstantLaw
    >>> law = fix_constants(PowerConstantLaw("n_params"), {"E": 2.0})
    >>> law.parameter_names, law.form
    (('A', 'alpha'), 'E + A/n_params**alpha with E = 2')
    >>> law.predict(np.array([10.0, 0.5]), {"n_params": np.array([4.0, 100.0])})
    array([7., 3.])
    """

    law: AbstractLaw
    values: tuple[tuple[str, float], ...]

    def __post_init__(self) -> None:
        _check(self.law, dict(self.values))

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
    def falls_with(self) -> object:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Columns that never raise the inner law's prediction."""
        return self.law.falls_with

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The constants that are left."""
        held = dict(self.values)
        return tuple(p for p in self.law.parameters if p.name not in held)

    @cached_property
    def linear(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Those of the inner law's linear constants that are left."""
        held = dict(self.values)
        return tuple(name for name in self.law.linear if name not in held)

    @property
    def form(self) -> str:
        """The inner formula and what is held."""
        return self.law.form + " with " + ", ".join(f"{n} = {v:.15g}" for n, v in self.values)

    @property
    def variables(self) -> tuple[str, ...]:
        """The columns it reads."""
        return self.law.variables

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict, (..., n_runs)."""
        return self.law.predict(self.complete(theta), variables)

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate by the constants that are left, (..., n_runs, p)."""
        return self.law.gradient(self.complete(theta), variables)[..., self._free]

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """The inner law's starts, without what is held."""
        full = self.law.propose_starts(variables, loss, n_starts=n_starts, rng=rng)
        return full[:, self._free]

    def derive(self, theta: Array) -> dict[str, Array]:
        """What follows from all constants, and those that are held."""
        full = self.complete(theta)
        held = {name: np.full(theta.shape[:-1], value) for name, value in self.values}
        return {**held, **self.law.derive(full)}

    def complete(self, theta: Array) -> Array:
        """Put what is held among the constants that are left, (..., all constants)."""
        names = self.law.parameter_names
        full = np.empty((*theta.shape[:-1], len(names)), dtype=np.result_type(theta, float))
        full[..., self._free] = theta
        for name, value in self.values:
            full[..., names.index(name)] = value
        return full

    @cached_property
    def _free(self) -> list[int]:
        held = dict(self.values)
        return [k for k, name in enumerate(self.law.parameter_names) if name not in held]


def fix_constants(law: AbstractLaw, values: Mapping[str, float]) -> AbstractLaw:
    """Hold some constants of a law.

    Args:
        law: the law.
        values: {constant: value}, within the law's bounds.

    Returns:
        The law of the other constants; the law itself if nothing is held.

    Raises:
        UnknownNameError: no such constant.
        InputError: a value beyond its bounds, or nothing left to fit.
    """
    if not values:
        return law
    if isinstance(law, FixedLaw):
        return fix_constants(law.law, {**dict(law.values), **values})
    _check(law, values)
    ordered = ((n, float(values[n])) for n in law.parameter_names if n in values)
    return FixedLaw(law, tuple(ordered))


def parse_fixed(texts: Sequence[str]) -> dict[str, float]:
    """Read `E=1.69`, several to a text with commas between.

    >>> parse_fixed(["E=1.69,alpha=0.34"])
    {'E': 1.69, 'alpha': 0.34}
    """
    values: dict[str, float] = {}
    for pair in (pair for text in texts for pair in text.split(",")):
        name, _, number = (part.strip() for part in pair.partition("="))
        try:
            values[name] = float(number) if number.isascii() and "_" not in number else math.nan
        except ValueError:
            values[name] = math.nan
        if not name or not math.isfinite(values[name]):
            raise InputError(f"--fix wants NAME=NUMBER such as E=1.69, found {pair[:60]!r}")
    return values


def _check(law: AbstractLaw, values: Mapping[str, float]) -> None:
    parameters = {parameter.name: parameter for parameter in law.parameters}
    for name, value in values.items():
        if name not in parameters:
            raise UnknownNameError(f"constant of {law.name}", name, parameters)
        low, high = parameters[name].low, parameters[name].high
        if not low <= value <= high:
            raise InputError(f"{name} = {value:g} lies outside its bounds {low:g} … {high:g}")
    if len(values) == len(parameters):
        raise InputError(
            f"all {len(values)} constants of {law.name} are fixed; none is left to fit"
        )
