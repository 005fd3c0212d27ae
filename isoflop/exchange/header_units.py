"""Units that a column's name tells: `tokens (M)`, `flops (1e18)`, `params_B`, `loss (bpb)`."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from isoflop.base.errors import InputError
from isoflop.base.units import LOSS_UNITS
from isoflop.exchange.foreign_json import number
from isoflop.exchange.found import Found

AMOUNTS = frozenset(
    {
        *("n_params", "n_params_non_embedding", "n_params_with_head", "n_tokens"),
        *("n_tokens_unique", "flops", "batch_tokens", "schedule_tokens", "warmup_tokens"),
    }
)
"""Columns whose names may tell a multiple."""

_MULTIPLES: Mapping[str, float] = {
    **dict.fromkeys(("k", "thousand", "thousands"), 1e3),
    **dict.fromkeys(("m", "mio", "million", "millions"), 1e6),
    **dict.fromkeys(("b", "bn", "g", "billion", "billions"), 1e9),
    **dict.fromkeys(("t", "trillion", "trillions"), 1e12),
}
_BEHIND = frozenset(_MULTIPLES) - {"t", "g"}
"""Read without brackets in either case, as `params_M`; T and G in capitals alone."""
_BRACKETS = re.compile(r"(.*\S)\s*[(\[]\s*(?:in\s+)?([^()\[\]]+?)\s*[)\]]\s*")
_POWER = re.compile(r"[x×]?\s*(?:1e\+?|10\^|10\*\*)(\d{1,2})")
_COUNTED = frozenset({"tokens", "token", "params", "parameters", "flops", "flop", "of"})
_LOSS_UNITS = {
    **{unit: unit for unit in LOSS_UNITS},
    "bpb": "bits/byte",
    "bits per byte": "bits/byte",
    "bpt": "bits/token",
    "bits per token": "bits/token",
    "nats per token": "nats/token",
    "nats per byte": "nats/byte",
}


@dataclass(frozen=True)
class NamedUnit:
    """A name taken apart.

    Args:
        base: the name without its unit; the whole of it where it tells none.
        multiple: of the values, 1 where the name tells none.
        unknown: what stands in brackets and is no unit known here, "" if nothing does.
    """

    base: str
    multiple: float = 1.0
    unknown: str = ""


def read_unit(name: str) -> NamedUnit:
    """Take a column's name apart.

    >>> read_unit("tokens (M)"), read_unit("params_m").multiple, read_unit("flops [1e18]").multiple
    (NamedUnit(base='tokens', multiple=1000000.0, unknown=''), 1000000.0, 1e+18)
    >>> read_unit("compute (PF-days)")
    NamedUnit(base='compute', multiple=1.0, unknown='PF-days')
    """
    found = _BRACKETS.fullmatch(name)
    if found:
        told = _multiple(found[2].lower())
        return NamedUnit(found[1], told or 1.0, "" if told else found[2])
    base, _, last = re.sub(r"[\s-]", "_", name.strip()).rpartition("_")
    if len(base) > 1 and (last.lower() in _BEHIND or last in {"T", "G"}):
        return NamedUnit(base, _MULTIPLES[last.lower()])
    return NamedUnit(name)


def loss_unit_of(text: str) -> str:
    """Return the unit of loss that a text spells, "" if it spells none.

    >>> loss_unit_of("bpb"), loss_unit_of("bits")
    ('bits/byte', '')
    """
    return _LOSS_UNITS.get(" ".join(text.lower().split()), "")


def told_multiples(mapping: Mapping[str, str], found: Found) -> dict[str, float]:
    """Return {column: multiple} of the amounts whose names tell one.

    Args:
        mapping: {column of the run table: name in the source}.
        found: what the source holds.

    Raises:
        InputError: the values are too large to be in the multiple that their name tells.
    """
    told = {column: read_unit(name).multiple for column, name in mapping.items()}
    multiples = {c: m for c, m in told.items() if c in AMOUNTS and m != 1}
    for column, multiple in multiples.items():
        _require_plausible(column, mapping[column], multiple, found)
    return multiples


def times(value: float, multiple: float) -> float:
    """Return the product as it reads in decimals, a multiple being a power of ten.

    >>> times(1.1, 1e9), 1e18 * 1.13
    (1100000000.0, 1.1299999999999999e+18)
    """
    if not math.isfinite(value):
        return value
    return float(Decimal(repr(value)).scaleb(round(math.log10(multiple))))


def multiple_lines(mapping: Mapping[str, str], multiples: Mapping[str, float]) -> list[str]:
    """Say which values were multiplied."""
    return [f"{c} = {mapping[c]!r} · {m:g}, as its name tells" for c, m in multiples.items()]


def _multiple(unit: str) -> float | None:
    """The multiple that a unit in lower case is of single tokens, parameters or FLOPs."""
    words = [word for word in unit.split() if word not in _COUNTED]
    if len(words) != 1:
        return None if words else 1.0
    power = _POWER.fullmatch(words[0])
    return float(f"1e{power[1]}") if power else _MULTIPLES.get(words[0])


def _require_plausible(column: str, name: str, multiple: float, found: Found) -> None:
    """Values in millions are below a million: nothing was trained on 1e12 tokens times that."""
    cells = [run.curves[name].value for run in found.runs if name in run.curves]
    listed = [value for cell in cells for value in cell.tolist()]
    listed += [
        value
        for run in found.runs
        for held in (run.summary, run.settings)
        if (value := number(held.get(name))) is not None
    ]
    largest = max((value for value in listed if value < float("inf")), default=0.0)
    if largest > max(1e6, 1e12 / multiple):
        raise InputError(
            f"{name!r} tells multiples of {multiple:g}, but holds {largest:g}; rename the column "
            f"{column} if it counts them singly"
        )
