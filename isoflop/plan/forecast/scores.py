"""Scores of benchmarks by model size, one series a task and way of asking.

Legend: x the size, in parameters unless another column is asked for; s the score as a share.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.base.errors import InputError, RunTableError, UnknownNameError
from isoflop.laws.law import Array
from isoflop.runs.table import RunTable

LEAST_SIZES = 4
"""A line through three sizes has one residual; what it says of ten times the size is noise."""


@dataclass(frozen=True, eq=False)
class ScoreSeries:
    """One task, asked one way, by size.

    Args:
        task: name of the benchmark.
        shots: way of asking, such as few; "" if the table does not say.
        size: (n,) float, ascending.
        share: (n,) float, score between 0 and 1.
        variable: column the size is read from.
        source: file the scores came from.
    """

    task: str
    shots: str
    size: Array
    share: Array
    variable: str = "n_params"
    source: str = "memory"

    @property
    def name(self) -> str:
        """Task and way of asking."""
        return f"{self.task} ({self.shots})" if self.shots else self.task

    @property
    def largest(self) -> float:
        """Size that orders of magnitude are counted from."""
        return float(self.size[-1])


def list_series(
    table: RunTable, *, over: str = "n_params", shots: str | None = None
) -> list[ScoreSeries]:
    """Sort a table of scores into series.

    Args:
        table: rows with `task`, the size, and `score_percent` (0 to 100) or `score` or `accuracy`
            (0 to 1); `shots` if tasks were asked in several ways.
        over: column of the size, such as n_params or flops.
        shots: keep this way of asking only.

    Raises:
        RunTableError: a column is absent, a score lies outside its range, a size is given twice.
        InputError: no row has those shots, or a task has fewer than four sizes.

    >>> rows = [{"task": "t", "n_params": 10.0**k, "score_percent": 10 * k} for k in range(5, 9)]
    >>> list_series(RunTable.from_records(rows))[0].share
    array([0.5, 0.6, 0.7, 0.8])
    """
    for name in ("task", over):
        if name not in table:
            raise RunTableError(_absent(name, table), source=table.source)
    share, kinds = _read_shares(table), _read_kinds(table, shots)
    size, tasks = table.numbers(over), table.text("task")
    keys = list(dict.fromkeys(zip(tasks, kinds, strict=True)))
    rows = {key: [k for k, at in enumerate(zip(tasks, kinds, strict=True)) if at == key]
            for key in keys if shots is None or key[1] == shots}  # fmt: skip
    return [_series(table, key, np.array(at), size, share, over) for key, at in rows.items()]


def average_series(series: Sequence[ScoreSeries]) -> list[ScoreSeries]:
    """Average the tasks of each way of asking at the sizes all of them were measured at.

    Raises:
        InputError: the tasks have fewer than four sizes in common.
    """
    averaged = []
    for shots in dict.fromkeys(each.shots for each in series):
        same = [each for each in series if each.shots == shots]
        common = sorted(set.intersection(*(set(each.size.tolist()) for each in same)))
        if len(common) < LEAST_SIZES:
            raise InputError(
                f"{same[0].source}: the tasks share {len(common)} sizes, and an average over them "
                f"needs {LEAST_SIZES}"
            )
        share = np.mean([each.share[np.isin(each.size, common)] for each in same], axis=0)
        name = f"mean of {len(same)} tasks"
        first = same[0]
        averaged.append(
            ScoreSeries(name, shots, np.array(common), share, first.variable, first.source)
        )
    return averaged


def _read_shares(table: RunTable) -> Array:
    """Scores as shares, (n_rows,)."""
    columns = {"score_percent": 100.0, "score": 1.0, "accuracy": 1.0}
    name = next((name for name in columns if name in table), None)
    if name is None:
        raise RunTableError(_absent("score_percent", table), source=table.source)
    top, values = columns[name], table.numbers(name)
    wrong = ~((values >= 0) & (values <= top))
    if wrong.any():
        raise RunTableError(
            f"found {values[wrong][0]:g}, expected a score from 0 to {top:g}",
            source=table.source,
            row=int(table.rows[wrong][0]),
            field=name,
        )
    return values / top


def _read_kinds(table: RunTable, shots: str | None) -> list[str]:
    kinds = table.text("shots") if "shots" in table else [""] * len(table)
    if shots is not None and shots not in kinds:
        if not any(kinds):
            raise InputError(f"{table.source}: no column `shots`, so none of them is {shots!r}")
        raise UnknownNameError("value of shots", shots, set(kinds))
    return kinds


def _series(
    table: RunTable,
    key: tuple[str, str],
    at: NDArray[np.intp],
    size: Array,
    share: Array,
    over: str,
) -> ScoreSeries:
    at = at[np.argsort(size[at], kind="stable")]
    one = ScoreSeries(*key, size[at], share[at], over, table.source)
    unknown = ~(size[at] > 0)
    if unknown.any():
        raise RunTableError(
            f"no positive {over} for {one.name}", source=table.source,
            row=int(table.rows[at][unknown][0]), field=over,
        )  # fmt: skip
    twice = np.flatnonzero(np.diff(size[at]) == 0)
    if twice.size:
        raise RunTableError(
            f"{one.name} has two scores at {size[at][twice[0]]:g}; keep one, or tell them apart "
            "in a column `shots`", source=table.source, row=int(table.rows[at][twice[0] + 1]),
        )  # fmt: skip
    if len(at) < LEAST_SIZES:
        raise InputError(
            f"{table.source}: {one.name} has scores at {len(at)} sizes; {LEAST_SIZES} are needed"
        )
    return one


def _absent(name: str, table: RunTable) -> str:
    return (
        f"no column `{name}`; a table of scores has task, n_params and score_percent (0 to 100), "
        f"and this one {', '.join(table.columns)}"
    )
