"""The table of a design in a ladder file: read to rungs, and printed back as it was."""

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, replace
from typing import Any

from isoflop.base.errors import InputError, did_you_mean
from isoflop.runs.designs.checks import design_mistakes
from isoflop.runs.designs.dial import DIAL_KEYS, Dial, Own, shape_at
from isoflop.runs.designs.expand import expand_design
from isoflop.runs.designs.tables import DESIGNS, Design, table_name
from isoflop.runs.ladders.checks import BYTES_VOCAB, tokenizer_vocab
from isoflop.runs.ladders.ladder import Rung

Structure = Callable[[Any, type], tuple[Any, list[str]]]
"""Turns a table into a dataclass; the mistakes of form if it cannot, without their root."""


def take_design(
    document: Mapping[str, Any], structure: Structure
) -> tuple[dict[str, Any], Design | None, list[str]]:
    """Take the design out of a ladder file.

    Args:
        document: the file as read.
        structure: reads a dataclass.

    Returns:
        The file without the tables of designs; the design, None if there is none or it has
        mistakes; and those, each with its path.
    """
    found = [name for name in DESIGNS if name in document]
    rest = {key: value for key, value in document.items() if key not in found}
    named = (["rungs"] if "rungs" in document else []) + [f"[{name}]" for name in found]
    if len(named) > 1:
        return rest, None, [f"the rungs come from {' and '.join(named)}, expected one of them"]
    if not found:
        return rest, None, []
    name = found[0]
    design, mistakes = structure(_nest_dial(document[name]), DESIGNS[name])
    mistakes = [_at(name, mistake) for mistake in mistakes]
    mistakes = mistakes or design_mistakes(design)
    return rest, None if mistakes else design, mistakes


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


def say_rungs(sentence: str, design: Design | None, rungs: tuple[Rung, ...]) -> str:
    """Put a rung's name where a sentence has its place in a list that the file does not have.

    >>> from isoflop.runs.designs.tables import TokenGrid
    >>> grid = TokenGrid(Dial(widths=(8,), n_ctx=16), (4096,))
    >>> say_rungs("rungs[0].n_ctx is 16", grid, expand_design(grid, 256))
    '[grid] d8: n_ctx is 16'
    """
    if design is None:
        return sentence

    def named(match: re.Match[str]) -> str:
        return f"[{table_name(design)}] {rungs[int(match[1])].name}: "

    return re.sub(r"^rungs\[(\d+)\](?:\.|: )?", named, sentence)


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
    """Put the table's name before a mistake: `grid.widths: …`, `grid: …`."""
    path, colon, rest = mistake.partition(": ")
    if colon and " " not in path:
        path = path.removeprefix("dial").removeprefix(".")
        return f"{name}.{path}: {rest}" if path else f"{name}: {rest}"
    return f"{name}: {mistake}"


def _shape_mistakes(path: str, dial: Dial, vocab: int) -> list[str]:
    dial, found = replace(dial, n_vocab=dial.n_vocab or vocab), []
    for size in dial.sizes:
        try:
            shape_at(dial, size)
        except InputError as error:
            found.append(f"{path}: size {size}: {error}")
    return found


def _listed(value: Any) -> Any:
    return [_listed(each) for each in value] if isinstance(value, tuple) else value


def _without_defaults(own: Own) -> dict[str, Any]:
    return {
        each.name: _listed(getattr(own, each.name))
        for each in fields(own)
        if each.default is not MISSING and getattr(own, each.name) != each.default
    }
