"""Plan and predict under any law: a fit, a saved fit, or published constants by name."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.base.estimate import Estimate, shorten
from isoflop.fitting.automatic.automatic import AutomaticFit
from isoflop.fitting.fit import Fit
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
        The estimate, and a warning or "": rounded constants, inputs the law does not read.

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
        if chosen.over not in inputs:
            raise InputError(f"auto was fitted over {chosen.over}; give its amount")
        idle = ", ".join(name for name in inputs if name != chosen.over)
        estimate = chosen.predict(np.array([inputs[chosen.over]])).estimates()[0]
        return estimate, f"auto does not read {idle}" if idle else ""
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
        variables = {name: np.array([float(inputs[name])]) for name in needed}
        warnings = "; ".join(filter(None, (unread, _beyond(chosen, inputs))))
        return predict_loss(chosen, variables)[0], warnings
    estimate = predict_published(chosen, {name: inputs[name] for name in needed})
    return estimate, "; ".join(filter(None, (rounding_warning(chosen), unread)))


def _beyond(fit: Fit, inputs: Mapping[str, float]) -> str:
    """Say which inputs lie outside the runs the law was fitted to, and how far."""
    outside = []
    for name in fit.law.variables:
        low, high = fit.data.ranges[name]
        factor = max(low / inputs[name], inputs[name] / high)
        if factor > 1:
            outside.append(f"{name} is {shorten(factor)}x outside the runs fitted")
    return ", ".join(outside)
