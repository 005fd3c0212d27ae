"""TOML whose mistakes end in one sentence, nesting too deep among them."""

import tomllib
from typing import Any

from isoflop.base.errors import SpecError

_LARGEST = 2**63
"""TOML's own bound of an integer; beyond some thousand digits Python would not print it either."""


def loads(text: str, *, source: str = "TOML") -> dict[str, Any]:
    """Parse a TOML document.

    Args:
        text: the document.
        source: name used in the error, usually the file.

    Raises:
        SpecError: malformed text, nesting too deep, or an integer beyond 64 bits.

    >>> loads("a = 1")
    {'a': 1}
    """
    try:
        document = tomllib.loads(text)
        _refuse_long_integers(document)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{source}: not valid TOML: {error}") from None
    except ValueError:  # of more digits than Python reads, or of more than 64 bits
        raise SpecError(f"{source}: not valid TOML: an integer beyond 64 bits") from None
    except RecursionError:
        raise SpecError(f"{source}: nested too deeply to be one of ours") from None
    return document


def _refuse_long_integers(value: Any) -> None:
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            _refuse_long_integers(each)
    elif isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        raise ValueError
