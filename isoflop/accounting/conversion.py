"""Convert between units of compute, of loss and of data.

Amounts of data (tokens, words, characters, bytes, images) and losses per any of them convert
through ratios such as 4.3 characters a token. None is assumed: each is given, or taken from a
named set.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from isoflop.accounting.ratios import RATIO_SETS, Ratio, data_unit
from isoflop.base.errors import InputError, RefusalError
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

_OTHER_NAMES = {
    "pfday": "pf-day",
    "pf-d": "pf-day",
    "petaflop/s-day": "pf-day",
    "bpc": "bits/char",
    "bpb": "bits/byte",
}


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
        thing, size = data_unit(top, text)
        return _Unit("data", size, thing)
    if _singular(top) not in INFORMATION:
        raise InputError(f"unknown unit {text!r}; a loss is in nats or bits per token, char, …")
    thing, size = data_unit(below, text)
    return _Unit("loss", INFORMATION[_singular(top)] / size, thing)


def _singular(text: str) -> str:
    name = text.strip().lower()
    return (
        name
        if name in COMPUTE
        else _OTHER_NAMES.get(name.removesuffix("s"), name.removesuffix("s"))
    )


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
