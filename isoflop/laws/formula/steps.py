"""What can be done with a formula's steps: evaluate, differentiate, write out.

Every function here runs the same stack machine over the same steps, each with its own idea of
a value, as `linear_names` does; none recurses, so no formula can exhaust the stack.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from isoflop.laws.formula.parser import Step
from isoflop.laws.law import Array

Value = TypeVar("Value")
Slopes = dict[str, Array]


@dataclass(frozen=True)
class Dual:
    """A value and its derivatives by the names it depends on.

    Args:
        value: (..., n) float or complex.
        slopes: {name: (..., n)}, absent where zero.
    """

    value: Any
    slopes: Slopes


def run_steps(
    steps: Sequence[Step], push: Callable[[Step], Value], call: Callable[[Step, list[Value]], Value]
) -> Value:
    """Run the stack machine: `push` numbers and names, `call` signs and functions."""
    stack: list[Value] = []
    for step in steps:
        if step.kind == "call":
            values = stack[-step.count :]
            del stack[-step.count :]
            stack.append(call(step, values))
        else:
            stack.append(push(step))
    return stack[0]


def names_of(steps: Sequence[Step]) -> tuple[str, ...]:
    """Names in a formula, each once, in the order of their first appearance."""
    return tuple(dict.fromkeys(step.text for step in steps if step.kind == "name"))


def evaluate(steps: Sequence[Step], values: Mapping[str, Any]) -> Any:
    """Value of a formula, float or complex, of the shape its values broadcast to."""
    return run_steps(
        steps,
        lambda step: step.value if step.kind == "number" else values[step.text],
        lambda step, given: _VALUES[step.text](*given),
    )


def differentiate(
    steps: Sequence[Step], values: Mapping[str, Any], by: Sequence[str]
) -> tuple[Any, Slopes]:
    """Value and exact derivatives of a formula, by forward mode.

    Args:
        steps: the formula.
        values: {name: array}, which broadcast together.
        by: names to differentiate by.

    Returns:
        The value, and {name: derivative}, absent where it is zero everywhere.
    """

    def push(step: Step) -> Dual:
        if step.kind == "number":
            return Dual(step.value, {})
        return Dual(values[step.text], {step.text: 1.0} if step.text in by else {})  # pyright: ignore[reportArgumentType]

    result = run_steps(steps, push, _call_dual)
    return result.value, result.slopes


def _call_dual(step: Step, given: list[Dual]) -> Dual:
    """Value and slopes of one call: the sum over its arguments of partial times slope."""
    values = [dual.value for dual in given]
    value = _VALUES[step.text](*values)
    slopes: Slopes = {}
    for place, dual in enumerate(given):
        if dual.slopes:
            partial = _partial(step.text, place, values, value)
            for name, slope in dual.slopes.items():
                term = partial * slope
                slopes[name] = slopes[name] + term if name in slopes else term
    return Dual(value, slopes)


def _power(base: Any, exponent: Any) -> Any:
    if isinstance(exponent, float):
        return base**exponent
    return np.exp(exponent * np.log(base))


def _pick(places: Callable[[Any], Any]) -> Callable[..., Any]:
    """Smallest or largest argument by its real part."""

    def pick(*values: Any) -> Any:
        spread = np.broadcast_arrays(*values)
        chosen = places(np.stack([np.real(value) for value in spread]))
        return np.take_along_axis(np.stack(spread), chosen[None], axis=0)[0]

    return pick


_VALUES: Mapping[str, Callable[..., Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": _power,
    "neg": lambda a: -a,
    "exp": np.exp,
    "log": np.log,
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "min": _pick(lambda stacked: np.argmin(stacked, axis=0)),
    "max": _pick(lambda stacked: np.argmax(stacked, axis=0)),
}


def _partial(text: str, place: int, values: list[Any], value: Any) -> Any:
    """Derivative of a call by its argument at a place."""
    first, last = values[0], values[-1]
    match text:
        case "+":
            return 1.0
        case "-":
            return 1.0 - 2.0 * place
        case "*":
            return values[1 - place]
        case "/":
            return -value / last if place else 1.0 / last
        case "**":
            return value * np.log(first) if place else last * _power(first, last - 1.0)
        case "neg":
            return -1.0
        case "exp":
            return value
        case "log":
            return 1.0 / first
        case "log1p":
            return 1.0 / (1.0 + first)
        case "sqrt":
            return 0.5 / value
        case _:
            stacked = np.stack([np.real(v) for v in np.broadcast_arrays(*values)])
            chosen = np.argmin(stacked, axis=0) if text == "min" else np.argmax(stacked, axis=0)
            return (chosen == place).astype(np.float64)


_RANK = {"+": 1, "-": 1, "*": 2, "/": 2, "neg": 3, "**": 4}


def write_steps(steps: Sequence[Step]) -> str:
    """Write a formula out in one canonical way, which parses to the same steps.

    >>> from isoflop.laws.formula.parser import parse_formula
    >>> write_steps(parse_formula("(E)+((A*x**-(alpha)))"))
    'E + A*x**-alpha'
    """

    def push(step: Step) -> tuple[str, int]:
        if step.kind == "name":
            return step.text, 9
        return _number(step.value), 9 if step.value >= 0 else 3

    def call(step: Step, given: list[tuple[str, int]]) -> tuple[str, int]:
        if step.text not in _RANK:
            return f"{step.text}({', '.join(text for text, _ in given)})", 9
        rank = _RANK[step.text]
        if step.text == "neg":
            return f"-{_within(given[0], rank)}", rank
        space = " " if rank == 1 else ""
        # Left-associative, but for powers: a - (b - c) keeps its parentheses, (a - b) - c not.
        left = _within(given[0], rank + (rank == 4))
        right = _within(given[1], 3 if rank == 4 else rank + 1)
        return f"{left}{space}{step.text}{space}{right}", rank

    return run_steps(steps, push, call)[0]


def _within(part: tuple[str, int], rank: int) -> str:
    return part[0] if part[1] >= rank else f"({part[0]})"


def _number(value: float) -> str:
    """Shortest text that reads back as the same float."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
