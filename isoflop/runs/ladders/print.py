"""Print a ladder as TOML: rung by rung, which is its identity, or by the table of its design."""

import hashlib
import re
from typing import Any

from isoflop.runs.designs.expand import expand_design
from isoflop.runs.designs.tables import table_name
from isoflop.runs.designs.toml import design_row
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
    rungs = ["[[rungs]]\n" + _print_table(rung_row(rung)) for rung in ladder.rungs]
    return "\n".join([*_head(ladder), *rungs])


def print_spec(ladder: Ladder) -> str:
    """Print a ladder as it was written: by the table of its design, where it still holds.

    >>> from isoflop.runs.designs.examples import EXAMPLES
    >>> from isoflop.runs.ladders.toml import parse_ladder
    >>> ladder = parse_ladder(EXAMPLES["grid"])
    >>> "[[rungs]]" in print_spec(ladder), parse_ladder(print_spec(ladder)) == ladder
    (False, True)
    """
    design = ladder.design
    if (
        design is None
        or expand_design(design, ladder.rungs[0].architecture.n_vocab) != ladder.rungs
    ):
        return print_ladder(ladder)
    row, name = design_row(design), table_name(design)
    own = row.pop("own", {})
    blocks = [f"[{name}]\n" + _print_table(row)]
    blocks += [
        f"[{name}.own.{_print_key(rung)}]\n" + _print_table(each) for rung, each in own.items()
    ]
    return "\n".join([*_head(ladder), *blocks])


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
        _print_table(head),
        "[recipe]\n" + _print_table(recipe_row(ladder.recipe)),
        "[evaluation]\n" + _print_table(evaluation_row(ladder.evaluation)),
    ]


def _print_key(key: str) -> str:
    """A bare key, quoted where it has a dot or what else is not bare."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _print_value(key)


def _print_table(row: dict[str, Any]) -> str:
    return "".join(f"{key} = {_print_value(value)}\n" for key, value in row.items())


def _print_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    if isinstance(value, list):
        return "[" + ", ".join(_print_value(item) for item in value) + "]"
    return repr(value)
