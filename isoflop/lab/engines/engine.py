"""How a rung's models are trained: in which type, in how many packs, by what kind of step.

Models trained side by side share the cost of Python and of launching kernels; but once their work
leaves the cache it is slower than one after the other. So a rung of many models is split into
packs. Nothing here is part of the science: packed, split and alone, models see the same tokens
from the same start, and their losses agree within `TOLERANCES` (tested).
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Literal, TypeAlias, get_args

from isoflop.base.errors import InputError
from isoflop.lab.engines.placement import Precision
from isoflop.runs.ladders.ladder import Recipe, Rung
from isoflop.runs.settle import settle_recipe

Steps: TypeAlias = Literal["eager", "compiled", "graph"]
"""Kinds of step: torch as it is, torch.compile, a captured CUDA graph."""

PACK_TOKENS = 8192
"""Most tokens a step of one pack on a CPU, models times batch, before anything is measured: 2k to
8k were fastest, and beyond 16k up to 1.7 times slower (docs/LOG.md)."""
TOLERANCES: Mapping[Precision, float] = {"float32": 1e-4, "bfloat16": 2e-2}
"""How far losses of a hundred steps may differ from those of float32 models trained alone,
relative. Later rounding grows, as between two machines."""


@dataclass(frozen=True)
class Engine:
    """How one rung is trained.

    Args:
        precision: type of the matrix products.
        packs: parts that the rung's models are split into, trained one after the other.
        steps: kind of step.
    """

    precision: Precision
    packs: int = 1
    steps: Steps = "eager"

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON object."""
        return asdict(self)


def split_members(members: int, packs: int) -> tuple[slice, ...]:
    """Return `packs` slices of `members` models, their lengths at most one apart.

    >>> split_members(5, 2)
    (slice(0, 3, None), slice(3, 5, None))
    """
    ends = [math.ceil(members * pack / packs) for pack in range(packs + 1)]
    return tuple(slice(first, last) for first, last in pairwise(ends))


def usual_engine(rung: Rung, recipe: Recipe, device: str, precision: Precision) -> Engine:
    """Return the engine of a rung too short to measure anything for.

    Args:
        rung: its models.
        recipe: their batch.
        device: `cpu` or `cuda`; on a GPU all are one pack.
        precision: chosen by the probe of the machine, or asked for.

    >>> from isoflop.accounting.architecture import Architecture
    >>> shape = Architecture(n_layer=2, d_model=16, n_ctx=64, n_vocab=256)
    >>> usual_engine(Rung("d16", shape, 12, (65536,)), Recipe(batch_tokens=2048), "cpu", "float32")
    Engine(precision='float32', packs=3, steps='eager')
    """
    tokens = rung.members * settle_recipe(recipe, rung).batch_tokens
    packs = 1 if device == "cuda" else min(rung.members, math.ceil(tokens / PACK_TOKENS))
    return Engine(precision, packs)


def read_engine(settings: Mapping[str, Any], rung: Rung, precision: Precision) -> Engine:
    """Return the engine that study.json names for a rung; one eager pack in older studies.

    Args:
        settings: content of study.json.
        rung: its models.
        precision: of a study that names no engine for the rung.

    Raises:
        InputError: the entry is damaged.
    """
    engines = settings.get("engines", {})
    chosen = engines.get(rung.name) if isinstance(engines, dict) else engines
    if chosen is None:
        return Engine(precision)
    if not isinstance(chosen, dict) or not _sound(chosen):
        raise InputError(
            f"study.json: engines.{rung.name} is {chosen!r:.80}, expected precision, packs and "
            "steps; restore the file, or start a new study"
        )
    return Engine(chosen["precision"], min(chosen["packs"], rung.members), chosen["steps"])


def _sound(chosen: Mapping[str, Any]) -> bool:
    packs = chosen.get("packs")
    return (
        chosen.get("precision") in get_args(Precision)
        and chosen.get("steps") in get_args(Steps)
        and type(packs) is int
        and packs >= 1
    )
