"""Several laws on one table: which foresees the larger runs, which describes them all.

The headline is the rolling-origin backtest; beside it leave-one-scale-out and information
criteria. Never R²: on losses that fall with scale every law that falls has one near one.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from isoflop.base.errors import InputError, IsoflopError
from isoflop.fitting.fit import Fit
from isoflop.fitting.methods import only_variable
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric, pose_problem
from isoflop.fitting.solve.solver import Problem, minimise
from isoflop.fitting.trials.comparison import Comparison, LawScore
from isoflop.fitting.trials.criteria import Criteria, measure_criteria
from isoflop.fitting.trials.origins import RollingBacktest, roll_backtest
from isoflop.fitting.trials.scales import find_scales
from isoflop.laws.forms import SINGLE_FORMS, find_form
from isoflop.laws.law import AbstractLaw
from isoflop.runs.checks import keep_usable
from isoflop.runs.table import RunTable

JOINT = ("chinchilla", "over-training", "kaplan-nd", "kaplan-nd-constant")
"""Laws compared on runs with parameters and tokens, unless others are asked for."""
SINGLE = ("power", "power-constant", "logarithm", "bnsl1")
"""Laws compared on runs with one variable."""
N_RESAMPLES = 100
"""Resamples at every origin: enough to score intervals."""
ORIGIN_STARTS = 24
"""Starts at every origin, unless fewer are asked for."""
CONTENDERS, WITHIN = 2, 2.0
"""Laws at most whose intervals are scored, and the ratio of their miss to the first's."""


def compare_laws(
    table: RunTable, laws: Sequence[AbstractLaw] = (), spec: FitSpec | None = None
) -> Comparison:
    """Fit several laws to one table and order them by their foresight.

    The intervals of the hidden runs are scored for the first law, and the second if it misses at
    most twice as far: asking at every origin whether a law is wrong takes longer than the rest
    together (Chinchilla's 240 points, processor time: 2.2 s with one law asked, 2.9 with two, 6.6
    with all four). `backtest` scores any law's.

    Args:
        table: the runs.
        laws: the forms; those that suit the table's columns if none are given.
        spec: how to fit; 100 resamples at each origin by default.

    Raises:
        InputError: a name twice, or no law could be fitted; says why each could not.
    """
    spec = spec or FitSpec(n_resamples=N_RESAMPLES)
    laws = laws or suited_laws(table)
    scores, left_out = [], []
    for law in laws:
        try:
            _require_alike(law, laws[0])
            scores.append(_score(table, law, spec))
        except IsoflopError as error:
            left_out.append((law.name, str(error)))
    if not scores:
        reasons = "; ".join(f"{name}: {why}" for name, why in left_out)
        raise InputError(f"{table.source}: none of these laws can be fitted ({reasons})")
    scores.sort(key=lambda score: (not score.determined, score.rolling.rmsle))
    if spec.n_resamples:
        contenders = _contenders(scores)
        scores[:contenders] = [_with_intervals(table, s, spec) for s in scores[:contenders]]
    usable, _ = keep_usable(table, (laws[0].response,))
    scales = find_scales(usable, scores[0].fit.law.variables)
    return Comparison(
        source=table.source,
        n_runs=scores[0].fit.n_runs,
        column=scales.column,
        n_scales=len(scales),
        scores=tuple(scores),
        left_out=tuple(left_out),
    )


def suited_laws(table: RunTable) -> tuple[AbstractLaw, ...]:
    """Laws of the columns a table has."""
    over = only_variable(table)
    names = SINGLE if over else JOINT
    repeated = ("repeated",) if "n_tokens_unique" in table and not over else ()
    return tuple(
        find_form(name, over=over if name in SINGLE_FORMS else None) for name in (*names, *repeated)
    )


def _score(table: RunTable, law: AbstractLaw, spec: FitSpec) -> LawScore:
    fit = fit_parametric(table, law, spec)
    usable, _ = keep_usable(table, (*law.variables, law.response), signed=(law.response,))
    return LawScore(
        fit=fit,
        rolling=_roll(table, law, replace(spec, n_resamples=0)),
        scale_out=_leave_scales_out(usable, fit),
        criteria=_criteria(pose_problem(usable, law, _smooth(fit.objective)), fit),
    )


def _roll(table: RunTable, law: AbstractLaw, spec: FitSpec) -> RollingBacktest:
    return roll_backtest(
        table, law, replace(spec, n_starts=min(ORIGIN_STARTS, spec.n_starts or ORIGIN_STARTS))
    )


def _contenders(scores: Sequence[LawScore]) -> int:
    """How many of the first laws are near enough the best to ask for their intervals."""
    most = WITHIN * scores[0].rolling.rmsle
    near = [s.determined and s.rolling.rmsle <= most for s in scores[1:CONTENDERS]]
    return 1 + sum(near)


def _with_intervals(table: RunTable, score: LawScore, spec: FitSpec) -> LawScore:
    """Score the intervals of a law's hidden runs too."""
    return replace(score, rolling=_roll(table, score.fit.law, spec))


def _leave_scales_out(table: RunTable, fit: Fit) -> float | None:
    """Refit without each scale in turn, all at once, and predict it."""
    problem = pose_problem(table, fit.law, fit.objective)
    groups = find_scales(table, fit.law.variables).groups
    weights = np.ones((len(groups), len(table)))
    for row, group in enumerate(groups):
        weights[row, group] = 0.0
    found = minimise(problem, np.repeat(fit.theta[None], len(groups), axis=0), weights)
    if not found.converged.all():
        return None
    residuals = problem.residuals(found.theta)
    squares = [np.mean(residuals[row, group] ** 2) for row, group in enumerate(groups)]
    return float(np.sqrt(np.mean(squares)))


def _smooth(objective: Objective) -> Objective:
    """A loss that some noise has as its log density: Huber's in place of the bounded one."""
    if objective.kind != "robust":
        return objective
    return Objective("huber", scale=objective.scale)


def _criteria(problem: Problem, fit: Fit) -> Criteria:
    theta = minimise(problem, fit.theta[None], np.ones(problem.n_runs)).theta
    return measure_criteria(problem.residuals(theta)[0], problem.objective, len(fit.theta))


def _require_alike(law: AbstractLaw, first: AbstractLaw) -> None:
    """Insist that laws predict one thing with one kind of residual: else no score compares."""
    if (law.response, law.residual_scale) != (first.response, first.residual_scale):
        raise InputError(f"predicts {law.response}, while {first.name} predicts {first.response}")
