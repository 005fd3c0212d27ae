"""Rules of what a budget is spent on: tokens and parameters of compute-efficient runs.

Legend: C FLOPs, N = k·C^a parameters, D = k·C^b tokens; G Hoffmann's constant of a joint law's
optimum, N* = G·(C/6)^a, D* = (C/6)^b/G.
"""

import numpy as np

from isoflop.base.errors import InputError
from isoflop.fitting.fit import Fit
from isoflop.fitting.frontiers.frontier import Frontier
from isoflop.laws.growth import GrowthLaw
from isoflop.laws.law import Array
from isoflop.plan.contradiction.trend import READS, Source, Trend, open_source, take_trend


def take_rule(source: Source, role: str) -> Trend:
    """Read a rule of tokens or parameters from wherever it comes from.

    Args:
        source: a published rule, a frontier, or a joint fit whose optimum has a closed form; an
            object, a name, or a file.
        role: `tokens_rule` or `params_rule`.

    Raises:
        UnknownNameError: neither a published law nor a file; suggests those that fit the role.
        InputError: it predicts or reads something else, or has no closed optimum.
        RefusalError: a fit that did not converge, or is not identified.
    """
    name, found = open_source(source, role)
    if isinstance(found, Frontier):
        return _from_frontier(found, role, name)
    if isinstance(found, Fit) and not isinstance(found.law, GrowthLaw):
        return _from_optimum(found, role, name)
    return take_trend(source, role)


def tokens_per_param_rule(ratio: float, role: str) -> Trend:
    """D = r·N under C = 6ND: D = sqrt(r·C/6), N = sqrt(C/6r).

    >>> rule = tokens_per_param_rule(20.0, "tokens_rule")
    >>> f"{rule.at(6 * 7e10 * 1.4e12):.3g}"
    '1.4e+12'
    """
    if not (np.isfinite(ratio) and ratio > 0):
        raise InputError(f"tokens per parameter must be positive, found {ratio:g}")
    k = np.sqrt(ratio / 6) if role == "tokens_rule" else np.sqrt(1 / (6 * ratio))
    return Trend(
        role=role,
        name=f"{ratio:g} tokens a parameter",
        law=GrowthLaw("flops"),
        theta=np.array([k, 0.5]),
        draws=np.empty((0, 2)),
        pivot=1.0,
        source="given",
        printed={"k": float(k), "p": 0.5},
    )


def _from_frontier(frontier: Frontier, role: str, name: str) -> Trend:
    first = 2 if role == "tokens_rule" else 0
    rows = np.concatenate([frontier.theta[None], frontier.draws])[:, first : first + 2]
    theta = np.column_stack([np.exp(rows[:, 1]), rows[:, 0]])
    reach = float(frontier.points.flops.min()), float(frontier.points.flops.max())
    return _rule(frontier, role, name, theta, reach)


def _from_optimum(fit: Fit, role: str, name: str) -> Trend:
    """The closed optimum of a joint law, as a rule."""
    rows = np.concatenate([fit.theta[None], fit.draws])
    derived = fit.law.derive(rows)
    if not {"a", "b", "G"} <= set(derived):
        raise InputError(
            f"{role} must say {READS[role][0]} of flops; {name}, a fit of {fit.law.name}, has no "
            "optimum of closed form: give a frontier or a chinchilla fit"
        )
    p = derived["b"] if role == "tokens_rule" else derived["a"]
    sign = -1.0 if role == "tokens_rule" else 1.0
    theta = np.column_stack([derived["G"] ** sign * 6.0**-p, p])
    tokens, params = (fit.data.ranges[variable] for variable in ("n_tokens", "n_params"))
    reach = 6 * tokens[0] * params[0], 6 * tokens[1] * params[1]
    return _rule(fit, role, name, theta, fit.data.ranges.get("flops", reach))


def _rule(
    fit: Fit | Frontier,
    role: str,
    name: str,
    theta: Array,
    reach: tuple[float, float],
) -> Trend:
    k, p = theta[0]
    how = "C = 6ND" if isinstance(fit, Fit) else fit.method
    return Trend(
        role=role,
        name=name,
        law=GrowthLaw("flops"),
        theta=theta[0],
        draws=theta[1:],
        stretch=fit.stretch,
        pivot=float(np.sqrt(reach[0] * reach[1])),
        source=f"the optimum, by {how}, of {fit.n_runs} runs of {fit.data.source}",
        printed={"k": float(k), "p": float(p)},
        reach=reach,
        loss_unit=fit.data.loss_unit.removesuffix(" (assumed)"),
    )
