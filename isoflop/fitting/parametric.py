"""Approach 3: fit a law's parameters to all runs at once."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.base.estimate import LEVEL, Estimate
from isoflop.fitting.assess import Asked, Minimum, assess
from isoflop.fitting.best_losses import judge_constant
from isoflop.fitting.fit import Fit
from isoflop.fitting.floor import require_response
from isoflop.fitting.identify import (
    CONDITION_LIMIT,
    condition_number,
    require_runs,
    require_variation,
)
from isoflop.fitting.influence import check_influence
from isoflop.fitting.judge import (
    judge_bounds,
    judge_condition,
    judge_noise,
    judge_prediction,
    judge_resamples,
    judge_residuals,
)
from isoflop.fitting.objective import Objective
from isoflop.fitting.one_curve import check_one_compute
from isoflop.fitting.procedure import search_procedure
from isoflop.fitting.record import (
    describe_convention,
    label_groups,
    record_data,
    split_scales,
)
from isoflop.fitting.solve.robust import check_set_aside
from isoflop.fitting.solve.solver import Outcome, Problem
from isoflop.fitting.starts import count_basins, search_starts
from isoflop.fitting.uncertainty.bootstrap import DEFAULT_RESAMPLES
from isoflop.fitting.uncertainty.clusters import check_clusters
from isoflop.fitting.uncertainty.intervals import GROUPED, Estimator, require_estimator
from isoflop.fitting.uncertainty.profile_ends import judge_profiles, profile_constants
from isoflop.laws.law import AbstractLaw, Array
from isoflop.runs.checks import (
    Finding,
    check_comparable,
    check_duplicates,
    check_mixed,
    keep_usable,
)
from isoflop.runs.table import RunTable

GROUP_COLUMNS = ("n_params", "family")
"""Columns whose equal values may mean shared noise; .14 to .39 of it by model size on published
tables."""


@dataclass(frozen=True)
class FitSpec:
    """How to fit.

    Args:
        objective: loss function of the residuals. The default measures its own threshold, and
            gives way to weighted least squares where the noise follows the loss.
        n_resamples: draws of the intervals, or bootstrap refits; 0 for no intervals.
        cluster: column whose groups share noise; looked for in `GROUP_COLUMNS` if "".
        n_starts: random starts; None for as many as the law asks for, see `usual_starts`.
        level: confidence level of the intervals.
        seed: seed of starts and draws.
        interval: what the intervals rest on, see `choose_interval`; auto chooses from the
            residuals and says why.
    """

    objective: Objective = field(default_factory=Objective)
    n_resamples: int = DEFAULT_RESAMPLES
    cluster: str = ""
    n_starts: int | None = None
    level: float = LEVEL
    seed: int = 0
    interval: Estimator = "auto"

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise InputError(f"level must lie between 0 and 1, found {self.level}")
        if self.n_resamples < 0 or (self.n_starts is not None and self.n_starts < 1):
            raise InputError("a fit needs at least one start and no negative number of resamples")
        require_estimator(self.interval)


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def fit_parametric(table: RunTable, law: AbstractLaw, spec: FitSpec | None = None) -> Fit:
    """Fit a law to a run table.

    Args:
        table: the runs.
        law: the form.
        spec: how to fit.

    Returns:
        The fit, with intervals that suit its noise.

    Raises:
        RunTableError: a column the law needs is absent or incomplete, or losses cannot be
            compared.
        InputError: no more distinct runs than parameters.
        UnderdeterminedError: a design that cannot determine the law.
        RefusalError: the law overflows on these runs whatever its parameters.

    >>> from isoflop.laws.power import PowerLaw
    >>> N = np.logspace(6, 9, 8)
    >>> rows = [{"n_params": n, "loss": (8.8e13 / n) ** 0.076} for n in N]
    >>> fit = fit_parametric(RunTable.from_records(rows), PowerLaw("n_params"))
    >>> round(fit.params["alpha"].value, 8)
    0.076
    """
    spec = spec or FitSpec()
    columns = (*law.variables, law.response)
    objective = suited_objective(law, spec.objective)
    signed = (law.response,) if objective.scale == "linear" else ()
    table, findings = keep_usable(table, columns, signed=signed)
    findings += check_comparable(table) + check_duplicates(table, columns)
    problem = pose_problem(table, law, objective)
    require_runs(law, problem.variables, problem.measured, table.source)
    require_variation(law, problem.variables)
    require_response(law, table)
    problem, found, best = search_starts(problem, spec.n_starts, spec.seed)
    theta = found.theta[best]
    condition = condition_number(problem, theta)
    converged = bool(found.converged[best])
    minimum = Minimum(problem, theta, float(found.objective[best]), found.at_bound[best])
    labels, estimator = _groups(table, spec)
    n_draws = spec.n_resamples if converged else 0  # no interval can mend a search that failed
    asked = Asked(objective, estimator, n_draws, spec.seed)
    determined = converged and condition < CONDITION_LIMIT
    minimum, spread = assess(minimum, labels, asked, determined=determined)
    problem, theta = minimum.problem, minimum.theta
    residuals = problem.residuals(theta[None])[0]
    if problem.objective.scale == "log":
        findings += check_one_compute(table, law.variables, residuals)
    findings += check_mixed(table, law.variables) + check_clusters(spread.interval, labels)
    findings += judge_condition(law, condition)
    findings += _judge_minimum(minimum, residuals, table.names(), converged=converged)
    findings += judge_resamples(spread, asked=n_draws, n_parameters=len(theta))
    if determined:
        findings += judge_prediction(law, problem.variables, spread)
    profiles: dict[str, Estimate] = {}
    if spec.interval == "profile" and converged:
        profiles = profile_constants(problem, theta, level=spec.level)
        findings += judge_profiles(law, profiles) + judge_noise(spread.interval)
    return Fit(
        law=law,
        theta=theta,
        draws=spread.draws,
        objective=problem.objective,
        objective_value=minimum.value,
        residuals=residuals,
        n_units=spread.n_units,
        outcome=_outcome(converged, minimum.at_bound, condition),
        basins=count_basins(found),
        condition=condition,
        findings=tuple(findings),
        data=record_data(table, columns),
        convention=describe_convention(table),
        level=spec.level,
        seed=spec.seed,
        covariance=spread.covariance,
        interval=spread.interval,
        noise_power=minimum.noise_power,
        noise_unit=minimum.noise_unit,
        scales=split_scales(table, law, residuals),
        profiles=profiles,
        procedure=search_procedure(law),
    )


def _judge_minimum(
    minimum: Minimum, residuals: Array, names: list[str], *, converged: bool
) -> list[Finding]:
    """Findings about runs that lead the fit, are left out of it, or do not follow it."""
    problem = minimum.problem
    findings = check_set_aside(problem.objective, residuals, names)
    findings += judge_bounds(problem.law, minimum.at_bound)
    if problem.objective.scale == "log":
        findings += judge_residuals(residuals)
    if problem.law.response == "loss":
        rms = float(np.sqrt(np.mean(residuals**2)))
        findings += judge_constant(problem.law, minimum.theta, problem.measured, rms)
    if converged and not minimum.noise_power:
        findings += check_influence(problem, minimum.theta, names)
    return findings


def _groups(table: RunTable, spec: FitSpec) -> tuple[dict[str, list[str]], Estimator]:
    """Groups that may share noise, named by the user or usual, and the interval that follows."""
    if spec.cluster:
        labels = _group_labels(table, spec.cluster)
        shared = len(set(labels)) < len(table)
        asked = "cluster" if spec.interval == "auto" and shared else spec.interval
        return {spec.cluster: labels}, asked
    labels = {name: label_groups(table, name) for name in GROUP_COLUMNS if name in table}
    if spec.interval in GROUPED:
        labels = {name: given for name, given in labels.items() if len(set(given)) > 1}
    return labels, spec.interval


def pose_problem(table: RunTable, law: AbstractLaw, objective: Objective) -> Problem:
    """Take a law's variables and its response out of a table."""
    variables = {name: table.numbers(name) for name in law.variables}
    return Problem(law, variables, table.numbers(law.response), objective)


def suited_objective(law: AbstractLaw, objective: Objective) -> Objective:
    """Take residuals linearly where the law's response may be zero.

    Raises:
        InputError: another scale than log, the default, was asked for such a law.
    """
    if law.residual_scale != "linear":
        return objective
    if objective.scale == "log1p":
        raise InputError(
            f"{law.name} predicts {law.response}, which is compared as it is; leave --residuals out"
        )
    return replace(objective, scale="linear")


def _group_labels(table: RunTable, column: str) -> list[str]:
    if column not in table:
        raise UnknownNameError("column", column, table.columns)
    labels = label_groups(table, column)
    if len(set(labels)) < 2:
        raise InputError(
            f"{table.source}: all runs share one `{column}`, and resampling by cluster needs two "
            "clusters or more"
        )
    return labels


def _outcome(converged: bool, at_bound: NDArray[np.bool_], condition: float) -> Outcome:
    if not converged:
        return Outcome.NOT_CONVERGED
    if condition >= CONDITION_LIMIT:
        return Outcome.UNIDENTIFIED
    return Outcome.AT_BOUND if at_bound.any() else Outcome.CONVERGED
