"""What a table's N, D, C and loss are, in words, as far as the table itself tells.

What it does not tell is left out, for the user to state: a column called `N` says nothing about
embeddings.
"""

import numpy as np

from isoflop.runs.table import RunTable

SAME_COUNT = 0.01
"""Largest relative difference of recorded compute from 6ND at which it is 6ND."""
TELLING = ("embed", "head", "total", "vocab")
"""Parts of a column's name that say which parameters it counts."""
OTHER_COUNTS = ("n_params_non_embedding", "n_params_with_head")
"""Columns beside which a run table's n_params counts all."""


def define_columns(table: RunTable) -> dict[str, str]:
    """Say what N, D, C and the evaluation set are: only those that the table tells.

    >>> rows = [{"n_params": 1e6, "n_tokens": 1e8, "loss": 3.0, "eval_set": "C4 validation"}]
    >>> sorted(define_columns(RunTable.from_records(rows)))
    ['C', 'D', 'eval set']
    """
    found = {
        "N": _params(table),
        "D": _tokens(table),
        "C": _compute(table),
        "eval set": _evaluated(table),
    }
    return {name: text for name, text in found.items() if text}


def _params(table: RunTable) -> str:
    if "n_params" not in table:
        return "no parameter count used"
    column = table.mapping.get("n_params", "n_params")
    if any(part in column.lower() for part in TELLING):
        return f"parameters as column `{column}` counts them"
    if column == "n_params" and any(name in table for name in OTHER_COUNTS):
        return "all parameters, beside other counts in the table"
    return ""


def _tokens(table: RunTable) -> str:
    derived = [note for note in table.notes if note.startswith("n_tokens derived")]
    if derived:
        return derived[0]
    if "n_tokens" not in table:
        return "no tokens used"
    return f"tokens seen in training, repeats counted: column `{_name(table, 'n_tokens')}`"


def _compute(table: RunTable) -> str:
    """Compute is defined where it is 6ND, by rule or by comparison."""
    known = "n_params" in table and "n_tokens" in table
    if "flops" not in table:
        return "6·N·D, not recorded" if known else "no compute used"
    if not known:
        return ""
    with np.errstate(all="ignore"):
        ratio = table.numbers("flops") / (6 * table.numbers("n_params") * table.numbers("n_tokens"))
    if np.isfinite(ratio).all() and (abs(ratio - 1) <= SAME_COUNT).all():
        return f"6·N·D to {SAME_COUNT:.0%}: column `{_name(table, 'flops')}`"
    return ""


def _evaluated(table: RunTable) -> str:
    sets = set(table.text("eval_set")) if "eval_set" in table else set()
    return sets.pop() if len(sets) == 1 else ""


def _name(table: RunTable, column: str) -> str:
    return str(table.mapping.get(column, column))
