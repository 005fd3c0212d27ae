"""Laws that users write down: `E + A/n_params**alpha + B/n_tokens**beta`.

The text goes through our own parser; its derivatives are exact, by forward mode; the constants it
is linear in are found, so that starting points come from the data.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from isoflop.base.errors import InputError
from isoflop.laws.formula.allocation import power_exponents
from isoflop.laws.formula.constants import LETTERS, make_parameters, parse_declaration, sort_names
from isoflop.laws.formula.linear import linear_names
from isoflop.laws.formula.parser import Step, parse_formula
from isoflop.laws.formula.starts import draw_starts
from isoflop.laws.formula.steps import differentiate, evaluate, write_steps
from isoflop.laws.formula.tokens import FormulaError
from isoflop.laws.law import AbstractLaw, Array, Parameter, Variables
from isoflop.runs.columns import TEXT_COLUMNS


@dataclass(frozen=True)
class FormulaLaw(AbstractLaw):
    """A law written as text.

    Made by `FormulaLaw.parse`, which tells columns from constants and gives these bounds.

    Args:
        text: the right-hand side, in its canonical spelling.
        columns: the names in it that are columns of the run table.
        constants: the others, in the order they appear, with their bounds.
        starts: (constant, value) pairs where a search begins.
        predicts: the column it predicts.

    >>> law = FormulaLaw.parse("E + A/N**alpha")
    >>> law.form, law.variables, law.parameter_names, law.linear
    ('E + A/n_params**alpha', ('n_params',), ('E', 'A', 'alpha'), ('E', 'A'))
    >>> law.predict(np.array([2.0, 10.0, 0.5]), {"n_params": np.array([4.0, 100.0])})
    array([7., 3.])
    """

    text: str
    columns: tuple[str, ...]
    constants: tuple[Parameter, ...]
    starts: tuple[tuple[str, float], ...] = ()
    predicts: str = "loss"

    name: ClassVar[str] = "formula"

    def __post_init__(self) -> None:
        names = {step.text for step in self.steps if step.kind == "name"}
        if names != {*self.columns, *self.parameter_names}:
            raise InputError("the columns and constants of a formula law are not those of its text")

    @staticmethod
    def parse(
        text: str, *, columns: Collection[str] = (), params: Sequence[str] = ()
    ) -> "FormulaLaw":
        """Read a formula; what is not a column is a constant.

        Args:
            text: `formula`, or `column = formula` to predict another column than the loss.
                Numbers, names, + - * / **, parentheses, exp log log1p sqrt min max. N, D and C
                mean n_params, n_tokens and flops.
            columns: columns of the run table, beyond those every run table may have.
            params: declarations: `alpha=0.01..2` bounds a constant, `b=any` allows any sign,
                `A=1..1e6@400` starts there. Constants are positive otherwise.

        Raises:
            FormulaError: a formula outside the grammar, or without columns or constants.
            InputError: a declaration that cannot be read, or of a name not in the formula.
        """
        response, text = _split_response(text)
        declared = {each.name: each for each in map(parse_declaration, params)}
        steps, variables, constants = sort_names(parse_formula(text), columns, declared)
        if response in variables:
            raise FormulaError(f"the formula predicts `{response}` from itself")
        starts = tuple((d.name, d.start) for d in declared.values() if d.start is not None)
        parameters = make_parameters(steps, constants, declared)
        return FormulaLaw(write_steps(steps), variables, parameters, starts, response)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The parsed text."""
        return parse_formula(self.text)

    @property
    def parameters(self) -> tuple[Parameter, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Its constants."""
        return self.constants

    @property
    def response(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The column it predicts."""
        return self.predicts

    @property
    def source(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Which names are columns."""
        return f"your formula of the column{'s' * (len(self.columns) > 1)} " + ", ".join(
            self.columns
        )

    @property
    def form(self) -> str:
        """The formula."""
        return self.text

    @property
    def variables(self) -> tuple[str, ...]:
        """The columns it reads."""
        return self.columns

    @cached_property
    def linear(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Constants in which it is jointly linear."""
        return linear_names(self.steps, self.parameter_names)

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict, (..., n_runs); NaN where the formula has no value."""
        with np.errstate(all="ignore"):
            found = evaluate(self.steps, self._values(theta, variables))
        return np.broadcast_to(found, self._shape(theta, variables)).copy()

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate by forward mode, (..., n_runs, p)."""
        values, shape = self._values(theta, variables), self._shape(theta, variables)
        with np.errstate(all="ignore"):
            _, slopes = differentiate(self.steps, values, self.parameter_names)
        gradient = np.zeros((*shape, len(self.parameters)), dtype=np.result_type(theta, float))
        for k, name in enumerate(self.parameter_names):
            gradient[..., k] = slopes.get(name, 0.0)
        return gradient

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw what is not linear, solve for what is, keep those nearest the data."""
        return draw_starts(self, self.steps, variables, loss, n_starts=n_starts, rng=rng,
                           given=dict(self.starts))  # fmt: skip

    def derive(self, theta: Array) -> dict[str, Array]:
        """Exponents a, b of N_opt ∝ C^a, D_opt ∝ C^b under C = 6ND, where the terms show them.

        Of a loss that is constants plus a falling power of N and one of D; nothing of any other.
        """
        if self.exponents is None:
            return {}
        values = {name: theta[..., k] for k, name in enumerate(self.parameter_names)}
        alpha, beta = (np.asarray(evaluate(steps, values)) for steps in self.exponents)
        shape = theta.shape[:-1]
        a, b = (np.broadcast_to(part / (alpha + beta), shape).copy() for part in (beta, alpha))
        return {"a": a, "b": b}

    @cached_property
    def exponents(self) -> tuple[tuple[Step, ...], tuple[Step, ...]] | None:
        """Steps of the exponents of N and D, None where they cannot be told or named."""
        names = self.parameter_names
        if self.predicts != "loss" or {"a", "b"} & set(names):
            return None
        positive = [p.name for p in self.parameters if p.low >= 0]
        return power_exponents(self.steps, positive, names)

    def _values(self, theta: Array, variables: Variables) -> Mapping[str, Array]:
        constants = {name: theta[..., k, None] for k, name in enumerate(self.parameter_names)}
        return {**{name: variables[name] for name in self.columns}, **constants}

    def _shape(self, theta: Array, variables: Variables) -> tuple[int, ...]:
        n_runs = np.broadcast_shapes(*(np.shape(variables[name]) for name in self.columns))
        return np.broadcast_shapes(theta[..., 0, None].shape, n_runs)


def is_formula(text: str) -> bool:
    """Whether a text is meant as a formula rather than as the name of a law.

    >>> is_formula("E + A/N**alpha"), is_formula("power-constant")
    (True, False)
    """
    name = text.strip()
    return bool(name) and not (name[0].isalpha() and name.replace("-", "").replace("_", "")
                               .replace(".", "").replace(" ", "").isalnum())  # fmt: skip


def _split_response(text: str) -> tuple[str, str]:
    """Split `column = formula`; without a column it is the loss."""
    left, equals, right = text.partition("=")
    name = left.strip()
    if not equals or not (name.isascii() and name.isidentifier()):
        return "loss", text
    if name in TEXT_COLUMNS:
        raise FormulaError(f"column `{name}` holds text, and a law predicts numbers")
    return {**LETTERS, "L": "loss"}.get(name, name), right
