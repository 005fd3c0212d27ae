"""Units that cannot be: amounts in billions, losses in other units, tokens below one batch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.base.errors import RunTableError
from isoflop.runs.finding import Finding
from isoflop.runs.flops_units import looks_like_unit
from isoflop.runs.table import RunTable
from isoflop.runs.unit_slips import find_slips

COUNTS = (
    "n_params", "n_params_non_embedding", "n_params_with_head", "n_tokens", "n_tokens_unique",
    "flops", "steps", "batch_tokens",
)  # fmt: skip
"""Columns that count things, of which there is no half."""

FEW = {"n_params": 1e3, "n_tokens": 1e4, "flops": 1e9}
"""Amounts below these in every run look like millions or billions of something."""

MOST_NATS = {"token": 25.0, "byte": 12.0}
"""No run is that bad: guessing one of 1e10 tokens costs 23 nats, one of 256 bytes 5.5."""
UNIFORM_NATS = {"token": 13.0, "byte": 5.6}
"""What guessing costs: log of 440 thousand tokens, of 256 bytes; a trained model is below."""
LOW_NATS_PER_TOKEN = 1.2
"""Held-out losses of text rarely fall below; nats or bits per byte lie there."""
ANOTHER_COUNT = 10.0
"""Recorded FLOPs over 6ND from which the two cannot mean the same run; embeddings and attention
make up to 4 at the smallest sizes."""
LN_2 = float(np.log(2))
NO_HALF = "a count cannot be below one; write it out rather than in millions or billions"
LESS_THAN_A_BATCH = "fewer tokens than one batch of `batch_tokens`; one of them is in another unit"


@dataclass(frozen=True)
class Impossible:
    """Values of a column that cannot be.

    Args:
        column: its name.
        wrong: (n_runs,) where.
        why: why not, and what may be the matter.
    """

    column: str
    wrong: NDArray[np.bool_]
    why: str

    def refuse(self, table: RunTable) -> None:
        """Raise a RunTableError that names the rows."""
        rows = table.rows[self.wrong]
        others = f" (and {name_rows(rows[1:])})" if len(rows) > 1 else ""
        first = table.numbers(self.column)[self.wrong][0]
        raise RunTableError(
            f"found {first:g}{others}; {self.why}",
            source=table.source,
            row=int(rows[0]),
            field=self.column,
        )


def check_units(table: RunTable, columns: Sequence[str]) -> list[Finding]:
    """Refuse amounts that cannot be what their column says, and report those that hardly can.

    Args:
        table: the runs.
        columns: those a law uses.

    Raises:
        RunTableError: a count below one, more tokens a batch than a run, or a loss beyond any
            model's; names the rows.
    """
    for found in impossible_amounts(table, columns):
        found.refuse(table)
    findings = _check_scale(table, columns)
    return findings + (_check_loss(table) if "loss" in columns and _one_unit(table) else [])


def name_rows(rows: NDArray[np.int64], most: int = 5) -> str:
    """Name rows in a message: `row 3`, `rows 3, 5, 8`, `rows 1, 2, 3, 4, 5 and 12 more`.

    >>> name_rows(np.array([3, 5]))
    'rows 3, 5'
    """
    shown = ", ".join(str(row) for row in rows[:most])
    more = f" and {len(rows) - most} more" if len(rows) > most else ""
    return f"row{'s' * (len(rows) > 1)} {shown}{more}"


def impossible_amounts(table: RunTable, columns: Sequence[str]) -> list[Impossible]:
    """List the amounts that cannot be what their column says: counts below one, losses of no model.

    Args:
        table: the runs.
        columns: those to look at.
    """
    listed = [
        Impossible(name, table.numbers(name) < 1, _no_half(table, name))
        for name in COUNTS
        if name in columns
    ]
    if "batch_tokens" in table and "n_tokens" in columns:
        too_few = table.numbers("n_tokens") < table.numbers("batch_tokens")
        listed.append(Impossible("n_tokens", too_few, LESS_THAN_A_BATCH))
    if "loss" in columns and _one_unit(table):
        losses, per, _ = _nats(table)
        why = (
            f"no model is that bad: the limit is {MOST_NATS[per]:g} nats per {per}; is it a "
            "perplexity, or in another unit?"
        )
        listed.append(Impossible("loss", losses > MOST_NATS[per], why))
    return [each for each in listed if each.wrong.any()]


def _no_half(table: RunTable, name: str) -> str:
    unit = looks_like_unit(table) if name == "flops" else ""
    return f"a count cannot be below one; {unit}" if unit else NO_HALF


def _one_unit(table: RunTable) -> bool:
    return "loss_unit" not in table or len(set(table.text("loss_unit"))) == 1


def _nats(table: RunTable) -> tuple[NDArray[np.float64], str, bool]:
    """Losses in nats, what they are per, and whether the table says so."""
    unit = table.text("loss_unit")[0] if "loss_unit" in table else ""
    losses = table.numbers("loss") * (LN_2 if unit.startswith("bits") else 1.0)
    return losses, "byte" if unit.endswith("byte") else "token", bool(unit)


def _guessing(table: RunTable, per: str) -> tuple[NDArray[np.float64], str]:
    """What guessing costs every run, nats, and of how many tokens; log V where V is recorded."""
    cost = np.full(len(table), UNIFORM_NATS[per])
    if per == "byte":
        return cost, ""
    shape = ("n_params_vocabulary", "d_model")
    size = np.full(len(table), np.nan)
    if "n_vocab" in table:
        size = table.numbers("n_vocab")
    elif set(shape) <= set(table.columns):
        size = table.numbers(shape[0]) / table.numbers(shape[1])
    known = size > 1
    cost[known] = np.log(size[known])
    told = f"one of {size[known].max():.0f} tokens " if known.any() else ""
    return cost, told


def _check_loss(table: RunTable) -> list[Finding]:
    losses, per, said = _nats(table)
    findings = []
    cost, known = _guessing(table, per)
    guessing = losses > cost
    if guessing.any():
        most = cost[guessing].max()
        findings.append(
            Finding(
                code="worse-than-guessing",
                severity="warning",
                evidence=f"{name_rows(table.rows[guessing])}: up to {losses.max():.3g} nats per "
                f"{per}, where guessing {known}costs {most:.3g}",
                consequence="a run that learned nothing bends the law of those that did",
                remedy="mark it diverged, or record its unit in `loss_unit`",
                runs=_named(table, guessing),
            )
        )
    low = losses < LOW_NATS_PER_TOKEN
    if not said and np.median(losses) < LOW_NATS_PER_TOKEN:
        findings.append(
            Finding(
                code="loss-unit-unsure",
                severity="note",
                evidence=f"losses from {losses.min():.3g} to {losses.max():.3g}, no `loss_unit`; "
                "taken for nats per token, low for text",
                consequence="the fit is the same in any unit, but its losses are then named wrong",
                remedy="record loss_unit, such as bits/byte",
                runs=_named(table, low),
            )
        )
    return findings


def _check_scale(table: RunTable, columns: Sequence[str]) -> list[Finding]:
    """Amounts too small in every run, slips of unit, and FLOPs that neither explains."""
    slips = find_slips(table) if {"n_params", "n_tokens"} <= set(columns) else []
    few = [name for name, fewest in FEW.items()
           if name in columns and table.numbers(name).max() < fewest]  # fmt: skip
    told = [slip.finding(table) for slip in slips if not set(slip.columns) & set(few)]
    explained = np.any([slip.rows for slip in slips], axis=0) if slips else np.array(False)
    if "flops" in few and looks_like_unit(table):
        explained = np.array(True)  # one finding of one unit
    return [_too_few(table, name) for name in few] + told + _check_flops(table, columns, explained)


def _too_few(table: RunTable, name: str) -> Finding:
    return Finding(
        code="units-unlikely",
        severity="warning",
        evidence=f"`{name}` is at most {table.numbers(name).max():g} in every run",
        consequence="plans and costs would be off by millions; exponents stay as they are",
        remedy=(looks_like_unit(table) if name == "flops" else "")
        or "write counts out, not in millions or billions",
    )


def _check_flops(
    table: RunTable, columns: Sequence[str], explained: NDArray[np.bool_]
) -> list[Finding]:
    """Compare recorded FLOPs with 6ND where the table has all three and no slip is known."""
    if "flops" not in columns or not {"n_params", "n_tokens"} <= set(table.columns):
        return []
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        ratio = table.numbers("flops") / (6 * table.numbers("n_params") * table.numbers("n_tokens"))
    wrong = ((ratio > ANOTHER_COUNT) | (ratio < 1 / ANOTHER_COUNT)) & ~explained
    if not wrong.any():
        return []
    return [
        Finding(
            code="flops-disagree",
            severity="warning",
            evidence=f"{name_rows(table.rows[wrong])}: `flops` is {ratio[wrong][0]:.3g} times 6ND",
            consequence="one of flops, n_params and n_tokens is in another unit or of another run",
            remedy=looks_like_unit(table.select(wrong))
            or "correct it, or drop the column and derive C = 6ND",
            runs=_named(table, wrong),
        )
    ]


def _named(table: RunTable, chosen: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(name for name, yes in zip(table.names(), chosen, strict=True) if yes)[:20]
