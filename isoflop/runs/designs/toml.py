"""The table of a design in a ladder file: read to rungs, and printed back as it was."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any

from cattrs import Converter

from isoflop.base.errors import InputError, did_you_mean
from isoflop.runs.designs.checks import design_mistakes
from isoflop.runs.designs.dial import DIAL_KEYS, Dial, Own, shape_at
from isoflop.runs.designs.expand import expand_design
from isoflop.runs.designs.tables import DESIGNS, Design, TokenGrid, table_name
from isoflop.runs.ladders.checks import BYTES_VOCAB, tokenizer_vocab
from isoflop.runs.ladders.form import read_fields, structure
from isoflop.runs.ladders.ladder import Rung
from isoflop.runs.ladders.mistakes import also, merge_alike
from isoflop.runs.ladders.rung_checks import RungParts


@dataclass(frozen=True)
class Taken:
    """The design of a ladder file.

    Args:
        rest: the file without the tables of designs.
        design: without mistakes; None if there is none, or it has some.
        read: what could be read of one with mistakes.
        unread: its fields that could not.
        mistakes: each with its path.
    """

    rest: Mapping[str, Any]
    design: Design | None = None
    read: Design | None = None
    unread: frozenset[str] = frozenset()
    mistakes: tuple[str, ...] = ()


def take_design(document: Mapping[str, Any], converter: Converter) -> Taken:
    """Take the design out of a ladder file.

    Args:
        document: the file as read.
        converter: of `make_converter`.
    """
    found = [name for name in DESIGNS if name in document]
    rest = {key: value for key, value in document.items() if key not in found}
    named = (["rungs"] if "rungs" in document else []) + [f"[{name}]" for name in found]
    if len(named) > 1:
        mistake = f"the rungs come from {' and '.join(named)}, expected one of them"
        return Taken(rest, mistakes=(mistake,))
    if not found:
        return Taken(rest)
    name = found[0]
    table = _nest_dial(document[name])
    design, mistakes = structure(converter, table, DESIGNS[name])
    read, unread = (design, frozenset()) if design else _read(converter, table, DESIGNS[name])
    mistakes = [_at(name, mistake) for mistake in mistakes]
    mistakes += design_mistakes(read, unread) if read else []
    return Taken(rest, None if mistakes else design, read, unread, tuple(mistakes))


def _read(
    converter: Converter, table: Any, kind: type[Design]
) -> tuple[Design | None, frozenset[str]]:
    """What can be read of a table with mistakes of form."""
    read, unread = read_fields(converter, table, kind)
    if read is None:
        return None, unread
    dial, unread_dial = read_fields(converter, table["dial"], Dial)
    return replace(read, dial=dial), (unread - {"dial"}) | unread_dial


def stand_in(taken: Taken) -> RungParts | None:
    """Return what every rung of a design with mistakes would have, None if nothing is known.

    So that what its table says of context, budgets and rates is checked in spite of them.
    """
    if taken.read is None:
        return None
    dial = taken.read.dial
    budgets = taken.read.token_budgets if isinstance(taken.read, TokenGrid) else ()
    parts = RungParts(
        seeds=dial.seeds,
        token_budgets=tuple(sorted(set(budgets))) or None,
        lrs=dial.lrs,
        n_ctx=dial.n_ctx,
        n_vocab=dial.n_vocab or None,
    )
    return replace(parts, **dict.fromkeys(taken.unread & vars(parts).keys()))


def read_rungs(design: Design, tokenizer: object) -> tuple[tuple[Rung, ...], list[str]]:
    """Expand a design that has no mistakes of its own.

    Args:
        design: what `take_design` gave.
        tokenizer: of the ladder, whatever the file has there.

    Returns:
        The rungs, and mistakes of their shapes.
    """
    vocab = tokenizer_vocab(tokenizer) if isinstance(tokenizer, str) else None
    vocab, path = vocab or BYTES_VOCAB, table_name(design)
    found = list(_shape_mistakes(path, design.dial, vocab))
    if found:
        return (), found
    try:
        rungs = expand_design(design, vocab)
    except InputError as error:  # a proposed shape whose heads do not fit
        return (), [f"{path}: {error}"]
    names = [rung.name for rung in rungs]
    found = [
        f"{path}.own: no rung is called {name!r}{did_you_mean(name, names)}"
        for name in design.dial.own
        if name not in names
    ]
    return rungs, found


def design_row(design: Design) -> dict[str, Any]:
    """Return a design's keys as a ladder file has them, defaults left out; tables come last."""
    row: dict[str, Any] = {}
    for holder in (design.dial, design):
        for each in fields(holder):
            value = getattr(holder, each.name)
            if each.name not in ("dial", "own") and value != each.default:
                row[each.name] = _listed(value)
    own = {name: _without_defaults(each) for name, each in design.dial.own.items()}
    return row | ({"own": own} if own else {})


def _nest_dial(table: Any) -> Any:
    if not isinstance(table, dict):
        return table
    dial = {key: value for key, value in table.items() if key in DIAL_KEYS}
    return {**{k: v for k, v in table.items() if k not in DIAL_KEYS}, "dial": dial}


def _at(name: str, mistake: str) -> str:
    """Put the table's name before a mistake: `grid.widths is …`, `grid: …`."""
    found = re.match(r"(dial\b\.?)?([\w.\[\]-]*)(: | is )", mistake)
    if not found:
        return f"{name} {mistake}" if mistake.startswith("is ") else f"{name}: {mistake}"
    path = f"{name}.{found[2]}" if found[2] else name
    return f"{path}{found[3]}{mistake[found.end() :]}"


def _shape_mistakes(path: str, dial: Dial, vocab: int) -> list[str]:
    dial, found = replace(dial, n_vocab=dial.n_vocab or vocab), []
    for size in dial.sizes:
        try:
            shape_at(dial, size)
        except InputError as error:
            found.append((f"size {size}", str(error)))
    return [f"{path}: {places[0]}: {each}{also(places)}" for each, places in merge_alike(found)]


def _listed(value: Any) -> Any:
    return [_listed(each) for each in value] if isinstance(value, tuple) else value


def _without_defaults(own: Own) -> dict[str, Any]:
    return {
        each.name: _listed(getattr(own, each.name))
        for each in fields(own)
        if each.default is not MISSING and getattr(own, each.name) != each.default
    }
