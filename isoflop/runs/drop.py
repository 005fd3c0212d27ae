"""Leave runs out, by name, by row or by loss, and record that it was done."""

from collections.abc import Sequence

import numpy as np

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.runs.table import RunTable


def drop_runs(table: RunTable, listed: Sequence[str]) -> RunTable:
    """Leave out the runs listed by name or by 1-based row of the file.

    A line that is both the name of a run and a row number is taken as the name; `#` begins a
    comment, unless it is part of a run's name. A name that several runs share drops them all.

    Raises:
        UnknownNameError: a line that is neither.

    >>> table = RunTable.from_records([{"run": "a", "loss": 3.0}, {"run": "b", "loss": 2.0}])
    >>> drop_runs(table, ["a"]).names()
    ['b']
    """
    keep = np.ones(len(table), dtype=bool)
    names = table.names()
    place: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        place.setdefault(name, []).append(i)
    by_row = {str(row): [i] for i, row in enumerate(table.rows)}
    shared: dict[str, int] = {}
    for line in listed:
        entry = line.strip()
        if entry not in place:
            entry = line.split("#")[0].strip()  # a comment
        if not entry:
            continue
        found = place.get(entry, by_row.get(entry))
        if found is None:
            raise UnknownNameError("run or row", entry, place)
        keep[found] = False
        if len(found) > 1:
            shared[entry] = len(found)
    several = "".join(f"; {name!r} names {count} of them" for name, count in shared.items())
    return table.select(keep, note=f"{int((~keep).sum())} runs dropped by name or row{several}")


def drop_highest_loss(table: RunTable, count: int) -> RunTable:
    """Leave out the `count` runs with the highest loss.

    Raises:
        InputError: a negative count, or one that leaves nothing.

    >>> table = RunTable.from_records([{"run": "a", "loss": 3.0}, {"run": "b", "loss": 2.0}])
    >>> drop_highest_loss(table, 1).names()
    ['b']
    """
    if not 0 <= count < len(table):
        raise InputError(f"cannot drop {count} of {len(table)} runs")
    keep = np.ones(len(table), dtype=bool)
    keep[np.argsort(-table.numbers("loss"), kind="stable")[:count]] = False
    return table.select(keep, note=f"the {count} runs with the highest loss dropped")
