"""Approach 3: fit a law's parameters to all runs at once."""

from dataclasses import dataclass, field, replace

import numpy as np

from isoflop.base.errors import InputError, RefusalError, UnknownNameError
from isoflop.base.estimate import LEVEL
from isoflop.fitting.bootstrap import (
    DEFAULT_RESAMPLES,
    few_units,
    refit_resamples,
    simulate_noise,
)
from isoflop.fitting.fit import Basins, DataRecord, Fit
from isoflop.fitting.floor import require_above_floor
from isoflop.fitting.identify import (
    CONDITION_LIMIT,
    condition_number,
    require_runs,
    require_variation,
)
from isoflop.fitting.influence import check_influence
from isoflop.fitting.judge import judge_bounds, judge_condition, judge_resamples, judge_residuals
from isoflop.fitting.objective import Objective
from isoflop.fitting.robust import check_set_aside, solve
from isoflop.fitting.solver import Outcome, Problem, Solution
from isoflop.laws.law import AbstractLaw, Array
from isoflop.runs.checks import (
    check_comparable,
    check_duplicates,
    check_mixed,
    keep_usable,
)
from isoflop.runs.cost import fit_cost
from isoflop.runs.table import RunTable

DEFAULT_STARTS = 64


@dataclass(frozen=True)
class FitSpec:
    """How to fit.

    Args:
        objective: loss function of the residuals.
        n_resamples: bootstrap refits; 0 for none.
        cluster: column whose groups are resampled together, "" for single runs.
        n_starts: random starts.
        level: confidence level of the intervals.
        seed: seed of starts and resamples.
    """

    objective: Objective = field(default_factory=Objective)
    n_resamples: int = DEFAULT_RESAMPLES
    cluster: str = ""
    n_starts: int = DEFAULT_STARTS
    level: float = LEVEL
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise InputError(f"level must lie between 0 and 1, found {self.level}")
        if self.n_resamples < 0 or self.n_starts < 1:
            raise InputError("a fit needs at least one start and no negative number of resamples")


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def fit_parametric(table: RunTable, law: AbstractLaw, spec: FitSpec | None = None) -> Fit:
    """Fit a law to a run table.

    Args:
        table: the runs.
        law: the form.
        spec: how to fit.

    Returns:
        The fit, with intervals from a case (or cluster) bootstrap.

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
    require_above_floor(law, table)
    problem = pose_problem(table, law, objective)
    loss = problem.measured
    require_runs(law, problem.variables, loss, table.source)
    require_variation(law, problem.variables)
    rng = np.random.default_rng(spec.seed)
    starts = law.propose_starts(problem.variables, loss, n_starts=spec.n_starts, rng=rng)
    problem, found = solve(problem, starts)
    if not np.isfinite(found.objective).any():
        raise RefusalError(
            f"{law.name} overflows at every start on these runs; look at the ranges of "
            f"{', '.join(columns)}"
        )
    best = int(np.argmin(np.where(found.converged, found.objective, found.objective + 1e-9)))
    theta = found.theta[best]
    clusters = _clusters(table, spec.cluster)
    n_units = len(set(clusters)) if clusters else len(loss)
    resample = simulate_noise if few_units(n_units, len(theta)) else refit_resamples
    draws = resample(problem, theta, n_resamples=spec.n_resamples, rng=rng, clusters=clusters)
    condition = condition_number(problem, theta)
    findings += check_influence(problem, theta, table.names())
    residuals = problem.residuals(theta[None])[0]
    findings += check_set_aside(problem.objective, residuals, table.names())
    findings += judge_condition(law, condition) + judge_bounds(law, found.at_bound[best])
    findings += judge_residuals(residuals) if objective.scale == "log" else []
    findings += check_mixed(table, law.variables)
    findings += judge_resamples(
        spec.n_resamples,
        len(draws),
        n_units=n_units,
        n_parameters=len(theta),
        cluster=spec.cluster,
    )
    return Fit(
        law=law,
        theta=theta,
        draws=draws,
        objective=problem.objective,
        objective_value=float(found.objective[best]),
        residuals=residuals,
        n_units=n_units,
        outcome=_outcome(found, best, condition),
        basins=_basins(found),
        condition=condition,
        findings=tuple(findings),
        data=record_data(table, columns),
        convention=describe_convention(table),
        cluster=spec.cluster,
        level=spec.level,
        seed=spec.seed,
    )


def pose_problem(table: RunTable, law: AbstractLaw, objective: Objective) -> Problem:
    """Take a law's variables and its response out of a table."""
    variables = {name: table.numbers(name) for name in law.variables}
    return Problem(law, variables, table.numbers(law.response), objective)


def suited_objective(law: AbstractLaw, objective: Objective) -> Objective:
    """Take residuals linearly where the law's response may be zero, whatever was asked for."""
    return replace(objective, scale="linear") if law.residual_scale == "linear" else objective


def record_data(table: RunTable, columns: tuple[str, ...]) -> DataRecord:
    """Fingerprint the rows and columns a fit used."""
    flops = _run_flops(table)
    amounts = {name: table.numbers(name) for name in columns}
    amounts |= {} if flops is None else {"flops": flops}
    ranges = {name: (float(values.min()), float(values.max())) for name, values in amounts.items()}
    units = sorted(set(table.text("loss_unit")) - {""}) if "loss_unit" in table else []
    return DataRecord(
        sha256=table.sha256((*columns, *(() if flops is None else ("flops",)))),
        source=table.source,
        n_rows=len(table),
        mapping={name: table.mapping.get(name, "derived") for name in columns},
        notes=table.notes,
        ranges=ranges,
        loss_unit=units[0] if units else "nats/token (assumed)",
        cost_per_root=fit_cost(table).per_root,
    )


def _run_flops(table: RunTable) -> Array | None:
    """Compute of every run: as recorded, else 6ND; None where neither is known."""
    known = None
    if "flops" in table:
        known = table.numbers("flops")
    elif "n_params" in table and "n_tokens" in table:
        known = 6 * table.numbers("n_params") * table.numbers("n_tokens")
    return known if known is not None and np.isfinite(known).all() else None


def _clusters(table: RunTable, column: str) -> list[str] | None:
    if not column:
        return None
    if column not in table:
        raise UnknownNameError("column", column, table.columns)
    labels = table.text(column)
    if len(set(labels)) < 2:
        raise InputError(
            f"{table.source}: all runs share one `{column}`, and resampling by cluster needs two "
            "clusters or more"
        )
    return labels


def _outcome(found: Solution, best: int, condition: float) -> Outcome:
    if not found.converged[best]:
        return Outcome.NOT_CONVERGED
    if condition >= CONDITION_LIMIT:
        return Outcome.UNIDENTIFIED
    return Outcome.AT_BOUND if found.at_bound[best].any() else Outcome.CONVERGED


def _basins(found: Solution) -> Basins:
    """Group converged starts whose objectives agree to six digits."""
    values = np.sort(found.objective[found.converged])
    if not values.size:
        return Basins(len(found.objective), 0.0, 0, None)
    tolerance = 1e-6 * values + 1e-18
    breaks = np.flatnonzero(np.diff(values) > tolerance[:-1])
    share = float(np.mean(found.objective <= values[0] + tolerance[0]))
    gap = None
    if breaks.size:
        gap = float(values[breaks[0] + 1] / max(values[0], 1e-300) - 1)
    return Basins(len(found.objective), share, len(breaks) + 1, gap)


def describe_convention(table: RunTable) -> str:
    """Say which N the fit is stated in, as far as the table tells."""
    if "n_params" not in table:
        return "no parameter count used"
    return f"N as in column `{table.mapping.get('n_params', 'n_params')}`"
