"""The compute-optimal allocation of a budget under a law, with intervals.

Legend: C FLOPs, N parameters, D tokens, with C = 6ND unless a cost says otherwise; L loss;
a, b exponents of N* ∝ C^a, D* ∝ C^b; G Hoffmann's constant, N* = G·(C/6)^a.
"""

from dataclasses import replace

import numpy as np
from scipy.optimize import brent

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
from isoflop.plan.optimum.plan import Plan as Plan
from isoflop.runs.checks import Finding
from isoflop.runs.cost import TokenCost
from isoflop.runs.table import RunTable

SEARCH_N = (1.0, 1e20)
"""Sizes searched when the optimum has no closed form."""
SEARCH_POINTS = 2001
SIX_N = TokenCost()
"""C = 6ND."""


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


def optimal_params(
    law: AbstractLaw, theta: Array, flops: float, *, cost: TokenCost = SIX_N
) -> tuple[float, float]:
    """N* and the loss there, closed form where there is one, else by Brent's method.

    >>> from isoflop.laws.chinchilla import ChinchillaLaw
    >>> theta = np.array([1.8172, 482.01, 2085.43, 0.3478, 0.3658])
    >>> f"{optimal_params(ChinchillaLaw(), theta, 5.76e23)[0]:.1e}"
    '7.2e+10'
    """
    derived = law.derive(theta)
    if "G" in derived and cost == SIX_N:
        n_params = float(derived["G"] * (flops / 6) ** derived["a"])
        if not SEARCH_N[0] <= n_params <= SEARCH_N[1]:
            raise RefusalError(
                f"{law.name} puts the optimum of {shorten(flops)} FLOPs at {n_params:.2g} "
                "parameters, which no model has; give the budget in FLOPs"
            )
        return n_params, float(_loss_on_budget(law, theta, np.array([n_params]), flops, cost)[0])
    grid = np.geomspace(*SEARCH_N, SEARCH_POINTS)
    losses = _loss_on_budget(law, theta, grid, flops, cost)
    best = int(np.argmin(losses))
    if best in (0, len(grid) - 1):
        raise RefusalError(
            f"{law.name} has no optimum at {shorten(flops)} FLOPs: its loss keeps falling to the "
            "edge of the sizes searched"
        )
    log_n, loss, *_ = brent(
        lambda log_n: float(_loss_on_budget(law, theta, np.exp(np.array([log_n])), flops, cost)[0]),
        brack=tuple(np.log(grid[best - 1 : best + 2])),
        tol=1e-12,
        full_output=True,
    )
    return float(np.exp(log_n)), float(loss)


def optimum_exponent(fit: Fit, flops: tuple[float, float]) -> Estimate:
    """Exponent a of N* ∝ C^a under a joint law, between two budgets.

    The slope of log N* between the budgets: what an IsoFLOP study over that range would measure.
    It differs from the law's asymptotic a where tokens do not cost 6N.

    Args:
        fit: a law of n_params and n_tokens.
        flops: two budgets, FLOPs.
    """
    cost = TokenCost(fit.data.cost_per_root)
    ends = [optimal_params(fit.law, fit.theta, c, cost=cost)[0] for c in flops]
    many = [optima_of_draws(fit.law, fit.draws, c, cost)[0] for c in flops]
    span = np.log(flops[1] / flops[0])
    value = float(np.log(ends[1] / ends[0]) / span)
    draws = np.log(many[1] / many[0]) / span
    return interval_from_draws(value, draws, level=fit.level, stretch=fit.stretch)


def _loss_on_budget(
    law: AbstractLaw, theta: Array, n_params: Array, flops: float, cost: TokenCost
) -> Array:
    n_tokens = flops / cost.flops_per_token(n_params)
    return law.predict(theta, {"n_params": n_params, "n_tokens": n_tokens})


def optima_of_draws(
    law: AbstractLaw, draws: Array, flops: float, cost: TokenCost
) -> tuple[Array, Array]:
    """N* and loss for each draw, (K,) each; a parabola refines the best grid point."""
    if not len(draws):
        return np.empty(0), np.empty(0)
    derived = law.derive(draws)
    if "G" in derived and cost == SIX_N:
        n_params = derived["G"] * (flops / 6) ** derived["a"]
        on_budget = {"n_params": n_params[:, None], "n_tokens": flops / (6 * n_params[:, None])}
        return n_params, law.predict(draws, on_budget)[:, 0]
    log_grid = np.linspace(np.log(SEARCH_N[0]), np.log(SEARCH_N[1]), SEARCH_POINTS)
    losses = _loss_on_budget(law, draws, np.exp(log_grid), flops, cost)
    best = np.clip(np.argmin(losses, axis=1), 1, SEARCH_POINTS - 2)
    rows = np.arange(len(draws))
    left, middle, right = (losses[rows, best + k] for k in (-1, 0, 1))
    bend = left - 2 * middle + right
    shift = np.where(bend > 0, (left - right) / (2 * np.where(bend > 0, bend, 1.0)), 0.0)
    log_n = log_grid[best] + shift * (log_grid[1] - log_grid[0])
    return np.exp(log_n), middle - shift * (left - right) / 4


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
