"""Ratios that tie tokens, words, characters, bytes and images together: given, or published."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from isoflop.base.errors import InputError, UnknownNameError, did_you_mean

DATA: Mapping[str, tuple[str, float]] = {
    "token": ("token", 1.0),
    "word": ("word", 1.0),
    "char": ("char", 1.0),
    "byte": ("byte", 1.0),
    "image": ("image", 1.0),
    "kb": ("byte", 1e3),
    "mb": ("byte", 1e6),
    "gb": ("byte", 1e9),
    "tb": ("byte", 1e12),
    "pb": ("byte", 1e15),
}
"""Each unit of data: what it counts, and how many."""


@dataclass(frozen=True)
class Ratio:
    """So many of one thing to one of another, such as 4.3 characters a token.

    Args:
        value: how many `many` make one `one`.
        many: unit above the line.
        one: unit below the line.
    """

    value: float
    many: str
    one: str


@dataclass(frozen=True)
class RatioSet:
    """Ratios published together.

    Args:
        ratios: what they are.
        source: where they are from.
    """

    ratios: tuple[Ratio, ...]
    source: str


def _image(n_tokens: float, what: str) -> RatioSet:
    return RatioSet((Ratio(n_tokens, "token", "image"),), f"Henighan 2020, {what}")


RATIO_SETS: Mapping[str, RatioSet] = {
    "slides": RatioSet(
        (
            Ratio(3 / 2, "token", "word"),
            Ratio(10 / 2, "char", "word"),
            Ratio(12 / 2, "byte", "word"),
        ),
        "Caballero's slides: 3 BPE tokens = 2 words = 10 characters = 12 bytes; a model, not data",
    ),
    "webtext2": RatioSet(
        (Ratio(4.3, "char", "token"), Ratio(2.29e10 / 1.62e10, "token", "word")),
        "Kaplan 2020, WebText2: 4.3 characters a token, 2.29e10 tokens in 1.62e10 words",
    ),
    "image-8x8": _image(192, "8 × 8 × 3 subpixels"),
    "image-16x16": _image(768, "16 × 16 × 3 subpixels"),
    "image-32x32": _image(3072, "32 × 32 × 3 subpixels"),
    "vq-16x16": _image(256, "16 × 16 codes of a VQ-VAE"),
    "vq-32x32": _image(1024, "32 × 32 codes of a VQ-VAE"),
}
"""Published ratios by name."""


def find_ratios(name: str) -> RatioSet:
    """Look a published set of ratios up.

    Raises:
        UnknownNameError: no such set; suggests the nearest.
    """
    if name not in RATIO_SETS:
        raise UnknownNameError("set of ratios", name, RATIO_SETS)
    return RATIO_SETS[name]


def parse_ratio(text: str) -> Ratio:
    """Read a ratio such as "4.3 char/token".

    Raises:
        InputError: not a positive number and two units of data.

    >>> parse_ratio("4.3 characters/token")
    Ratio(value=4.3, many='char', one='token')
    """
    found = re.fullmatch(r"\s*([0-9.eE+-]+)\s*([a-zA-Z]+)s?\s*/\s*([a-zA-Z]+)\s*", text)
    wanted = f"expected a ratio such as '4.3 char/token', found {text!r}"
    if found is None:
        raise InputError(wanted)
    try:
        value = float(found[1])
    except ValueError:
        raise InputError(wanted) from None
    if not (0 < value < math.inf):
        raise InputError(f"a ratio must be positive, found {text!r}")
    (many, m), (one, n) = (data_unit(found[k], text) for k in (2, 3))
    if many == one:
        raise InputError(f"a ratio joins two different things, found {text!r}")
    return Ratio(value * m / n, many, one)


def data_unit(text: str, whole: str) -> tuple[str, float]:
    """Say what a unit of data counts, and how many.

    Raises:
        InputError: no such unit; `whole` is what it was found in.

    >>> data_unit("KB", "4 KB")
    ('byte', 1000.0)
    """
    name = text.strip().lower()
    name = name.removesuffix("s") if len(name) > 2 else name
    name = "char" if name == "character" else name
    if name not in DATA:
        known = ["FLOP", "PF-days", "nats/token", "bits/byte", *DATA]
        raise InputError(f"unknown unit {text!r} in {whole!r}{did_you_mean(text, known)}")
    return DATA[name]
