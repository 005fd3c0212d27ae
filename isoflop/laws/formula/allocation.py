"""The exponents of the optimum of a formula that is a sum of a power of N and a power of D.

Legend: N parameters, D tokens, C FLOPs. For L = E + A/N**alpha + B/D**beta under C = 6ND, setting
dL/dN to zero at fixed C gives N* ∝ C**a, D* ∝ C**b, a = beta/(alpha+beta), b = alpha/(alpha+beta)
(Hoffmann et al. 2022, eq. 4), whatever the constants are called and however the terms are written.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from isoflop.laws.formula.parser import Step
from isoflop.laws.formula.steps import run_steps

N, D = "n_params", "n_tokens"
ONE = (Step("number", value=1.0),)
SUMS = {"+": (1, 1), "-": (1, -1)}


@dataclass(frozen=True)
class Term:
    """A product: a constant times at most one variable to a constant power.

    Args:
        variable: the variable, "" for a constant.
        power: steps of the size of its exponent.
        falls: whether the exponent is negative; of a constant, whether `steps` are to be negated.
        positive: whether the constant in front is known to be positive; of a constant, its steps.
        steps: of a constant, to stand in an exponent; empty where there is a variable.
    """

    variable: str = ""
    power: tuple[Step, ...] = ()
    falls: bool = False
    positive: bool = True
    steps: tuple[Step, ...] = ()


Terms = tuple[Term, ...] | None
"""A sum of terms; None where it is none that is known."""


def power_exponents(
    steps: Sequence[Step], positive: Sequence[str], constants: Sequence[str]
) -> tuple[tuple[Step, ...], tuple[Step, ...]] | None:
    """Find the exponents of N and D of a separable law.

    Args:
        steps: the formula.
        positive: constants that are positive.
        constants: all constants; any other name is a variable.

    Returns:
        Steps of alpha and of beta, both positive; None unless the formula is constants plus one
        falling power of N and one of D.
    """

    def push(step: Step) -> Terms:
        if step.kind == "name":
            if step.text not in constants:
                return (Term(step.text, ONE),)
            return (Term(positive=step.text in positive, steps=(step,)),)
        size = Step("number", value=abs(step.value))
        return (Term(falls=step.value < 0, positive=step.value != 0, steps=(size,)),)

    terms = run_steps(steps, push, _call)
    varying = [term for term in terms or () if term.variable]
    if sorted(term.variable for term in varying) != [N, D]:
        return None
    if not all(term.falls and term.positive for term in varying):
        return None
    by_name = {term.variable: term.power for term in varying}
    return by_name[N], by_name[D]


def _call(step: Step, given: list[Terms]) -> Terms:
    parts = [part for part in given if part is not None]
    if len(parts) < len(given):
        return None
    if all(not term.variable for part in parts for term in part):
        return _constant(step, parts)
    if step.text in SUMS:
        return (*parts[0], *_signed(parts[1], SUMS[step.text][1]))
    if step.text == "neg":
        return _signed(parts[0], -1)
    if any(len(part) != 1 for part in parts):
        return None
    return _product(step.text, parts[0][0], parts[1][0]) if len(parts) == 2 else None


def _signed(terms: tuple[Term, ...], sign: int) -> tuple[Term, ...]:
    """Terms times a sign; a negative one is no longer known to be positive."""
    if sign > 0:
        return terms
    return tuple(replace(term, positive=False) for term in terms)


def _constant(step: Step, parts: list[tuple[Term, ...]]) -> Terms:
    """A constant made of constants: positive if its parts are and the step keeps that."""
    terms = [term for part in parts for term in part]
    if step.text == "neg":
        return (replace(terms[0], falls=not terms[0].falls),)
    every = all(_is_positive(term) for term in terms)
    kept = step.text in ("+", "*", "/", "sqrt", "min", "max") and every
    known = kept or step.text == "exp" or (step.text == "**" and _is_positive(terms[0]))
    made = tuple(each for term in terms for each in _written(term))
    return (Term(positive=known, steps=(*made, step)),)


def _is_positive(term: Term) -> bool:
    """Whether the constant in front, or a constant, is known to be positive."""
    return term.positive and (bool(term.variable) or not term.falls)


def _written(constant: Term) -> tuple[Step, ...]:
    """Steps of a constant, its sign among them."""
    return (*constant.steps, Step("call", "neg", count=1)) if constant.falls else constant.steps


def _product(text: str, left: Term, right: Term) -> Terms:
    """left·right, left/right or left**right of one term each, one of which varies."""
    both = _is_positive(left) and _is_positive(right)
    if text == "**":
        return _power(left, right)
    if left.variable and right.variable:
        return None
    if text == "*":
        varying = left if left.variable else right
        return (Term(varying.variable, varying.power, varying.falls, both),)
    if text == "/" and left.variable:
        return (Term(left.variable, left.power, left.falls, both),)
    if text == "/":
        return (Term(right.variable, right.power, not right.falls, both),)
    return None


def _power(base: Term, exponent: Term) -> Terms:
    """(c·x**p)**q with a constant q whose sign is known."""
    if exponent.variable or not (base.positive and exponent.positive) or base.power != ONE:
        return None
    return (Term(base.variable, exponent.steps, base.falls != exponent.falls, True),)
