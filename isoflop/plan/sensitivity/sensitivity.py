"""How the answer moves with the loss function, with the outliers, and with each single run.

Legend: N parameters, D tokens, C FLOPs; a exponent of N* ∝ C^a.
"""

from collections.abc import Sequence

import numpy as np

from isoflop.base.errors import InputError, IsoflopError, RefusalError
from isoflop.base.estimate import Estimate, interval_from_draws
from isoflop.fitting.fit import Fit
from isoflop.fitting.influence import watch, watched_name
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric, pose_problem
from isoflop.fitting.solve.solver import minimise
from isoflop.fitting.trials.scales import find_scales
from isoflop.laws.law import AbstractLaw, Array
from isoflop.plan.optimum.allocate import plan_from_fit
from isoflop.plan.optimum.optimum import optimal_params
from isoflop.plan.sensitivity.table import ROUNDING, DroppedRun, Sensitivity, SensitivityCell
from isoflop.runs.checks import keep_usable
from isoflop.runs.cost import TokenCost
from isoflop.runs.drop import drop_highest_loss
from isoflop.runs.table import RunTable

FAR = 100.0
"""The answer is asked for at this multiple of the largest scale, unless a target is given."""
SHARE_DROPPED = 0.02
"""Share of the runs that the second half of the table leaves out: five of 245."""
LARGEST_SHARE = 0.5
LOSSES = {
    "robust": Objective("robust"),
    "Huber 1e-3": Objective("huber", 1e-3),
    "squares of log loss": Objective("squared"),
    "squares of loss": Objective("squared", scale="linear"),
}
"""Loss functions of the table, by the names people know them by."""
RATIO = "tokens_per_param"
Answer = tuple[float, float]
"""Exponent, and the amount at the target."""


def measure_sensitivity(
    table: RunTable,
    law: AbstractLaw,
    spec: FitSpec | None = None,
    *,
    target: float | None = None,
    drops: Sequence[int] | None = None,
) -> Sensitivity:
    """Refit under every loss function, without the highest losses, and without each run.

    Args:
        table: the runs.
        law: the form.
        spec: the fit whose answer is put to the test, with its interval.
        target: FLOPs (or the law's own scale) of the answer; 100 times the largest by default.
        drops: numbers of highest losses to leave out; 0 and a fiftieth of the runs by default.

    Raises:
        InputError: more than half of the runs dropped, a law of other variables, or bad input of
            the fit.
        RefusalError: these runs do not determine the law.
    """
    spec = spec or FitSpec()
    signed = (law.response,) if law.residual_scale == "linear" else ()
    table, _ = keep_usable(table, (*law.variables, law.response), signed=signed)
    drops = tuple(drops or (0, max(1, round(SHARE_DROPPED * len(table)))))
    if len(law.variables) > 1 and not _is_joint(law):
        raise InputError(
            f"{law.name} is a law of {', '.join(law.variables)}; its answer at one scale needs a "
            "law of one variable, or of n_params and n_tokens"
        )
    fit = fit_parametric(table, law, spec)
    if max(drops) > LARGEST_SHARE * len(table):
        raise InputError(f"cannot drop {max(drops)} of {len(table)} runs; half at most")
    if not fit.determined:
        raise RefusalError(f"no answer to put to the test: {fit.outcome.value}")
    target = target or FAR * float(find_scales(table, law.variables).values.max())
    name = watched_name(law)
    exponent = {**fit.params, **fit.derived}[name]
    amount = _amount_estimate(fit, target)
    return Sensitivity(
        law=law.name,
        n_runs=len(table),
        target=target,
        exponent_name=name,
        amount_name=RATIO if _is_joint(law) else law.response,
        exponent=exponent,
        amount=amount,
        cells=tuple(_cells(table, law, spec, target, drops)),
        dropped_runs=_leave_one_out(table, fit, target, exponent, amount),
    )


def _is_joint(law: AbstractLaw) -> bool:
    return set(law.variables) == {"n_params", "n_tokens"}


def _answer(law: AbstractLaw, theta: Array, target: float, cost: TokenCost) -> Answer:
    """Watched exponent, and D*/N* (or the response) at the target."""
    exponent = float(watch(law, theta))
    if not _is_joint(law):
        at = {variable: np.array([target]) for variable in law.variables}
        return exponent, float(law.predict(theta, at)[0])
    n_params, _ = optimal_params(law, theta, target, cost=cost)
    per_token = float(cost.flops_per_token(np.array([n_params]))[0])
    return exponent, target / per_token / n_params


def _amount_estimate(fit: Fit, target: float) -> Estimate:
    if _is_joint(fit.law):
        return plan_from_fit(fit, target).tokens_per_param
    at = {variable: np.array([target]) for variable in fit.law.variables}
    draws = fit.law.predict(fit.draws, at)[:, 0] if len(fit.draws) else np.empty(0)
    value = float(fit.law.predict(fit.theta, at)[0])
    return interval_from_draws(value, draws, level=fit.level, stretch=fit.stretch)


def _cells(
    table: RunTable, law: AbstractLaw, spec: FitSpec, target: float, drops: Sequence[int]
) -> list[SensitivityCell]:
    cells = []
    for dropped in drops:
        kept = drop_highest_loss(table, dropped) if dropped else table
        for name, objective in LOSSES.items():
            own = FitSpec(objective, 0, n_starts=spec.n_starts, seed=spec.seed)
            try:
                fit = fit_parametric(kept, law, own)
                cost = TokenCost(fit.data.cost_per_root)
                answer = _answer(law, fit.theta, target, cost)
            except IsoflopError:
                continue
            if fit.determined:
                cells.append(SensitivityCell(name, dropped, *answer))
    return cells


def _leave_one_out(
    table: RunTable, fit: Fit, target: float, exponent: Estimate, amount: Estimate
) -> tuple[DroppedRun, ...]:
    """Refit without each run, all at once; in half-intervals, or shares where there are none."""
    problem = pose_problem(table, fit.law, fit.objective)
    weights = 1.0 - np.eye(len(table))
    found = minimise(problem, np.repeat(fit.theta[None], len(table), axis=0), weights)
    cost = TokenCost(fit.data.cost_per_root)
    room = [max(e.half_width or abs(e.value), ROUNDING * abs(e.value)) for e in (exponent, amount)]
    runs = []
    for name, theta, ok in zip(table.names(), found.theta, found.converged, strict=True):
        try:
            answer = _answer(fit.law, theta, target, cost)
        except RefusalError:
            continue
        moves = np.abs(np.subtract(answer, (exponent.value, amount.value))) / room
        if ok:
            runs.append(DroppedRun(name, *answer, float(moves.max())))
    return tuple(sorted(runs, key=lambda run: -run.shift))
