"""Read a formula into a list of steps, through a whitelist and nothing else.

The grammar, all of it::

    sum     = product {("+" | "-") product}
    product = unary {("*" | "/") unary}
    unary   = "-" unary | power
    power   = atom ["**" unary]
    atom    = number | name | function "(" sum {"," sum} ")" | "(" sum ")"

Names are ASCII letters, digits and underscores; functions are those of `FUNCTIONS`. There are no
attributes, subscripts, strings, keywords or comparisons, and no Python is run: what comes out is
a list of steps of a stack machine, which `isoflop.laws.formula.steps` evaluates in float64.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from isoflop.laws.formula.tokens import FormulaError, Token, mark_place, tokenize

FUNCTIONS: Mapping[str, tuple[int, int]] = {
    "exp": (1, 1),
    "log": (1, 1),
    "log1p": (1, 1),
    "sqrt": (1, 1),
    "min": (2, 8),
    "max": (2, 8),
}
"""{function: (fewest, most arguments)}; log is the natural one."""

MAX_DEPTH = 40
"""Parentheses, powers and signs within each other."""
MAX_EXPONENT = 100.0
"""Largest constant exponent: 9**9**9 is no law."""
_MATH: Mapping[str, Callable[[float], float]] = {
    "exp": math.exp,
    "log": math.log,
    "log1p": math.log1p,
    "sqrt": math.sqrt,
}


@dataclass(frozen=True)
class Step:
    """One step of a stack machine.

    Args:
        kind: `number` and `name` push; `call` takes `count` values, and gives one.
        text: the name, or the sign or function called; `neg` is the sign of one value.
        value: the number.
        count: values taken.
    """

    kind: str
    text: str = ""
    value: float = 0.0
    count: int = 0


@lru_cache(maxsize=256)
def parse_formula(text: str) -> tuple[Step, ...]:
    """Parse a formula into steps in postfix order.

    Args:
        text: such as `E + A/n_params**alpha`, at most 2,000 characters.

    Raises:
        FormulaError: anything outside the grammar, too long, too deep, a number that is no
            float64, or a constant exponent beyond 100.

    >>> [step.text or step.value for step in parse_formula("2*x**-a")]
    [2.0, 'x', 'a', 'neg', '**', '*']
    """
    parser = _Parser(tokenize(text), text)
    parser.sum(0)
    if parser.peek().kind != "end":
        parser.refuse("expected + - * / ** or the end")
    return tuple(parser.steps)


class _Parser:
    """Recursive descent with a depth limit; every level of recursion is one of nesting."""

    def __init__(self, tokens: list[Token], text: str) -> None:
        self.tokens, self.text, self.place = tokens, text, 0
        self.steps: list[Step] = []

    def peek(self) -> Token:
        return self.tokens[self.place]

    def take(self) -> Token:
        self.place += 1
        return self.tokens[self.place - 1]

    def takes(self, *signs: str) -> str:
        """Take the next token if it is one of these signs."""
        token = self.peek()
        return self.take().text if token.kind == "sign" and token.text in signs else ""

    def refuse(self, problem: str) -> None:
        raise FormulaError(mark_place(self.text, self.peek().at, problem))

    def sum(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            self.refuse(f"nested deeper than {MAX_DEPTH}")
        self.product(depth)
        while sign := self.takes("+", "-"):
            self.product(depth)
            self.call(sign, 2)

    def product(self, depth: int) -> None:
        self.unary(depth)
        while sign := self.takes("*", "/"):
            self.unary(depth)
            self.call(sign, 2)

    def unary(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            self.refuse(f"nested deeper than {MAX_DEPTH}")
        if self.takes("-"):
            self.unary(depth + 1)
            self.call("neg", 1)
        else:
            self.power(depth)

    def power(self, depth: int) -> None:
        self.atom(depth)
        if self.takes("**"):
            start = len(self.steps)
            self.unary(depth + 1)
            exponent = self.steps[start:]
            if len(exponent) == 1 and abs(exponent[0].value) > MAX_EXPONENT:
                self.refuse(f"exponent {exponent[0].value:g}; at most {MAX_EXPONENT:g} is allowed")
            self.call("**", 2)

    def atom(self, depth: int) -> None:
        token = self.peek()
        if token.kind == "number":
            self.take()
            self.steps.append(Step("number", value=float(token.text)))
        elif token.kind == "name" and self.tokens[self.place + 1].text == "(":
            self.function(depth)
        elif token.kind == "name":
            if token.text in FUNCTIONS:
                self.refuse(f"{token.text} is a function; expected {token.text}(…)")
            self.take()
            self.steps.append(Step("name", token.text))
        elif self.takes("("):
            self.sum(depth + 1)
            self.close()
        else:
            self.refuse("expected a number, a name or (")

    def function(self, depth: int) -> None:
        name = self.peek().text
        if name not in FUNCTIONS:
            self.refuse(f"unknown function {name}; known: {', '.join(FUNCTIONS)}")
        self.take()
        self.take()
        count = 1
        self.sum(depth + 1)
        while self.takes(","):
            self.sum(depth + 1)
            count += 1
        fewest, most = FUNCTIONS[name]
        if not fewest <= count <= most:
            self.refuse(f"{name} takes {fewest}{f' to {most}' * (most > fewest)}, found {count}")
        self.close()
        self.call(name, count)

    def close(self) -> None:
        if not self.takes(")"):
            self.refuse("expected )")

    def call(self, text: str, count: int) -> None:
        """Add a step; where it takes constants only, compute it now."""
        taken = self.steps[-count:]
        if all(step.kind == "number" for step in taken):
            value = _fold(text, [step.value for step in taken])
            if not math.isfinite(value):
                self.refuse("a constant part of the formula is not a finite number")
            self.steps[-count:] = [Step("number", value=value)]
        else:
            self.steps.append(Step("call", text, count=count))


def _fold(text: str, values: list[float]) -> float:
    """Compute a call of constants in float64; NaN where it has no value."""
    first, second = values[0], values[-1]
    try:
        match text:
            case "+":
                return first + second
            case "-":
                return first - second
            case "*":
                return first * second
            case "/":
                return first / second
            case "**":
                return math.pow(first, second)
            case "neg":
                return -first
            case "min":
                return min(values)
            case "max":
                return max(values)
            case _:
                return _MATH[text](first)
    except (ArithmeticError, ValueError):
        return math.nan
