"""The constants of a formula: which names they are, their bounds, and how a user declares them."""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.laws.formula.linear import Dependence
from isoflop.laws.formula.parser import Step
from isoflop.laws.formula.steps import run_steps
from isoflop.laws.formula.tokens import FormulaError
from isoflop.laws.law import Parameter
from isoflop.runs.columns import ALIASES, NUMBER_COLUMNS, TEXT_COLUMNS

LETTERS: Mapping[str, str] = {"N": "n_params", "D": "n_tokens", "C": "flops"}
"""What these capitals always mean in a formula, as in the heading of a run table; E, A, B, L, and
all small letters are free for constants."""

ADDED = (0.0, 1e6)
"""Bounds of a constant that is only added, such as an irreducible loss."""
RAISED = (1e-3, 20.0)
"""Bounds of an exponent; the published ones lie between .03 and 6."""
OTHER = (1e-15, 1e40)
"""Bounds of coefficients and scales."""
ANY = (-1e30, 1e30)
"""Bounds of a constant declared to have any sign."""

_DECLARATION = re.compile(
    r"\s*(?P<name>\w+)\s*=\s*(?:(?P<any>any)|(?P<low>[^.@\s]\S*?)\s*\.\.\s*(?P<high>[^@\s]+))?"
    r"\s*(?:@\s*(?P<start>\S+))?\s*",
    re.ASCII,
)


@dataclass(frozen=True)
class Declared:
    """What a user says about a constant.

    Args:
        name: its name.
        bounds: lowest and highest value, None for the default ones.
        start: where the search begins, None for anywhere.
    """

    name: str
    bounds: tuple[float, float] | None = None
    start: float | None = None


def parse_declaration(text: str) -> Declared:
    """Read `alpha=0.01..2`, `b=any`, `A=1..1e6@400` or `alpha=@0.3`.

    >>> parse_declaration("alpha=0.01..2@0.3")
    Declared(name='alpha', bounds=(0.01, 2.0), start=0.3)
    """
    found = _DECLARATION.fullmatch(text)
    if found is None or not (found["any"] or found["low"] or found["start"]):
        raise InputError(
            f"--param wants NAME=LOW..HIGH, NAME=any or NAME=LOW..HIGH@START, found {text[:60]!r}"
        )
    bounds = ANY if found["any"] else None
    if found["low"]:
        bounds = (_number(found["low"], text), _number(found["high"], text))
        if not bounds[0] < bounds[1]:
            raise InputError(f"--param {text[:60]}: the lower bound is not below the upper one")
    start = _number(found["start"], text) if found["start"] else None
    if bounds and start is not None and not bounds[0] <= start <= bounds[1]:
        raise InputError(f"--param {text[:60]}: the start lies outside the bounds")
    return Declared(found["name"], bounds, start)


def _number(text: str, whole: str) -> float:
    try:
        value = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"--param {whole[:60]}: {text[:30]!r} is not a finite number")
    return value


def sort_names(
    steps: Sequence[Step], columns: Collection[str], declared: Collection[str]
) -> tuple[tuple[Step, ...], tuple[str, ...], tuple[str, ...]]:
    """Tell the columns of a formula from its constants.

    Args:
        steps: the formula.
        columns: names of columns, beyond those every run table may have.
        declared: names declared to be constants; they win over columns.

    Returns:
        The steps with N, D and C written out, the columns, and the constants.

    Raises:
        FormulaError: no column or no constant, a column of text, or a constant whose name is
            nearly that of a column and was not declared.
    """
    known = (set(columns) | set(NUMBER_COLUMNS)) - set(declared)
    full = tuple(
        replace(step, text=LETTERS[step.text])
        if step.kind == "name" and step.text in LETTERS and step.text not in known | set(declared)
        else step
        for step in steps
    )
    names = dict.fromkeys(step.text for step in full if step.kind == "name")
    variables = tuple(name for name in names if name in known)
    constants = tuple(name for name in names if name not in known)
    for name in variables:
        if name in TEXT_COLUMNS:
            raise FormulaError(f"column `{name}` holds text, and a formula needs numbers")
    for name in constants:
        if name not in declared:
            _check_not_misspelt(name, known)
    if not variables:
        raise FormulaError(
            f"no column in the formula, only constants ({', '.join(constants) or 'none'}); write "
            "the columns as in n_params, n_tokens, flops, or N, D, C for these"
        )
    if not constants:
        raise FormulaError("no constant to fit in the formula, only columns and numbers")
    strangers = [name for name in declared if name not in constants]
    if strangers:
        raise UnknownNameError("constant", strangers[0], constants)
    return full, variables, constants


def _check_not_misspelt(name: str, known: Collection[str]) -> None:
    """Refuse a constant that looks like a column: it would be fitted without a word."""
    key = name.lower()
    for column, aliases in ALIASES.items():
        if column in NUMBER_COLUMNS and len(key) > 2 and (key == column or key in aliases):
            raise FormulaError(f"`{name}` is not a column; write {column}, or --param {name}=…")
    near = get_close_matches(name, sorted(known), n=1, cutoff=0.85) if len(name) > 3 else []
    if near:
        raise FormulaError(
            f"`{name}` is not a column; did you mean {near[0]}? If it is a constant, declare it "
            f"with --param {name}=LOW..HIGH"
        )


def make_parameters(
    steps: Sequence[Step], constants: Sequence[str], declared: Mapping[str, Declared]
) -> tuple[Parameter, ...]:
    """Give every constant its bounds and scale.

    By default constants are positive and searched on a log scale; one that is only added, such
    as E, may be zero. A declared range with a low end of zero or less is searched linearly.
    """
    roles = find_roles(steps, constants)
    parameters = []
    for name in constants:
        low, high = roles[name]
        if name in declared and (bounds := declared[name].bounds):
            low, high = bounds
        scale = "log" if low > 0 else "linear"
        parameters.append(Parameter(name, "", low, high, scale))
    return tuple(parameters)


def find_roles(steps: Sequence[Step], constants: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return each constant's default bounds, by where it stands: ADDED, RAISED or OTHER."""
    raised: set[str] = set()

    def push(step: Step) -> Dependence:
        named = step.kind == "name" and step.text in constants
        return Dependence(frozenset([step.text]) if named else frozenset())

    def call(step: Step, given: list[Dependence]) -> Dependence:
        # `curved` holds what has been through anything but a sum.
        present = frozenset().union(*(part.present for part in given))
        curved = frozenset().union(*(part.curved for part in given))
        if step.text == "**":
            raised.update(given[1].present)
        bare: frozenset[str] = frozenset()
        if step.text in ("+", "-") and given[0].present.isdisjoint(given[1].present):
            bare = present if step.text == "+" else given[0].present
        return Dependence(present, curved | (present - bare))

    curved = run_steps(steps, push, call).curved
    return {
        name: RAISED if name in raised else OTHER if name in curved else ADDED for name in constants
    }
