"""The table of a design in a ladder file: read to rungs, and printed back as it was."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any

from cattrs import Converter

from isoflop.runs.designs.checks import design_mistakes
from isoflop.runs.designs.dial import DIAL_KEYS, Dial, Own
from isoflop.runs.designs.laid import Laid, lay_out
from isoflop.runs.designs.tables import DESIGNS, Design
from isoflop.runs.ladders.checks import BYTES_VOCAB, tokenizer_vocab
from isoflop.runs.ladders.form import structure
from isoflop.runs.ladders.salvage import read_fields


@dataclass(frozen=True)
class Table:
    """One table of a ladder file that rungs follow from.

    Args:
        design: as written, where all of it could be read.
        read: what could be read of it; None where it is no table.
        laid: what it lays out.
        mistakes: each with its path.
    """

    design: Design | None
    read: Design | None
    laid: Laid
    mistakes: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """Names of the rungs laid out, empty for a rung that has none yet."""
        return [part.name or "" for part in self.laid.parts]


@dataclass(frozen=True)
class Taken:
    """The designs of a ladder file: one, or none.

    Args:
        rest: the file without their tables.
        tables: those found.
        mistakes: of all of them, each with its path.
    """

    rest: Mapping[str, Any]
    tables: tuple[Table, ...]
    mistakes: tuple[str, ...]


def take_designs(document: Mapping[str, Any], converter: Converter) -> Taken:
    """Take the designs out of a ladder file.

    Args:
        document: the file as read.
        converter: of `make_converter`.
    """
    found = [name for name in DESIGNS if name in document]
    rest = {key: value for key, value in document.items() if key not in found}
    tokenizer = document.get("tokenizer")
    vocab = tokenizer_vocab(tokenizer) if isinstance(tokenizer, str) else None
    tables = tuple(_take(name, document[name], converter, vocab or BYTES_VOCAB) for name in found)
    named = (["[[rungs]]"] if "rungs" in document else []) + [f"[{name}]" for name in found]
    clash = [f"the rungs come from {' and '.join(named)}, expected one of them"]
    mistakes = [*(clash if len(named) > 1 else []), *(m for each in tables for m in each.mistakes)]
    return Taken(rest, tables, tuple(mistakes))


def _take(name: str, value: Any, converter: Converter, vocab: int) -> Table:
    value = _nest_dial(value)
    design, form = structure(converter, value, DESIGNS[name])
    read, unread = (design, frozenset()) if design else _read(converter, value, DESIGNS[name])
    mistakes = [_at(name, mistake) for mistake in form]
    if read is None:
        return Table(None, None, Laid(), tuple(mistakes))
    mistakes += design_mistakes(read, unread)
    named = (re.match(rf"{name}\.(\w+(?:\[\d+\])?) is ", mistake) for mistake in mistakes)
    wrong = unread | {match[1] for match in named if match}
    laid = lay_out(read, wrong, vocab, whole=not mistakes)
    return Table(design, read, laid, (*mistakes, *laid.mistakes))


def _read(
    converter: Converter, table: Any, kind: type[Design]
) -> tuple[Design | None, frozenset[str]]:
    """What can be read of a table with mistakes of form."""
    read, unread = read_fields(converter, table, kind)
    if read is None:
        return None, unread
    dial, unread_dial = read_fields(converter, table["dial"], Dial)
    return replace(read, dial=dial), (unread - {"dial"}) | unread_dial


def design_row(design: Design) -> dict[str, Any]:
    """Return a design's keys as a ladder file has them, defaults and tables left out."""
    row: dict[str, Any] = {}
    for holder in (design.dial, design):
        for each in fields(holder):
            value = getattr(holder, each.name)
            if each.name not in ("dial", "own") and value != each.default:
                row[each.name] = as_listed(value)
    return row


def own_row(own: Own) -> dict[str, Any]:
    """Return what one rung has of its own as a ladder file has it."""
    return {
        each.name: as_listed(getattr(own, each.name))
        for each in fields(own)
        if each.default is not MISSING and getattr(own, each.name) != each.default
    }


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


def as_listed(value: Any) -> Any:
    """Return tuples as lists, which is what files have."""
    return [as_listed(each) for each in value] if isinstance(value, tuple) else value
