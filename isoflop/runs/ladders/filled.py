"""Print a ladder with every key said, those that were left out at their defaults."""

from dataclasses import asdict, fields
from typing import Any

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.transformer import Transformer
from isoflop.runs.designs.dial import Dial, head_width
from isoflop.runs.designs.tables import Design, ProposedRuns, table_name
from isoflop.runs.designs.toml import as_listed
from isoflop.runs.ladders.ladder import Ladder, Rung
from isoflop.runs.ladders.print import holds, own_rows, print_table
from isoflop.runs.ladders.shapes import model_row


def print_filled(ladder: Ladder) -> str:
    """Print a ladder with every default filled in; it reads back as the same ladder.

    Left out is what has no value: rates of a rung where they are the recipe's, weights to start
    from, and the keys of a table that the other way to lay it out would need.

    >>> from isoflop.runs.designs.examples import EXAMPLES
    >>> from isoflop.runs.ladders.toml import parse_ladder
    >>> ladder = parse_ladder(EXAMPLES["grid"])
    >>> text = print_filled(ladder)
    >>> parse_ladder(text) == ladder, 'optimizer = "adamw"' in text, 'positions = "rotary"' in text
    (True, True, True)
    """
    head = {key: getattr(ladder, key) for key in ("name", "corpus", "tokenizer", "seed")}
    tables: list[tuple[str, dict[str, Any]]] = [
        ("[recipe]", asdict(ladder.recipe)),
        ("[evaluation]", {k: as_listed(v) for k, v in asdict(ladder.evaluation).items()}),
    ]
    if ladder.design is not None and holds(ladder):
        name = table_name(ladder.design)
        n_vocab = ladder.rungs[0].architecture.n_vocab
        tables.append((f"[{name}]", _design_row(ladder.design, n_vocab)))
        tables += own_rows(ladder.design)
    else:
        tables += [("[[rungs]]", _rung_row(rung)) for rung in ladder.rungs]
    blocks = [f"{title}\n{print_table(row)}" for title, row in tables]
    return "\n".join([print_table({**head, "max_epochs": ladder.max_epochs}), *blocks])


def _rung_row(rung: Rung) -> dict[str, Any]:
    model = rung.architecture
    row = model_row(Transformer(model) if isinstance(model, Architecture) else model)
    row = {"name": rung.name, **row, "dropout": rung.dropout, "seeds": rung.seeds}
    row["token_budgets"] = list(rung.token_budgets)
    return row | _said(lrs=rung.lrs, start=rung.start)


def _design_row(design: Design, n_vocab: int) -> dict[str, Any]:
    own = {each.name: getattr(design, each.name) for each in fields(design)}
    dial = {each.name: getattr(design.dial, each.name) for each in fields(Dial)}
    dial["n_vocab"] = design.dial.n_vocab or n_vocab
    if not isinstance(design, ProposedRuns):
        dial["head_width"] = head_width(design.dial)
        dial.pop("aspect" if design.dial.widths else "n_layer")
    empty = _said(**{key: dial.pop(key) for key in _MAY_BE_EMPTY})
    row = {**empty, **dial, **own}
    return {key: as_listed(value) for key, value in row.items() if key not in ("dial", "own")}


_MAY_BE_EMPTY = ("widths", "depths", "n_head", "head_width", "lrs")
"""Keys of a dial that say nothing where they are 0 or empty."""


def _said(**values: Any) -> dict[str, Any]:
    return {key: as_listed(value) for key, value in values.items() if value}
