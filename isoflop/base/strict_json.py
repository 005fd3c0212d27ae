"""JSON as the standard means it: no NaN, no duplicate keys, bounded depth; full precision."""

import json
import math
from collections.abc import Mapping
from typing import Any

from isoflop.base.errors import InputError


def dumps(document: object, *, indent: int | None = None) -> str:
    """Serialise with shortest-round-trip floats; refuse NaN and infinity.

    >>> dumps({"alpha": 0.1, "n": 3})
    '{"alpha": 0.1, "n": 3}'
    """
    return json.dumps(document, indent=indent, allow_nan=False, ensure_ascii=False)


def loads(text: str, *, source: str = "JSON") -> Any:
    """Parse strictly.

    Args:
        text: one JSON document.
        source: name used in the error, usually the file.

    Raises:
        InputError: malformed text, NaN or Infinity, a repeated key, or nesting too deep.

    >>> loads('{"a": 1}')
    {'a': 1}
    """
    try:
        return json.loads(text, **_HOOKS)
    except RecursionError:
        raise InputError(f"{source}: nested too deeply to be one of ours") from None
    except ValueError as error:
        raise InputError(f"{source}: not valid JSON ({error})") from None


def _unique_keys(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"key {twice!r} appears twice")
    return document


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _finite_float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text} is too large for a float")
    return value


_HOOKS: Mapping[str, Any] = {
    "object_pairs_hook": _unique_keys,
    "parse_constant": _refuse_constant,
    "parse_float": _finite_float,
}
