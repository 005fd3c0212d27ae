"""The score of a task at a scale not yet trained: a table, a column and a scale in, a forecast out.

Two steps (`isoflop.fitting.downstream.two_step`), with what a reader should know of the scores.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from isoflop.base.errors import InputError, RunTableError
from isoflop.base.estimate import Estimate, shorten
from isoflop.fitting.downstream.two_step import TwoStep, fit_two_step, predict_two_step
from isoflop.fitting.fit import Fit
from isoflop.fitting.foresight.foresight import predict_loss
from isoflop.fitting.methods import choose_form
from isoflop.fitting.parametric import FitSpec
from isoflop.laws.fixed import fix_constants
from isoflop.laws.forms import find_form
from isoflop.runs.finding import Finding
from isoflop.runs.table import RunTable

MAPS = ("accuracy-sigmoid", "accuracy-exponential", "error")
MARGIN = 0.02
"""Distance from chance that counts as above it where the questions are not known."""
SURE = 2.0
"""Binomial standard deviations from chance that count as above it where they are."""


@dataclass(frozen=True)
class Task:
    """A task and how its score follows from the loss.

    Args:
        metric: column of the scores, shares from 0 to 1; accuracies, or errors with `error`.
        mapping: law of the score over the loss, one of `MAPS`.
        chance: accuracy of guessing, held as the sigmoid's floor; None leaves that free.
        n_questions: questions a score is the share of, if known.
    """

    metric: str = "accuracy"
    mapping: str = "accuracy-sigmoid"
    chance: float | None = None
    n_questions: int | None = None

    def __post_init__(self) -> None:
        if self.mapping not in MAPS:
            raise InputError(f"a map is {', '.join(MAPS)}; found {self.mapping!r}")
        if self.chance is not None and not 0 <= self.chance < 1:
            raise InputError(f"chance is a share from 0 to 1, found {self.chance:g}")
        if self.n_questions is not None and self.n_questions < 1:
            raise InputError(f"questions are counted from 1, found {self.n_questions}")


@dataclass(frozen=True)
class TaskForecast:
    """A task's two fits and its scores where they were asked for.

    Args:
        task: the task.
        both: law of the loss and map of it.
        at: {variable: (n,) amounts} asked for.
        losses: n losses of one future run.
        scores: n scores of one future run.
        findings: what a reader should know, of both fits and of the scores.
    """

    task: Task
    both: TwoStep
    at: Mapping[str, tuple[float, ...]]
    losses: tuple[Estimate, ...]
    scores: tuple[Estimate, ...]
    findings: tuple[Finding, ...]

    @property
    def determined(self) -> bool:
        """Whether both fits may be read."""
        return self.both.loss.determined and self.both.mapped.determined

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        pairs = zip(self.losses, self.scores, strict=True)
        return {
            "metric": self.task.metric,
            "loss": self.both.loss.to_dict(),
            "map": self.both.mapped.to_dict(),
            "predictions": [
                {
                    **{name: amounts[k] for name, amounts in self.at.items()},
                    "loss": loss.to_dict(),
                    self.both.mapped.law.response: score.to_dict(),
                }
                for k, (loss, score) in enumerate(pairs)
            ],
            "findings": [finding.to_dict() for finding in self.findings],
        }

    def __str__(self) -> str:
        loss, mapped = self.both.loss, self.both.mapped
        unit = loss.data.loss_unit.removesuffix(" (assumed)")
        lines = [*_step("loss", loss), *_step(self.task.metric, mapped)]
        for k, (one, score) in enumerate(zip(self.losses, self.scores, strict=True)):
            where = ", ".join(f"{name} {shorten(given[k])}" for name, given in self.at.items())
            said = f"loss {one} {unit}, {self.task.metric} {score}"
            lines.append(f"at {where}: {said} ({100 * score.level:g} %, one future run)")
        for finding in self.findings:
            lines.append(f"{finding.severity}: {finding.code}: {finding.evidence}")
            lines.append(f"    {finding.consequence}; {finding.remedy}")
        return "\n".join(lines)


def forecast_task(
    table: RunTable,
    task: Task,
    at: Mapping[str, Sequence[float]] | None = None,
    *,
    law: str | None = None,
    over: str | None = None,
    spec: FitSpec | None = None,
) -> TaskForecast:
    """Fit loss from scale and score from loss, and predict the score at scales not yet trained.

    Args:
        table: runs with the loss, the variables of its law and, where evaluated, the score.
        task: column and kind of the score.
        at: {variable: (n,) amounts} to predict at.
        law: law of the loss; chinchilla where n_params and n_tokens are asked for, else a power
            law above a constant over the one variable asked for, flops by default.
        over: variable of a one-variable law.
        spec: how to fit both.

    Raises:
        InputError: a score that is no share, an unknown map, or predictions without all of the
            variables of the law.

    >>> C = np.logspace(18, 21, 8)
    >>> rows = [{"flops": c, "loss": (1e26 / c) ** 0.05} for c in C]
    >>> rows = [{**row, "exact": np.exp(-2 * row["loss"])} for row in rows]
    >>> task = Task("exact", "accuracy-exponential")
    >>> found = forecast_task(RunTable.from_records(rows), task, {"flops": [1e26]}, law="power")
    >>> round(found.scores[0].value, 6)
    0.135335
    """
    asked = {name: tuple(float(x) for x in amounts) for name, amounts in (at or {}).items()}
    mapping = find_form(task.mapping)
    table = _with_scores(table, task, mapping.response)
    joint = set(asked) == {"n_params", "n_tokens"}
    if law is None and not joint:
        law, over = "power-constant", over or next(iter(asked), "flops")
    loss_law = choose_form(table, law or "chinchilla", over=over)
    absent = [name for name in loss_law.variables if asked and name not in asked]
    if absent:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in absent)
        raise InputError(f"{loss_law.name} predicts from {', '.join(absent)} too; give {options}")
    unread = [name for name in asked if name not in loss_law.variables]
    if unread:
        raise InputError(
            f"{loss_law.name} is a law of {', '.join(loss_law.variables)} and does not read "
            f"{', '.join(unread)}; leave that out, or name another --law"
        )
    if task.chance is not None and task.mapping == "accuracy-sigmoid":
        mapping = fix_constants(mapping, {"floor": task.chance})
    both = fit_two_step(table, loss_law, mapping, n_questions=task.n_questions, spec=spec)
    variables = {name: np.array(asked[name]) for name in loss_law.variables if asked}
    losses = predict_loss(both.loss, variables) if asked else []
    questions = task.n_questions
    scores = predict_two_step(both, variables, n_questions=questions) if asked else []
    own = check_above_chance(table, task, mapping.response, len(mapping.parameters))
    found = [*own, *both.findings, *both.loss.findings, *both.mapped.findings]
    return TaskForecast(task, both, asked, tuple(losses), tuple(scores), tuple(found))


def check_above_chance(
    table: RunTable, task: Task, response: str, n_parameters: int
) -> list[Finding]:
    """Report scores of which too few stand out from guessing to show a curve.

    Args:
        table: runs with the response.
        task: its chance and questions.
        response: `accuracy`, or `error`, whose complement is looked at.
        n_parameters: constants of the map.
    """
    values = table.numbers(response)
    values = values[np.isfinite(values)]
    solved = 1 - values if response == "error" else values
    chance = task.chance or 0.0
    margin = MARGIN
    if task.n_questions is not None:  # at a chance of zero, one question is as good as sure
        margin = SURE * float(np.sqrt(chance * (1 - chance) / task.n_questions))
    above = int(np.sum(solved > chance + margin))
    if above > n_parameters:
        return []
    return [
        Finding(
            code="few-above-chance",
            severity="warning",
            evidence=f"{above} of {len(solved)} runs score more than {chance + margin:.3g}, "
            f"{chance:g} being chance, and the map has {n_parameters} constants",
            consequence="where and how fast the score rises with the loss is not shown by them",
            remedy="evaluate larger runs, add questions, or predict the loss alone",
        )
    ]


def _with_scores(table: RunTable, task: Task, response: str) -> RunTable:
    """The table with its scores in the column that the map predicts."""
    values = table.numbers(task.metric)
    off = np.flatnonzero((values < 0) | (values > 1))
    if off.size:
        raise RunTableError(
            f"found {values[off[0]]:g}, expected a share from 0 to 1; divide per cents by 100",
            source=table.source,
            row=int(table.rows[off[0]]),
            field=task.metric,
        )
    return table if task.metric == response else table.with_column(response, values)


def _step(what: str, fit: Fit) -> list[str]:
    percent = fit.objective.scale == "log"
    rms = f"{100 * fit.rms:.2g} %" if percent else f"{fit.rms:.2g}"
    head = f"{what} by {fit.law.name}: {fit.law.form} ({fit.n_runs} runs, residual rms {rms})"
    free = "" if fit.determined else "  (not determined by these runs)"
    return [head, *(f"  {name:<10} {estimate}{free}" for name, estimate in fit.params.items())]
