"""Allocate a budget: along a fitted law, a frontier or published constants, with intervals.

Legend: C FLOPs, N parameters, D tokens, with C = 6ND unless a cost says otherwise; L loss.
"""

from dataclasses import replace

import numpy as np

from isoflop.base.errors import InputError, RefusalError
from isoflop.base.estimate import LEVEL, Estimate, interval_from_draws, shorten
from isoflop.fitting.best_losses import judge_plan
from isoflop.fitting.fit import Fit
from isoflop.fitting.foresight.covers import MEAN_OF_OPTIMA, UNKNOWN, describe_single
from isoflop.fitting.foresight.foresight import SUSPECTED, predict_loss
from isoflop.fitting.frontiers.frontier import Frontier
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.fitting.solve.solver import Outcome
from isoflop.laws.law import AbstractLaw, Array
from isoflop.laws.power import PowerConstantLaw, PowerLaw
from isoflop.plan.optimum.beyond import judge_beyond
from isoflop.plan.optimum.optimum import SIX_N, optima_of_draws, optimal_params
from isoflop.plan.optimum.plan import Plan
from isoflop.runs.checks import Finding
from isoflop.runs.cost import TokenCost
from isoflop.runs.table import RunTable


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def plan_from_fit(fit: Fit, flops: float, *, cost: TokenCost | None = None) -> Plan:
    """Allocate a budget under a fitted law of parameters and tokens.

    Args:
        fit: the fit.
        flops: the budget, FLOPs.
        cost: FLOPs per token as a function of size; as the fitted runs spent them by default.

    Raises:
        InputError: a budget that is not positive, or a law without both variables.
        RefusalError: the fit did not converge, or its law is not identified.
    """
    _check_budget(flops)
    _check_plannable(fit.law)
    if fit.outcome in (Outcome.NOT_CONVERGED, Outcome.UNIDENTIFIED):
        raise RefusalError(f"no plan from this fit: {fit.outcome.value}")
    cost = cost or TokenCost(fit.data.cost_per_root)
    n_params, loss = optimal_params(fit.law, fit.theta, flops, cost=cost)
    many_n, many_loss = optima_of_draws(fit.law, fit.draws, flops, cost)
    log_n, log_loss = np.log(n_params), np.log(loss)
    stretched_n = np.exp(log_n + fit.stretch * (np.log(many_n) - log_n))
    stretched_loss = np.exp(log_loss + fit.stretch * (np.log(many_loss) - log_loss))
    notes = _reach(fit, flops)
    if fit.outcome is Outcome.AT_BOUND:
        notes += (fit.outcome.value,)
    draws = (stretched_n, stretched_loss)
    plan = _plan(fit.law.name, flops, (n_params, loss), draws, cost, fit.level, notes)
    at = {"n_params": n_params, "n_tokens": plan.n_tokens.value}
    run_loss = predict_loss(fit, {name: np.array([amount]) for name, amount in at.items()})[0]
    return replace(
        plan,
        run_loss=run_loss,
        run_covers=describe_single(fit),
        findings=(
            *_carried(fit),
            *judge_plan(fit.data.best, flops, loss, fit.rms),
            *judge_beyond(fit.data.ranges, {**at, "flops": flops}),
        ),
    )


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def plan_from_frontier(frontier: Frontier, flops: float) -> Plan:
    """Allocate a budget along a fitted frontier; the loss extrapolates the frontier's own.

    Raises:
        InputError: a budget that is not positive.
    """
    _check_budget(flops)
    n_params, n_tokens, ratio = frontier.optimum(flops)
    loss, note = _frontier_loss(frontier, flops)
    lowest, highest = frontier.points.flops.min(), frontier.points.flops.max()
    reach = f"the frontier was measured from {shorten(lowest)} to {shorten(highest)} FLOPs"
    findings = _carried(frontier), judge_beyond({"flops": (lowest, highest)}, {"flops": flops})
    return Plan(
        frontier.method,
        flops,
        n_params,
        n_tokens,
        loss,
        ratio,
        (reach, note),
        loss_covers=MEAN_OF_OPTIMA,
        findings=tuple(finding for part in findings for finding in part),
    )


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def plan_from_theta(law: AbstractLaw, theta: Array, flops: float, *, name: str) -> Plan:
    """Allocate a budget under published constants, which carry no joint uncertainty.

    Raises:
        InputError: a budget that is not positive, or a law without both variables.
    """
    _check_budget(flops)
    _check_plannable(law)
    n_params, loss = optimal_params(law, theta, flops)
    draws = (np.empty(0), np.empty(0))
    note = "published constants without their covariance: no interval can be given"
    plan = _plan(name, flops, (n_params, loss), draws, SIX_N, LEVEL, (note,))
    return replace(plan, loss_covers=UNKNOWN)


def _frontier_loss(frontier: Frontier, flops: float) -> tuple[Estimate, str]:
    """Extrapolate the loss of the optima by a power law, with a constant if enough of them.

    Without a constant the law is the most hopeful there is, so the interval reaches up to the
    lowest loss measured: more compute does not hurt, and the optima cannot say how much it helps.
    """
    points = frontier.points
    rows = [{"flops": c, "loss": loss} for c, loss in zip(points.flops, points.loss, strict=True)]
    form = PowerConstantLaw("flops") if len(rows) >= 5 else PowerLaw("flops")
    law = f"loss by {form.name} in C through {len(rows)} optima"
    if len(rows) < 3:
        return Estimate(float("nan")), "too few optima to extrapolate the loss"
    spec = FitSpec(Objective("squared"), n_resamples=400, seed=frontier.seed)
    fit = fit_parametric(RunTable.from_records(rows, source=frontier.data.source), form, spec)
    at = {"flops": np.array([flops])}
    value = float(form.predict(fit.theta, at)[0])
    draws = form.predict(fit.draws, at)[:, 0]
    loss = interval_from_draws(value, draws, level=fit.level, stretch=fit.stretch, log=True)
    if form.name == PowerLaw.name and loss.high is not None and flops > points.flops.max():
        loss = replace(loss, high=max(loss.high, float(points.loss.min())))
        law += ", which cannot tell a constant: its interval ends at the lowest loss measured"
    return loss, law


def _plan(
    name: str,
    flops: float,
    values: tuple[float, float],
    draws: tuple[Array, Array],
    cost: TokenCost,
    level: float,
    notes: tuple[str, ...],
) -> Plan:
    """Put intervals on N*, D*, D*/N* and the loss from the draws of (N*, loss)."""
    n_params, loss = values

    def interval(value: float, of_draws: Array) -> Estimate:
        return interval_from_draws(value, of_draws, level=level)

    n_tokens = flops / float(cost.flops_per_token(np.array([n_params]))[0])
    many_tokens = flops / cost.flops_per_token(draws[0])
    return Plan(
        law=name,
        flops=flops,
        n_params=interval(n_params, draws[0]),
        n_tokens=interval(n_tokens, many_tokens),
        loss=interval(loss, draws[1]),
        tokens_per_param=interval(n_tokens / n_params, many_tokens / draws[0]),
        notes=(*notes, f"spent as {cost}"),
    )


def _check_budget(flops: float) -> None:
    if not (np.isfinite(flops) and flops > 0):
        raise InputError(f"a budget must be a positive number of FLOPs, found {flops:g}")


def _check_plannable(law: AbstractLaw) -> None:
    if set(law.variables) != {"n_params", "n_tokens"}:
        raise InputError(
            f"{law.name} is a law of {', '.join(law.variables)}; a plan needs one of n_params "
            "and n_tokens, such as besiroglu-2024, or a fit of chinchilla (isoflop fit -o)"
        )


def _carried(fitted: Fit | Frontier) -> list[Finding]:
    """Findings of a fit that a plan must not lose: its warnings, and a law that is suspected."""
    return [f for f in fitted.findings if f.severity != "note" or f.code == SUSPECTED]


def _reach(fit: Fit, flops: float) -> tuple[str, ...]:
    """Say how far beyond the data the budget lies."""
    if "flops" not in fit.data.ranges:
        return ()
    factor = flops / fit.data.ranges["flops"][1]
    if factor <= 1:
        return ("within the compute of the runs",)
    return (f"extrapolates {shorten(factor)}× beyond the largest run",)
