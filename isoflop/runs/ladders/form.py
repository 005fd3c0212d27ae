"""The form of a ladder file: tables and values turned into dataclasses, mistakes in plain words.

cattrs does the work; it would take `int("12")`, `tuple("sotu")` or `bool("no")`, and speaks of
Python's types.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from functools import partial
from typing import Any, Literal, get_args, get_origin

import cattrs
from cattrs.gen import make_dict_structure_fn, override
from cattrs.v import transform_error

from isoflop.accounting.architecture import Architecture
from isoflop.base.errors import SpecError, did_you_mean
from isoflop.runs.designs.dial import DIAL_KEYS, Dial, Own
from isoflop.runs.designs.tables import DESIGNS
from isoflop.runs.ladders.ladder import Evaluation, Ladder, Recipe, Rung
from isoflop.runs.ladders.shapes import MODEL_KEYS, foreign_keys, register_models

_SENSE = "sense"
"""Stands for the ladder's own error, whose mistakes `ladder_mistakes` lists."""
_WORDS: Mapping[Any, tuple[str, str]] = {
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    bool: ("true or false", "true or false"),
    str: ("text", "texts"),
    Rung: ("a table", "tables [[rungs]]"),
}
_LONGEST = 40
"""Characters of a wrong value that are shown."""


def make_converter() -> cattrs.Converter:
    """Return what reads the tables of a ladder file."""
    converter = cattrs.Converter(forbid_extra_keys=True)
    for kind in (int, float, bool, str):
        converter.register_structure_hook(kind, _exact)
    for origin, hook in ((Literal, _one_of), (tuple, _list), (dict, _tables)):
        is_it = partial(_is_of, origin)
        converter.register_structure_hook_func(is_it, partial(hook, converter))
    register_models(converter)
    for kind in (Recipe, Evaluation, Architecture, Rung, Ladder, Own, Dial, *DESIGNS.values()):
        hidden = {"design": override(omit=True)} if kind is Ladder else {}  # no key of a file
        table = make_dict_structure_fn(
            kind,
            converter,
            _cattrs_forbid_extra_keys=True,
            **hidden,  # pyright: ignore[reportArgumentType]
        )
        converter.register_structure_hook(kind, partial(_table, table))
    return converter


def structure(converter: cattrs.Converter, value: Any, kind: type) -> tuple[Any, list[str]]:
    """Return the dataclass and no mistakes, or None and its mistakes of form, paths first."""
    try:
        return converter.structure(value, kind), []
    except Exception as error:
        lines = transform_error(error, format_exception=_explain)
        return None, [each for line in lines for each in _sentences(line)]


def describe_kind(kind: Any, *, plural: bool = False) -> str:
    """Say in plain words what a key wants.

    >>> describe_kind(int), describe_kind(tuple[float, ...])
    ('a whole number', 'a list of numbers')
    >>> describe_kind(tuple[tuple[float, float], ...])
    'a list of lists of 2 numbers'
    """
    if get_origin(kind) is tuple:
        each, *rest = get_args(kind)
        number = "" if rest == [...] else f"{1 + len(rest)} "
        head = "lists" if plural else "a list"
        return f"{head} of {number}{describe_kind(each, plural=True)}"
    if get_origin(kind) is Literal:
        *first, last = get_args(kind)
        return f"{', '.join(first)} or {last}"
    return _WORDS.get(kind, ("a table", "tables"))[plural]


def shown(value: Any) -> str:
    """Show a wrong value as the file has it, shortened.

    >>> shown(True), shown("two"), shown({"a": 1})
    ('true', "'two'", 'a table')
    """
    if isinstance(value, dict):
        return "a table"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    text = repr(value) if isinstance(value, str) else text
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _is_of(origin: Any, kind: Any) -> bool:
    return get_origin(kind) is origin


def _wrong(value: Any, kind: Any) -> TypeError:
    return TypeError(f"is {shown(value)}, expected {describe_kind(kind)}")


def _exact(value: Any, kind: type) -> Any:
    """Accept a value of the declared type only, and a whole number for a number."""
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        wrong = _wrong(value, kind)
        if kind is int and isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
            wrong = TypeError(f"{wrong}; write {int(value)}")
        raise wrong
    return value


def _one_of(_converter: cattrs.Converter, value: Any, kind: Any) -> Any:
    """Accept one of the listed words."""
    if value not in get_args(kind):
        raise _wrong(value, kind)
    return value


def _list(converter: cattrs.Converter, value: Any, kind: Any) -> tuple[Any, ...]:
    """Accept a list only, of so many values where the kind says how many."""
    each, *rest = get_args(kind)
    if not isinstance(value, list) or (rest != [...] and len(value) != 1 + len(rest)):
        raise _wrong(value, kind)
    return tuple(converter.structure(value, list[each]))


def _tables(converter: cattrs.Converter, value: Any, kind: Any) -> dict[str, Any]:
    """Accept a table of tables only."""
    if not isinstance(value, dict):
        raise _wrong(value, kind)
    _, each = get_args(kind)
    return dict(converter.structure(value, Mapping[str, each]))


def _table(read: Callable[[Any, type], Any], value: Any, kind: type) -> Any:
    """Accept a table only."""
    if not isinstance(value, dict):
        raise _wrong(value, kind)
    return read(value, kind)


def _explain(error: BaseException, kind: Any) -> str:
    """Say what is wrong in words that follow a path, one mistake a line."""
    if isinstance(error, SpecError):
        return _SENSE
    if isinstance(error, KeyError):
        tables = ", ".join(f"[{name}]" for name in DESIGNS)
        instead = f", or one of the tables {tables}" if error.args[0] == "rungs" else ""
        wanted = "[[rungs]]" if error.args[0] == "rungs" else describe_kind(kind)
        return f"is missing, expected {wanted}{instead}"
    if isinstance(error, cattrs.ForbiddenExtraKeysError):
        if foreign := foreign_keys(error):
            return foreign
        known, keys = _known_keys(error.cl), sorted(error.extra_fields)
        return "\n".join(f"unknown key {key!r}{did_you_mean(key, known)}" for key in keys)
    # A shape lists its sizes that are none in one sentence.
    return re.sub(r"; (?=\w+ must be )", "\n", str(error))


def _known_keys(kind: type) -> list[str]:
    """The keys of a table, as the file has them."""
    known = [field.name for field in fields(kind) if field.name not in ("architecture", "dial")]
    known = [name for name in known if (kind, name) != (Ladder, "design")]
    known += ("family", *MODEL_KEYS) if kind is Rung else ()
    known += DIAL_KEYS if kind in DESIGNS.values() else ()
    return known + (list(DESIGNS) if kind is Ladder else [])


def _sentences(line: str) -> Iterator[str]:
    """Turn cattrs' 'message @ $.path' into 'path is …' and 'path: message'."""
    message, _, path = line.rpartition(" @ $")
    path = path.lstrip(".").replace(".architecture", "").replace(".shape", "")
    path = re.sub(r"\['([^']*)'\]", r".\1", path)  # tables by their names, as the file has them
    for each in message.split("\n"):
        if each != _SENSE:
            mark = " " if each.startswith("is ") else ": "
            yield f"{path}{mark}{each}" if path else each
