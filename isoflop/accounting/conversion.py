"""Convert between units of compute, of loss and of data.

Amounts of data (tokens, words, characters, bytes, images) and losses per any of them convert
through ratios such as 4.3 characters a token. None is assumed: each is given, or taken from a
named set.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from isoflop.base.errors import InputError, RefusalError, UnknownNameError, did_you_mean
from isoflop.base.units import PF_DAY

COMPUTE: Mapping[str, float] = {
    "flop": 1.0,
    "gflop": 1e9,
    "tflop": 1e12,
    "pflop": 1e15,
    "eflop": 1e18,
    "zflop": 1e21,
    "pf-day": PF_DAY,
}
"""FLOPs in each unit of compute."""

INFORMATION: Mapping[str, float] = {"nat": 1.0, "bit": math.log(2.0)}
"""Nats in each unit of information."""

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

_OTHER_NAMES = {
    "character": "char",
    "pfday": "pf-day",
    "pf-d": "pf-day",
    "petaflop/s-day": "pf-day",
    "bpc": "bits/char",
    "bpb": "bits/byte",
}


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
    (many, m), (one, n) = (_data_unit(found[k], text) for k in (2, 3))
    if many == one:
        raise InputError(f"a ratio joins two different things, found {text!r}")
    return Ratio(value * m / n, many, one)


@dataclass(frozen=True)
class _Unit:
    """A unit taken apart: its dimension, its size, and what it is per (or counts)."""

    dimension: str
    size: float
    thing: str = ""


def convert_units(value: float, unit: str, to: str, *, ratios: Iterable[Ratio] = ()) -> float:
    """Convert an amount from one unit to another.

    Args:
        value: the amount.
        unit: of compute (FLOP, PF-days, …), of loss (nats/token, bits/char, …) or of data
            (tokens, words, chars, bytes, GB, images).
        to: the unit wanted, of the same dimension.
        ratios: ties between tokens, words, characters, bytes and images.

    Raises:
        InputError: an unknown unit, or units of different dimensions.
        RefusalError: no ratio given ties the two, or two paths through them disagree.

    >>> f"{convert_units(3.14e23, 'FLOP', 'PF-days'):.3g}"
    '3.63e+03'
    >>> per_token = Ratio(4.3, "char", "token")
    >>> round(convert_units(1.7, "nats/token", "bits/char", ratios=[per_token]), 3)
    0.57
    """
    source, target = _parse(unit), _parse(to)
    if source.dimension != target.dimension:
        raise InputError(
            f"{unit} is {_named(source)} and {to} is {_named(target)}; no ratio turns one into "
            "the other" + _hint(source, target)
        )
    scaled = value * source.size / target.size
    if source.thing == target.thing:
        return scaled
    factor = _factor(source.thing, target.thing, tuple(ratios))
    return scaled * factor if source.dimension == "data" else scaled / factor


def _named(unit: _Unit) -> str:
    return {"data": "an amount of data", "loss": "a loss"}.get(unit.dimension, "compute")


def _hint(source: _Unit, target: _Unit) -> str:
    if {source.dimension, target.dimension} == {"data", "compute"}:
        return " (C = 6·N·D needs a model: isoflop count --n-tokens)"
    return ""


def _parse(text: str) -> _Unit:
    """Take a unit apart."""
    top, slash, below = _OTHER_NAMES.get(text.lower(), text).strip().partition("/")
    if _singular(text) in COMPUTE:
        return _Unit("compute", COMPUTE[_singular(text)])
    if not slash:
        if _singular(top) in INFORMATION:
            raise InputError(f"{text} of what? write {text}/token, {text}/char, {text}/byte, …")
        thing, size = _data_unit(top, text)
        return _Unit("data", size, thing)
    if _singular(top) not in INFORMATION:
        raise InputError(f"unknown unit {text!r}; a loss is in nats or bits per token, char, …")
    thing, size = _data_unit(below, text)
    return _Unit("loss", INFORMATION[_singular(top)] / size, thing)


def _data_unit(text: str, whole: str) -> tuple[str, float]:
    name = _singular(text)
    if name not in DATA:
        known = ["FLOP", "PF-days", "nats/token", "bits/byte", *DATA]
        raise InputError(f"unknown unit {text!r} in {whole!r}{did_you_mean(text, known)}")
    return DATA[name]


def _singular(text: str) -> str:
    name = text.strip().lower()
    if name not in COMPUTE and len(name) > 2:
        name = name.removesuffix("s")
    return _OTHER_NAMES.get(name, name)


def _factor(one: str, other: str, ratios: tuple[Ratio, ...]) -> float:
    """How many `other` make one `one`, by every path through the ratios."""
    found = _paths(one, other, ratios, frozenset({one}))
    if not found:
        raise RefusalError(
            f"{other}s per {one} are not known; give that ratio, as in '4.3 char/token', or a "
            f"published set: {', '.join(RATIO_SETS)}"
        )
    if max(found) > min(found) * 1.001:
        raise RefusalError(
            f"the ratios disagree: {min(found):.4g} and {max(found):.4g} {other}s per {one}; "
            "give one source"
        )
    return found[0]


def _paths(one: str, other: str, ratios: tuple[Ratio, ...], seen: frozenset[str]) -> list[float]:
    if one == other:
        return [1.0]
    found = []
    for ratio in ratios:
        for here, there, factor in (
            (ratio.one, ratio.many, ratio.value),
            (ratio.many, ratio.one, 1 / ratio.value),
        ):
            if here == one and there not in seen:
                rest = _paths(there, other, ratios, seen | {there})
                found += [factor * tail for tail in rest]
    return found
