"""What can be read of a ladder file with mistakes of form, so that its rest is checked too."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import cattrs

from isoflop.runs.designs.dial import Dial

_Part = TypeVar("_Part")
_NOUGHT: Mapping[Any, Any] = {int: 0, float: 0.0, tuple[float, float]: (0.0, 0.0)}
"""What stands for an element of a list that could not be read."""


def read_part(converter: cattrs.Converter, value: Any, kind: type[_Part] | Any) -> _Part | None:
    """Return a value, None where its form is wrong: `structure` has told its mistakes."""
    try:
        return converter.structure(value, kind)
    except Exception:
        return None


def read_list(
    converter: cattrs.Converter, value: Any, kind: type[_Part]
) -> tuple[_Part, ...] | None:
    """Return what can be read of a list, None where it is none or nothing can."""
    if not isinstance(value, list):
        return None
    read = tuple(one for each in value if (one := read_part(converter, each, kind)) is not None)
    return read if read or not value else None


def read_fields(
    converter: cattrs.Converter, value: Any, kind: type[_Part]
) -> tuple[_Part | None, frozenset[str]]:
    """Read what can be read of a table with mistakes of form.

    Args:
        converter: of `make_converter`.
        value: whatever the file has there.
        kind: a dataclass that takes any values; a field without default is empty if unread.

    Returns:
        The dataclass, unread fields at their defaults, None if the value is no table; and the
        names of those fields.
    """
    if not isinstance(value, dict):
        return None, frozenset()
    types = get_type_hints(kind)
    required, good, unread = make_empty(kind), {}, set()
    for name in types.keys() & value.keys():
        good[name], wrong = _read_elements(converter, value[name], types[name])
        unread |= {f"{name}{place}" for place in wrong}
    unread |= required.keys() - good.keys()
    good = {name: each for name, each in good.items() if each is not None}
    return kind(**{**required, **good}), frozenset(unread)


def _read_elements(converter: cattrs.Converter, value: Any, kind: Any) -> tuple[Any, list[str]]:
    """Read a value, lists of numbers and tables of tables element by element.

    Returns:
        The value, with zeros or empty tables for elements that are none, None if it is none at
        all; and the places of those elements, such as `[1]`, `.d32` or, of the whole, nothing.
    """
    whole = read_part(converter, value, kind)
    if whole is not None:
        return whole, []
    kinds = get_args(kind)
    if get_origin(kind) is dict and isinstance(value, dict):
        each = kinds[1]
        read = {key: read_part(converter, one, each) for key, one in value.items()}
        places = [f".{key}" for key, one in read.items() if one is None]
        return {key: each() if one is None else one for key, one in read.items()}, places
    if isinstance(value, list) and kinds[1:] == (...,) and kinds[0] in _NOUGHT:
        each = kinds[0]
        read = [read_part(converter, one, each) for one in value]
        places = [f"[{index}]" for index, one in enumerate(read) if one is None]
        return tuple(_NOUGHT[each] if one is None else one for one in read), places
    return None, [""]


def make_empty(kind: type) -> dict[str, Any]:
    """Return an empty value for every field of a design that has no default."""
    return {
        each.name: Dial() if each.name == "dial" else ()
        for each in fields(kind)
        if each.default is MISSING and each.default_factory is MISSING
    }
