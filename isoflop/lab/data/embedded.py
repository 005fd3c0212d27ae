"""The corpora inside the package, listed in `corpora.toml`."""

import hashlib
import lzma
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from isoflop.base.errors import InputError

_HOME = "isoflop.lab.data"


@cache
def embedded() -> Mapping[str, Mapping[str, Any]]:
    """Return {name: its entry in corpora.toml}."""
    return tomllib.loads((files(_HOME) / "corpora.toml").read_text(encoding="utf-8"))


def embedded_names() -> tuple[str, ...]:
    """Return the names of the embedded corpora.

    >>> embedded_names()
    ('sotu',)
    """
    return tuple(embedded())


def unpack_embedded(name: str) -> bytes:
    """Return the documents of an embedded corpus, joined by NUL, held against their hash.

    Raises:
        InputError: the file is not the one the package was made with.
    """
    entry = embedded()[name]
    packed = (files(_HOME) / entry["file"]).read_bytes()
    text = lzma.decompress(packed, format=lzma.FORMAT_XZ)
    digest = hashlib.sha256(text).hexdigest()
    if digest != entry["sha256"]:
        raise InputError(
            f"corpus {name}: sha256 is {digest}, expected {entry['sha256']}; reinstall isoflop"
        )
    return text
