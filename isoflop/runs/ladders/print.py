"""Print a ladder as TOML: rung by rung, which is its identity, or by the table of its design."""

import hashlib
import re
from typing import Any

from isoflop.runs.designs.expand import expand_design
from isoflop.runs.designs.tables import Design, table_name
from isoflop.runs.designs.toml import design_row, own_row
from isoflop.runs.ladders.evaluation import evaluation_row
from isoflop.runs.ladders.ladder import MAX_EPOCHS, Ladder, Rung
from isoflop.runs.ladders.shapes import model_row
from isoflop.runs.recipes.toml import recipe_row


def print_ladder(ladder: Ladder) -> str:
    """Print a ladder rung by rung, such that `parse_ladder` gives it back.

    >>> from isoflop.accounting.architecture import Architecture
    >>> from isoflop.runs.ladders.toml import parse_ladder
    >>> shape = Architecture(n_layer=2, d_model=16, n_ctx=64, n_vocab=256)
    >>> ladder = Ladder("demo", "sotu", "bytes", (Rung("d16", shape, 1, (65536,)),))
    >>> parse_ladder(print_ladder(ladder)) == ladder
    True
    """
    rungs = ["[[rungs]]\n" + print_table(rung_row(rung)) for rung in ladder.rungs]
    return "\n".join([*_head(ladder), *rungs])


def print_spec(ladder: Ladder) -> str:
    """Print a ladder as it was written: by the table of its design, where it still holds.

    >>> from isoflop.runs.designs.examples import EXAMPLES
    >>> from isoflop.runs.ladders.toml import parse_ladder
    >>> ladder = parse_ladder(EXAMPLES["grid"])
    >>> "[[rungs]]" in print_spec(ladder), parse_ladder(print_spec(ladder)) == ladder
    (False, True)
    """
    if ladder.design is None or not holds(ladder):
        return print_ladder(ladder)
    table = f"[{table_name(ladder.design)}]\n" + print_table(design_row(ladder.design))
    own = [f"{title}\n{print_table(row)}" for title, row in own_rows(ladder.design)]
    return "\n".join([*_head(ladder), table, *own])


def holds(ladder: Ladder) -> bool:
    """Tell whether a ladder's rungs still are what its design lays out."""
    design = ladder.design
    vocab = ladder.rungs[0].architecture.n_vocab
    return design is not None and expand_design(design, vocab) == ladder.rungs


def own_rows(design: Design) -> list[tuple[str, dict[str, Any]]]:
    """Return (title, keys) of what single rungs of a design have of their own."""
    return [
        (f"[{table_name(design)}.own.{_print_key(rung)}]", own_row(own))
        for rung, own in design.dial.own.items()
    ]


def rung_row(rung: Rung) -> dict[str, Any]:
    """Return a rung's keys as a ladder file has them."""
    row = {"name": rung.name, **model_row(rung.architecture)}
    row |= {"dropout": rung.dropout} if rung.dropout else {}  # old ladders keep their hash
    row |= {"seeds": rung.seeds, "token_budgets": list(rung.token_budgets)}
    row |= {"lrs": list(rung.lrs)} if rung.lrs else {}
    return row | ({"start": rung.start} if rung.start else {})


def ladder_hash(ladder: Ladder) -> str:
    """Return the identity of a ladder: SHA-256 of its printed form, hexadecimal."""
    return hashlib.sha256(print_ladder(ladder).encode()).hexdigest()


def _head(ladder: Ladder) -> list[str]:
    head = {name: getattr(ladder, name) for name in ("name", "corpus", "tokenizer", "seed")}
    if ladder.max_epochs != MAX_EPOCHS:  # old ladders keep their hash
        head["max_epochs"] = ladder.max_epochs
    return [
        print_table(head),
        "[recipe]\n" + print_table(recipe_row(ladder.recipe)),
        "[evaluation]\n" + print_table(evaluation_row(ladder.evaluation)),
    ]


def _print_key(key: str) -> str:
    """A bare key, quoted where it has a dot or what else is not bare."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _print_value(key)


def print_table(row: dict[str, Any]) -> str:
    """Print one table's keys, a line each."""
    return "".join(f"{key} = {_print_value(value)}\n" for key, value in row.items())


def _print_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    if isinstance(value, list):
        return "[" + ", ".join(_print_value(item) for item in value) + "]"
    return repr(value)
