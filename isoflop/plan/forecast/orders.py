"""Orders of magnitude to human level, task by task, by several forms side by side.

Legend: s score as a share, h human level, orders = log10(size that reaches h / largest measured).
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.base.estimate import LEVEL, Estimate
from isoflop.plan.forecast.human import choose_levels
from isoflop.plan.forecast.score_curve import ScoreCurve, fit_score, orders_to
from isoflop.plan.forecast.score_findings import (
    check_floor,
    judge_orders,
    judge_transition,
    warn_unverified,
)
from isoflop.plan.forecast.score_forms import SCORE_FORMS
from isoflop.plan.forecast.scores import ScoreSeries, average_series, list_series
from isoflop.plan.forecast.transitions import Transition, find_transition
from isoflop.runs.finding import Finding
from isoflop.runs.table import RunTable

GROUPS: Mapping[str, float] = {"tractable": 2.0, "maybe": 10.0, "less": math.inf}
"""{group: orders of magnitude below which a task is in it}; the words are the slides'."""


@dataclass(frozen=True, eq=False)
class TaskOrders:
    """How far one task is from human level.

    Args:
        series: its scores.
        human: human level, a share.
        verified: whether the level is the user's own.
        curves: {form: the form fitted}.
        orders: {form: orders of magnitude, None where the form never gets there}.
        transition: a jump that the smaller sizes did not announce.
        findings: what a reader should know.
    """

    series: ScoreSeries
    human: float
    verified: bool
    curves: Mapping[str, ScoreCurve]
    orders: Mapping[str, Estimate | None]
    transition: Transition | None
    findings: tuple[Finding, ...]

    @property
    def middle(self) -> float:
        """Median of the straight forms, infinite for those that never get there."""
        straight = [self.orders[name] for name, form in SCORE_FORMS.items() if form.is_straight]
        return statistics.median(math.inf if each is None else each.value for each in straight)

    @property
    def group(self) -> str:
        """Passed, tractable, maybe or less; unknown where no line could be fitted."""
        if float(self.series.share.max()) >= self.human:
            return "passed"
        if all(curve.fit is None for curve in self.curves.values()):
            return "unknown"
        return next((name for name, end in GROUPS.items() if self.middle < end), "less")

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "task": self.series.task,
            "shots": self.series.shots,
            "largest": self.series.largest,
            "score": float(self.series.share[-1]),
            "human": self.human,
            "human_verified": self.verified,
            "group": self.group,
            "orders": {name: e and e.to_dict() for name, e in self.orders.items()},
            "reasons": {name: c.reason for name, c in self.curves.items() if c.reason},
            "transition": self.transition and self.transition.to_dict(),
            "findings": [finding.to_dict() for finding in self.findings],
        }


@dataclass(frozen=True, eq=False)
class Orders:
    """Tasks sorted by their distance from human level.

    Args:
        tasks: nearest first.
        variable: column of the size.
        without_level: tasks left out, for want of a level.
        findings: what concerns all of them.
    """

    tasks: tuple[TaskOrders, ...]
    variable: str
    without_level: tuple[str, ...]
    findings: tuple[Finding, ...]

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "variable": self.variable,
            "forms": {name: form.formula for name, form in SCORE_FORMS.items()},
            "tasks": [task.to_dict() for task in self.tasks],
            "without_level": list(self.without_level),
            "groups": {name: None if end == math.inf else end for name, end in GROUPS.items()},
            "findings": [finding.to_dict() for finding in self.findings],
        }


@dataclass(frozen=True)
class OrdersSpec:
    """How to measure orders of magnitude.

    Args:
        over: column of the size.
        shots: way of asking to keep; all if None.
        chance: {task: percent right by guessing}.
        n_questions: questions behind each score, for the noise at the floor.
        level: confidence level of the intervals.
        seed: seed of starts and draws.
    """

    over: str = "n_params"
    shots: str | None = None
    chance: Mapping[str, float] | None = None
    n_questions: int | None = None
    level: float = LEVEL
    seed: int = 0


def measure_orders(
    table: RunTable,
    human: Mapping[str, float] | None = None,
    *,
    every: float | None = None,
    average: bool = False,
    spec: OrdersSpec | None = None,
) -> Orders:
    """Measure how many orders of magnitude of size each task is from human level.

    Args:
        table: scores, see `list_series`.
        human: {task: percent}; over the defaults of `HUMAN_LEVELS`.
        every: percent of all tasks that have no level otherwise.
        average: take the mean of all tasks in place of each; needs `every`.
        spec: how.

    Raises:
        RunTableError: not a table of scores.
        UnknownNameError: a level or a chance of a task that is not in it.
        InputError: no task has a human level, or a level outside 0 to 100.

    >>> rows = [{"task": "t", "n_params": 10.0**k, "score_percent": 10 * k} for k in range(4, 9)]
    >>> found = measure_orders(RunTable.from_records(rows), {"t": 90})
    >>> round(found.tasks[0].orders["linear"].value, 9)
    1.0
    """
    spec = spec or OrdersSpec()
    series = list_series(table, over=spec.over, shots=spec.shots)
    for task in spec.chance or {}:
        if task not in {each.task for each in series}:
            raise UnknownNameError("task", task, {each.task for each in series})
    if average:
        series = average_series(series)
        human = {series[0].task: _need_level(every, table), **(human or {})}
    levels, unverified = choose_levels((s.task for s in series), human or {}, default=every)
    if not levels:
        raise InputError(
            f"{table.source}: no task has a human level; give them, such as "
            f"--human {_quoted(series[0].task)}=90, or --every 95"
        )
    tasks = [_measure(s, levels[s.task], unverified, spec) for s in series if s.task in levels]
    tasks.sort(key=lambda task: (task.series.shots, task.group != "passed", task.middle))
    unsure = [task for task in levels if task in unverified]
    return Orders(
        tasks=tuple(tasks),
        variable=spec.over,
        without_level=tuple(dict.fromkeys(s.task for s in series if s.task not in levels)),
        findings=(warn_unverified(unsure),) if unsure else (),
    )


def _measure(
    series: ScoreSeries, level: float, unverified: frozenset[str], spec: OrdersSpec
) -> TaskOrders:
    """Fit every form to one series."""
    human = level / 100
    curves = {
        name: fit_score(series, form, level=spec.level, seed=spec.seed)
        for name, form in SCORE_FORMS.items()
    }
    orders = {name: orders_to(curve, human) for name, curve in curves.items()}
    transition = find_transition(series)
    chance = (spec.chance or {}).get(series.task, 0.0) / 100
    fitted = {name: orders[name] for name in orders if _can_reach(curves[name], human)}
    findings = [
        *judge_orders(series, human, fitted),
        *judge_transition(series, transition),
        *check_floor(series, chance, spec.n_questions),
    ]
    verified = series.task not in unverified
    return TaskOrders(series, human, verified, curves, orders, transition, tuple(findings))


def _can_reach(curve: ScoreCurve, human: float) -> bool:
    """Whether it is a fitted line on which the level has a place."""
    known = curve.form.is_straight and curve.fit is not None
    return known and bool(curve.form.usable(np.array([human]))[0])


def _need_level(every: float | None, table: RunTable) -> float:
    if every is None:
        raise InputError(
            f"{table.source}: the mean of all tasks has no human level; give one: --every 95"
        )
    return every


def _quoted(task: str) -> str:
    return f"'{task}'" if " " in task else task


def count_groups(tasks: Sequence[TaskOrders]) -> dict[str, list[str]]:
    """Names of the tasks in each group, nearest first."""
    groups: dict[str, list[str]] = {name: [] for name in ("passed", *GROUPS, "unknown")}
    for task in tasks:
        groups[task.group].append(task.series.name)
    return {name: found for name, found in groups.items() if found}
