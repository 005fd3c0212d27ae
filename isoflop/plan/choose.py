"""Plan and predict under any law: a fit, a saved fit, or published constants by name."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.base.estimate import Estimate
from isoflop.fitting.automatic.automatic import AutomaticFit
from isoflop.fitting.fit import Fit
from isoflop.fitting.foresight.covers import RECORD, UNKNOWN, describe_single
from isoflop.fitting.foresight.foresight import predict_loss
from isoflop.fitting.frontiers.frontier import Frontier
from isoflop.fitting.saved import read_fit
from isoflop.laws.catalog import (
    PublishedLaw,
    find_published,
    predict_published,
    published_names,
    rounding_warning,
)
from isoflop.plan.beyond import describe_outside
from isoflop.plan.optimum import Plan, plan_from_fit, plan_from_frontier, plan_from_theta
from isoflop.runs.cost import TokenCost

AnyLaw = Fit | Frontier | AutomaticFit | PublishedLaw
USUAL = ("n_params", "n_tokens", "n_tokens_unique", "flops", "steps", "loss")
"""Variables that `isoflop predict` has an option for."""


def choose_law(name: str) -> AnyLaw:
    """Return a published law by name, or a fit by its file.

    Args:
        name: a name of the catalog, or the path of a file written by `write_fit`.

    Raises:
        UnknownNameError: neither a published law nor a file.
    """
    if name.strip().lower().replace("_", "-") in published_names():
        return find_published(name)
    if Path(name).suffix == ".json" or Path(name).exists():
        return read_fit(name)
    raise UnknownNameError("law", name, published_names())


def plan_budget(law: AnyLaw | str, flops: float, *, cost: TokenCost | None = None) -> Plan:
    """Find the compute-optimal N and D for a budget.

    Args:
        law: a fit, a published law, or the name or file of one.
        flops: the budget, FLOPs.
        cost: FLOPs per token of a fitted law's models; as the fitted runs spent them by default.

    Raises:
        InputError: a budget that is not positive, or a law of other variables.

    >>> f"{plan_budget('besiroglu-2024', 5.76e23).n_params.value:.1e}"
    '7.2e+10'
    """
    chosen = choose_law(law) if isinstance(law, str) else law
    if isinstance(chosen, Fit):
        return plan_from_fit(chosen, flops, cost=cost)
    if isinstance(chosen, Frontier):
        return plan_from_frontier(chosen, flops)
    if isinstance(chosen, AutomaticFit):
        raise InputError(f"auto continues one curve over {chosen.over} and cannot split a budget")
    theta = np.asarray(chosen.theta, dtype=np.float64)
    plan = plan_from_theta(chosen.law, theta, flops, name=chosen.name)
    warning = rounding_warning(chosen)
    notes = (*plan.notes, f"N and C as published: {chosen.convention}")
    return Plan(**{**vars(plan), "notes": (*notes, warning) if warning else notes})


def predict_budget(law: AnyLaw | str, inputs: Mapping[str, float]) -> tuple[Estimate, str]:
    """Predict what a law gives for one run.

    Args:
        law: a fit, a published law, or the name or file of one.
        inputs: {variable: amount}, in parameters, tokens, steps and FLOPs.

    Returns:
        The estimate, of one run where the law was fitted, see `describe_interval`; and a warning or
        "": rounded constants, inputs the law does not read, amounts beyond the runs fitted.

    Raises:
        InputError: a variable of the law is missing, or not positive.
    """
    chosen = choose_law(law) if isinstance(law, str) else law
    for name, amount in inputs.items():
        if not (np.isfinite(amount) and amount > 0):
            raise InputError(f"{name} must be positive, found {amount:g}")
    if isinstance(chosen, Frontier):
        raise InputError("a frontier plans budgets; predict with a law, or use `isoflop plan`")
    if isinstance(chosen, AutomaticFit):
        return _continue_curve(chosen, inputs)
    needed = chosen.law.variables
    missing = [name for name in needed if name not in inputs]
    if missing:
        options = ", ".join(
            f"--{name.replace('_', '-')}" if name in USUAL else f"--at {name}=AMOUNT"
            for name in missing
        )
        raise InputError(f"{chosen.law.name} is a law of {', '.join(needed)}; give {options}")
    idle = [name for name in inputs if name not in needed]
    unread = f"{chosen.law.name} does not read {', '.join(idle)}" if idle else ""
    if isinstance(chosen, Fit):
        amounts = {name: float(inputs[name]) for name in needed}
        variables = {name: np.array([amount]) for name, amount in amounts.items()}
        outside = describe_outside(chosen.data.ranges, amounts)
        warnings = "; ".join(filter(None, (unread, outside)))
        return predict_loss(chosen, variables)[0], warnings
    estimate = predict_published(chosen, {name: inputs[name] for name in needed})
    return estimate, "; ".join(filter(None, (rounding_warning(chosen), unread)))


def describe_interval(law: AnyLaw) -> str:
    """Say what the interval of `predict_budget` covers under a law."""
    if isinstance(law, Fit):
        return describe_single(law)
    return RECORD if isinstance(law, AutomaticFit) else UNKNOWN


def _continue_curve(fit: AutomaticFit, inputs: Mapping[str, float]) -> tuple[Estimate, str]:
    """Predict one record of a continued curve, and warn of what lies beyond it."""
    if fit.over not in inputs:
        raise InputError(f"auto was fitted over {fit.over}; give its amount")
    idle = ", ".join(name for name in inputs if name != fit.over)
    unread = f"auto does not read {idle}" if idle else ""
    curve = {fit.over: (float(np.exp(fit.curve.u[0])), float(np.exp(fit.curve.u[-1])))}
    ranges = fit.data.ranges if fit.data else curve
    outside = describe_outside(ranges, {fit.over: inputs[fit.over]})
    estimate = fit.predict(np.array([inputs[fit.over]])).estimates()[0]
    return estimate, "; ".join(filter(None, (unread, outside)))
