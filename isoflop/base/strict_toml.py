"""TOML whose mistakes end in one sentence, nesting too deep among them."""

import tomllib
from typing import Any

from isoflop.base.errors import SpecError


def loads(text: str, *, source: str = "TOML") -> dict[str, Any]:
    """Parse a TOML document.

    Args:
        text: the document.
        source: name used in the error, usually the file.

    Raises:
        SpecError: malformed text, or nesting too deep.

    >>> loads("a = 1")
    {'a': 1}
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{source}: not valid TOML: {error}") from None
    except RecursionError:
        raise SpecError(f"{source}: nested too deeply to be one of ours") from None
