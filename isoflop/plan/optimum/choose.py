"""Plan and predict under any law: a fit, a saved fit, or published constants by name."""

from collections.abc import Mapping
from dataclasses import replace
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
    CATALOG,
    PublishedLaw,
    find_published,
    predict_published,
    published_names,
    rounding_warning,
)
from isoflop.laws.forms import AMOUNT_FORMS, PRESETS, canonical_name, form_names
from isoflop.plan.optimum.allocate import plan_from_fit, plan_from_frontier, plan_from_theta
from isoflop.plan.optimum.beyond import describe_outside, judge_beyond, outside_notes
from isoflop.plan.optimum.plan import Plan
from isoflop.plan.optimum.published_ranges import RANGES
from isoflop.runs.cost import TokenCost

AnyLaw = Fit | Frontier | AutomaticFit | PublishedLaw
LATEST_CHINCHILLA = "besiroglu-2024"
"""Constants of the Chinchilla form that a user is pointed to: those that fit its points best."""
TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".jsonl", ".parquet"})
"""Endings of files that hold runs, not a law."""
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
    path = Path(name)
    if path.suffix.lower() in TABLE_SUFFIXES and path.is_file():
        raise InputError(f"{name}: a run table; fit it first, `isoflop fit {name} -o law.json`")
    if path.suffix == ".json" or path.exists():
        return read_fit(name)
    form = canonical_name(name)
    if form in (*form_names(), *AMOUNT_FORMS):
        named = name if form == name else f"{name} ({form})"
        raise InputError(f"{named} is a form without constants: {_where_constants_are(form)}")
    raise UnknownNameError("law", name, published_names())


def _where_constants_are(form: str) -> str:
    """Say where constants of a form come from: a fit, or a paper."""
    kind, variable = PRESETS.get(form, (form, ""))
    published = [
        entry.name
        for entry in CATALOG.values()
        if entry.law.name == kind and variable in ("", *entry.law.variables)
    ]
    if not published:
        return "fit it (isoflop fit -o law.json) and give the file"
    usual = LATEST_CHINCHILLA if LATEST_CHINCHILLA in published else published[0]
    return f"fit it, or use constants of it such as {usual}"


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
    ranges = RANGES.get(chosen.name, {})
    at = {"n_params": plan.n_params.value, "n_tokens": plan.n_tokens.value, "flops": flops}
    notes = (*plan.notes, f"N and C as published: {chosen.convention}")
    notes += (warning,) if warning else ()
    notes += outside_notes(chosen.name, ranges, at)
    return replace(plan, notes=notes, findings=tuple(judge_beyond(ranges, at, published=True)))


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
    read = {name: inputs[name] for name in needed}
    outside = outside_notes(chosen.name, RANGES.get(chosen.name, {}), read)
    warnings = filter(None, (rounding_warning(chosen), unread, *outside))
    return predict_published(chosen, read), "; ".join(warnings)


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
