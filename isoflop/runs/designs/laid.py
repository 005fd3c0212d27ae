"""What a design lays out: its rungs, or what is known of them in spite of mistakes."""

from collections.abc import Iterator, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any

from isoflop.base.errors import InputError, did_you_mean
from isoflop.runs.designs.dial import Dial, Own, rung_name, shape_at, width_at
from isoflop.runs.designs.expand import expand_design, size_budgets
from isoflop.runs.designs.tables import Design, ProposedRuns, TokenGrid, table_name
from isoflop.runs.ladders.ladder import Rung
from isoflop.runs.ladders.rung_checks import RungParts, parts_of

_SHAPE_KEYS = {"n_layer", "aspect", "head_width", "n_ctx", "n_vocab", "tied", "positions"}
"""Keys without which a shape is not known."""


@dataclass(frozen=True)
class Laid:
    """The rungs of a design.

    Args:
        rungs: all of them; none if there are mistakes.
        parts: what is known of them, so that contexts, budgets and rates are checked anyway.
        mistakes: what laying out found, each with its path.
    """

    rungs: tuple[Rung, ...] = ()
    parts: tuple[RungParts, ...] = ()
    mistakes: tuple[str, ...] = ()


def lay_out(design: Design, wrong: frozenset[str], n_vocab: int, *, whole: bool = True) -> Laid:
    """Lay out a design, or what is sound of it.

    Args:
        design: what could be read of a table.
        wrong: its keys, or elements such as `budgets[1]`, with mistakes of their own.
        n_vocab: the tokenizer's tokens, where the table does not say.
        whole: whether it has no mistakes, of keys or otherwise: only then there are rungs.
    """
    if isinstance(design, ProposedRuns):
        return _lay_proposed(design, wrong, n_vocab, whole=whole)
    sound = _sound(design, wrong)
    sizes = () if wrong & {"widths", "depths"} else sound.dial.sizes
    found = list(_head_mistakes(sound, wrong, sizes))
    rungs = expand_design(design, n_vocab) if whole and not found else ()
    if rungs:
        parts = [parts_of(rung) for rung in rungs]
    else:
        sound = replace(sound, dial=replace(sound.dial, n_head=0)) if found else sound
        parts = [_part(sound, size, wrong, n_vocab) for size in sizes]
    if parts and not any(key.startswith(("widths", "depths")) for key in wrong):
        found += _own_mistakes(design, [part.name or "" for part in parts])
    return Laid(() if found else rungs, tuple(parts or [_nameless(sound, wrong)]), tuple(found))


def _lay_proposed(
    design: ProposedRuns, wrong: frozenset[str], n_vocab: int, *, whole: bool
) -> Laid:
    """Shapes follow from all that is said: with a mistake none is known."""
    unnamed = (_nameless(_sound(design, wrong), wrong),)
    if not whole:
        return Laid(parts=unnamed)
    try:
        rungs = expand_design(design, n_vocab)
    except InputError as error:  # a proposed shape whose heads do not fit
        return Laid(parts=unnamed, mistakes=(f"{table_name(design)}: {error}",))
    found = tuple(_own_mistakes(design, [rung.name for rung in rungs]))
    return Laid(() if found else rungs, tuple(map(parts_of, rungs)), found)


def _sound(design: Design, wrong: frozenset[str]) -> Any:
    """The design with its wrong keys as if they were left out, of lists the wrong elements."""
    return replace(_keep(design, wrong), dial=_keep(design.dial, wrong))


def _keep(holder: Any, wrong: frozenset[str]) -> Any:
    kept: dict[str, Any] = {}
    for each in fields(holder):
        value = getattr(holder, each.name)
        if each.name in wrong and each.name != "own":  # without those that could not be read
            kept[each.name] = () if each.default is MISSING else each.default
        elif isinstance(value, tuple):
            named = [(f"{each.name}[{index}]", element) for index, element in enumerate(value)]
            kept[each.name] = tuple(element for name, element in named if name not in wrong)
    return replace(holder, **kept)


def _head_mistakes(design: Any, wrong: frozenset[str], sizes: Sequence[int]) -> Iterator[str]:
    dial: Dial = design.dial
    if not dial.n_head or wrong & {"aspect", "head_width"}:
        return
    names = [rung_name(dial, size) for size in sizes if width_at(dial, size) % dial.n_head]
    if names:
        path, places = f"{table_name(design)}.n_head", ", ".join(names)
        yield f"{path} is {dial.n_head}, which does not divide the width of {places}"


def _own_mistakes(design: Design, names: Sequence[str]) -> Iterator[str]:
    for name in design.dial.own:
        if name not in names:
            yield f"{table_name(design)}.own.{name}: no such rung{did_you_mean(name, names)}"


def _part(design: Any, size: int, wrong: frozenset[str], n_vocab: int) -> RungParts:
    """What is known of one size: without a sound shape, its name and what stands in the table."""
    name, dial = rung_name(design.dial, size), design.dial
    part = replace(_nameless(design, wrong, name), name=name)
    if wrong & _SHAPE_KEYS:
        return part
    dial = replace(dial, n_vocab=dial.n_vocab or n_vocab)
    budgets = size_budgets(replace(design, dial=dial), size)
    return replace(part, architecture=shape_at(dial, size), token_budgets=budgets or None)


def _nameless(design: Any, wrong: frozenset[str], name: str = "") -> RungParts:
    """What a rung of a table has whatever its shape."""
    dial: Dial = design.dial
    own = dial.own.get(name, Own())
    known = RungParts(
        seeds=own.seeds or dial.seeds,
        token_budgets=(size_budgets(design, 0) or None) if isinstance(design, TokenGrid) else None,
        lrs=own.lrs or dial.lrs,
        n_ctx=dial.n_ctx,
        n_vocab=dial.n_vocab or None,
    )
    return replace(known, **dict.fromkeys(wrong & {"seeds", "lrs", "n_ctx", "n_vocab"}))
