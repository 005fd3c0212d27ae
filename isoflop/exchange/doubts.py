"""What of a source reads well and may yet be mistaken: unnamed curves, names twice, no loss."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from isoflop.exchange.foreign_json import Scalar, number
from isoflop.exchange.header_units import AMOUNTS, read_unit
from isoflop.exchange.phases import find_phases
from isoflop.runs.cells import Cell
from isoflop.runs.columns import map_columns

_NAMING = frozenset({"run", "id", "name", "experiment", "exp", "trial", "job", "model", "uuid"})
_UNITED = AMOUNTS | {"loss"}
_MEASURED = frozenset({"loss", "accuracy", "error", "n_tokens", "flops", "loss_unit", "status"})
MAX_SHOWN = 3


def unnamed_curves(rows: Sequence[Mapping[str, Scalar]], step: str) -> str:
    """Say that rows look like points of curves that no name tells apart, "" if they do not.

    >>> unnamed_curves([{"job": j, "step": s} for j in "ab" for s in (1, 2)], "step")
    "no column names the runs, so each of 4 rows is one; if they are points of curves over 'step', \
say whose with --columns run=job"
    """
    if len({row.get(step) for row in rows}) < 2:
        return ""
    likely = _naming_columns(rows, step)
    how = " or ".join(f"run={name!r}" if " " in name else f"run={name}" for name in likely)
    how = f"say whose with --columns {how}" if likely else "add a column `run`"
    return (
        f"no column names the runs, so each of {len(rows)} rows is one; if they are points of "
        f"curves over {step!r}, {how}"
    )


def _naming_columns(rows: Sequence[Mapping[str, Scalar]], step: str) -> list[str]:
    """Columns that repeat over the steps, each value once a step; those called names first."""
    fit, phases = [], find_phases(rows)
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row.get(name) for row in rows]
        if None in values or name == phases or next(iter(map_columns([name]))) in _MEASURED:
            continue
        points = {(value, row.get(step)) for value, row in zip(values, rows, strict=True)}
        if name != step and len(points) == len(rows) and len(set(values)) < len(rows):
            fit.append((name, any(number(value) is None for value in values)))
    called = [name for name, _ in fit if _NAMING & set(_words(name))]
    return (called or [name for name, text in fit if text] or [n for n, _ in fit])[:MAX_SHOWN]


def repeated_names(records: Sequence[Mapping[str, Cell]]) -> list[str]:
    """Say which names several runs share, [] if none do."""
    named = [str(record["run"]) for record in records if record.get("run") not in (None, "")]
    twice = {name: count for name, count in Counter(named).items() if count > 1}
    if not twice:
        return []
    shown = ", ".join(f"{name!r} ({count} rows)" for name, count in list(twice.items())[:MAX_SHOWN])
    more = f" and {len(twice) - MAX_SHOWN} more" if len(twice) > MAX_SHOWN else ""
    return [
        f"names of runs are not unique: {shown}{more}; rename them, drop rows by number or, if "
        "they are points of curves, name the axis with --columns steps=NAME"
    ]


def losses_absent(records: Sequence[Mapping[str, Cell]]) -> list[str]:
    """Say how many runs came in without a loss, [] where all have one."""
    without = [record for record in records if record.get("loss") in (None, "")]
    diverged = [record for record in without if record.get("status") == "diverged"]
    notes = []
    if diverged:
        notes.append(f"the loss of {len(diverged)} runs is not a number: they are `diverged`")
    empty = len(without) - len(diverged)
    if empty:
        notes.append(f"{empty} runs have no loss; fits leave them out")
    return notes


def shares_beyond(records: Sequence[Mapping[str, Cell]]) -> list[str]:
    """Say which accuracies are no share, [] where all lie from 0 to 1."""
    known = [number(record.get("accuracy")) for record in records]
    beyond = [value for value in known if value is not None and not 0 <= value <= 1]
    if not beyond:
        return []
    return [
        f"accuracy is a share, 0 to 1, but {len(beyond)} runs hold others (as {beyond[0]:g}); "
        "divide percentages by 100"
    ]


def units_left(mapping: Mapping[str, str], *, unit_known: bool) -> list[str]:
    """Say which names tell a unit that was not gone by.

    Args:
        mapping: {column of the run table: name in the source}.
        unit_known: whether the unit of the loss is recorded.

    >>> units_left({"compute (PF-days)": "compute (PF-days)"}, unit_known=True)
    ["'compute (PF-days)' could be `flops`, but the unit PF-days is not known here: not converted"]
    """
    notes = []
    for column, name in mapping.items():
        told = read_unit(name)
        meant = next(iter(map_columns([told.base])))
        if told.unknown and column not in _UNITED and meant in _UNITED and meant not in mapping:
            notes.append(
                f"{name!r} could be `{meant}`, but the unit {told.unknown} is not known here: "
                "not converted"
            )
    loss = mapping.get("loss", "")
    if not unit_known and {"bit", "bits"} & set(_words(loss)):
        notes.append(
            f"{loss!r} reads as bits; the values are taken as they are, in no unit recorded: add a "
            "column loss_unit that says bits/token or bits/byte"
        )
    return notes


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[^a-z0-9]+", name.lower()) if word]
