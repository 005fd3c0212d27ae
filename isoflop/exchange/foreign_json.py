"""JSON that other tools wrote: NaN allowed, since Python's own writer writes it; depth bounded."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from isoflop.base.errors import InputError

Scalar = str | float | int | bool | None
MAX_KEYS = 4096
MAX_DEPTH = 64


def parse_json(text: str, *, source: str) -> Any:
    """Parse one JSON document; NaN and infinities become floats, which readers count.

    Raises:
        InputError: malformed, or nested too deeply.

    >>> parse_json('{"loss": NaN}', source="state.json")
    {'loss': nan}
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise InputError(f"{source}: nested too deeply") from None
    except ValueError as error:
        raise InputError(f"{source}: not valid JSON ({error})") from None


def flatten(document: Mapping[str, Any], *, prefix: str = "") -> dict[str, Scalar]:
    """Return the scalars of nested objects under dotted names; lists are left out.

    Private keys (`_wandb`, …) are left out too.

    >>> flatten({"lr": 0.1, "model": {"n_layer": 2, "tags": ["a"]}})
    {'lr': 0.1, 'model.n_layer': 2}
    """
    cells: dict[str, Scalar] = {}
    for name, value in _leaves(document, prefix, 0):
        if len(cells) >= MAX_KEYS:
            break
        cells[name] = value
    return cells


def number(value: object) -> float | None:
    """Return a number as float, NaN and infinities included; None for anything else.

    >>> number("NaN"), number(True), number("3.5e2")
    (nan, None, 350.0)
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        if not value.isascii() or "_" in value or len(value) > 64:
            return None
    elif not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf
    except ValueError:
        return None


def _leaves(document: object, name: str, depth: int) -> Iterator[tuple[str, Scalar]]:
    if isinstance(document, Mapping):
        if depth < MAX_DEPTH:
            for key, value in document.items():
                if not str(key).startswith("_"):
                    yield from _leaves(value, f"{name}.{key}" if name else str(key), depth + 1)
    elif document is None or isinstance(document, str | int | float | bool):
        yield name, document
