"""Values a training loop hands to the recorder: checked, and made plain for JSON."""

import math
import numbers
from collections.abc import Mapping
from typing import Any, TypeAlias

from isoflop.base.errors import InputError
from isoflop.base.units import LOSS_UNITS
from isoflop.runs.columns import NUMBER_COLUMNS, POSITIVE_COLUMNS, TEXT_COLUMNS

Value: TypeAlias = Any
"""Text, a number, True, False or None; scalars of NumPy, torch and JAX count as numbers."""

RESERVED = frozenset({"run", "loss", "status", "format", "diverged_step", "journal_sha256", "crc"})
"""Keys of run.json that the recorder writes itself."""

_LARGEST_INT = 2**63
"""Integers from here on are slips, and readers in other languages lose them."""


def check_columns(columns: Mapping[str, Value]) -> dict[str, Any]:
    """Return the columns of a run, plain; None is left out.

    Raises:
        InputError: a reserved name, or a value of the wrong kind, negative or not finite.

    >>> check_columns({"n_params": 1000, "family": "demo", "lr": None})
    {'n_params': 1000, 'family': 'demo'}
    """
    checked = {}
    for name, value in columns.items():
        if name in RESERVED:
            raise InputError(f"`{name}` is written by the recorder itself; leave it out")
        if value is not None:
            checked[name] = _check_column(name, value)
    return checked


def _check_column(name: str, value: Value) -> Any:
    if name in TEXT_COLUMNS:
        if not isinstance(value, str):
            raise InputError(f"`{name}` is {_shown(value)}, expected text")
        if name == "loss_unit" and value not in LOSS_UNITS:
            raise InputError(
                f"`loss_unit` is {value!r:.40}, expected one of {', '.join(LOSS_UNITS)}"
            )
        return value
    plain = check_value(name, value, number=name in NUMBER_COLUMNS)
    if plain is None:
        raise InputError(f"`{name}` is {_shown(value)}, expected a finite number")
    if name in NUMBER_COLUMNS and (plain < 0 or (name in POSITIVE_COLUMNS and plain == 0)):
        least = "above zero" if name in POSITIVE_COLUMNS else "of zero or more"
        raise InputError(f"`{name}` is {plain}, expected a number {least}")
    return plain


def check_count(name: str, value: Value) -> int:
    """Return a whole number of zero or more.

    Raises:
        InputError: anything else.

    >>> check_count("n_tokens", 65536)
    65536
    """
    plain = check_value(name, value, number=True)
    if plain is None or plain != int(plain) or plain < 0:
        raise InputError(f"`{name}` is {_shown(value)}, expected a whole number of zero or more")
    return int(plain)


def check_value(name: str, value: Value, *, number: bool = False) -> Any:
    """Return a value as JSON has it; a number that is not finite becomes None.

    Args:
        name: for the message.
        value: what the loop handed over.
        number: whether only a number will do.

    Raises:
        InputError: a value of another kind.

    >>> check_value("loss", float("nan"), number=True) is None
    True
    """
    if hasattr(value, "item") and not isinstance(value, numbers.Number):
        value = _scalar(name, value)
    if not number and (value is None or isinstance(value, str | bool)):
        return value
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        if abs(int(value)) < _LARGEST_INT:
            return int(value)
        return float(value) if abs(int(value)) < 10**300 else None
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        return float(value) if math.isfinite(value) else None
    kinds = "a number" if number else "a number, text, True, False or None"
    raise InputError(f"`{name}` is {_shown(value)}, expected {kinds}")


def _scalar(name: str, value: Value) -> Any:
    """The Python number of a scalar array of whatever framework."""
    try:
        return value.item()
    except (TypeError, ValueError, RuntimeError):
        raise InputError(
            f"`{name}` is {_shown(value)} of several values, expected one number"
        ) from None


def _shown(value: Value) -> str:
    return f"{value!r:.40}" if isinstance(value, str | int | float) else f"a {type(value).__name__}"
