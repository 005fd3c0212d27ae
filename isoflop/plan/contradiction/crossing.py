"""Where the loss that compute promises falls below the loss that the data allow.

Legend: C FLOPs, D(C) = k·C^p tokens that a compute-efficient run reads once, N(C) its size;
L_C(C) = A_C/C^alpha_C the frontier, L_D(D) = A_D/D^alpha_D the loss on D tokens with any model.
L_C falls faster than L_D(D(C)), so beyond C* one of the trends must break (Kaplan 2020, 6.3).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from isoflop.base.errors import InputError, RefusalError
from isoflop.base.estimate import Estimate
from isoflop.base.units import PF_DAY, to_pf_days
from isoflop.fitting.fit import Fit
from isoflop.fitting.frontiers.frontier import Frontier
from isoflop.laws.law import Array
from isoflop.laws.power import PowerLaw
from isoflop.plan.contradiction.crossing_notes import CROSSED, note_crossing
from isoflop.plan.contradiction.rules import take_rule
from isoflop.plan.contradiction.shifted import ShiftedCrossing, shift_exponents
from isoflop.plan.contradiction.solve import Trio, solve_crossing, solve_draws
from isoflop.plan.contradiction.spread import (
    CrossingPart,
    CrossingSpread,
    describe_spread,
    draw_trend,
    find_parts,
    quantile_interval,
)
from isoflop.plan.contradiction.trend import Source, Trend, evaluate_each, take_trend

FIRST_EPOCH = 1.1
"""A one-epoch loss below this multiple of the converged loss on the same tokens is not credible:
compute-efficient training stops 10 % above convergence (Kaplan 2020, appendix B.2)."""


@dataclass(frozen=True, eq=False)
class Crossing:
    """The point where the compute trend meets the data trend, and what it was computed from.

    Args:
        flops: C*, FLOPs.
        pf_days: C*, PF-days.
        n_params: N* = N(C*), parameters.
        n_tokens: D* = D(C*), tokens.
        loss: L*, nats per token unless `loss_unit` says otherwise.
        first_epoch: FLOPs from which the promised loss is below 1.1 times L_D: a single epoch
            cannot be expected to get that near to all that its tokens hold. None if nowhere, or
            where a law has an irreducible loss.
        share_crossing: share of the draws in which the trends cross at all; 1 without draws.
        constants: {role: trend}, the set used; other sets move C* hundredfold.
        sensitivity: C* under small changes of the exponents.
        parts: C* under each source of uncertainty alone.
        assumed: {role: what is assumed about its uncertainty}.
        notes: what a reader should know.
        draws: {role: (K, p) constants}, behind the intervals; empty if there are none.
        draws_flops: (K,) C* of the draws.
    """

    flops: Estimate
    pf_days: Estimate
    n_params: Estimate
    n_tokens: Estimate
    loss: Estimate
    first_epoch: Estimate | None
    share_crossing: float
    constants: Mapping[str, Trend]
    sensitivity: tuple[ShiftedCrossing, ...]
    parts: tuple[CrossingPart, ...]
    assumed: Mapping[str, str]
    notes: tuple[str, ...]
    draws: Mapping[str, Array]
    draws_flops: Array

    @property
    def loss_unit(self) -> str:
        """Unit of L*."""
        return self.constants["data_law"].loss_unit

    def to_dict(self) -> dict[str, object]:
        """Return the contract's JSON object, in full precision."""
        return {
            "flops": self.flops.to_dict(),
            "pf_days": self.pf_days.to_dict(),
            "n_params": self.n_params.to_dict(),
            "n_tokens": self.n_tokens.to_dict(),
            "loss": self.loss.to_dict(),
            "loss_unit": self.loss_unit,
            "first_epoch_flops": self.first_epoch.to_dict() if self.first_epoch else None,
            "share_crossing": self.share_crossing,
            "constants": {role: trend.to_dict() for role, trend in self.constants.items()},
            "sensitivity": [shifted.to_dict() for shifted in self.sensitivity],
            "parts": [part.to_dict() for part in self.parts],
            "assumed": dict(self.assumed),
            "notes": list(self.notes),
        }


def find_crossing(
    compute_law: Source = "kaplan-2020-l-cmin",
    data_law: Source = "kaplan-2020-l-d",
    *,
    tokens_rule: Source | Trend = "kaplan-2020-d-opt",
    params_rule: Source | Trend | None = None,
    spread: CrossingSpread | None = None,
) -> Crossing:
    """Solve L_C(C) = L_D(D(C)) for C, in closed form where both are pure power laws.

    Args:
        compute_law: loss of FLOPs: a name of the catalog, an entry, a fit, or a fit's file.
        data_law: loss of tokens, likewise.
        tokens_rule: tokens of FLOPs; also a frontier, or a joint fit whose optimum is meant.
        params_rule: parameters of FLOPs; only N* depends on it. That of `tokens_rule` where it
            comes from a fit, else Kaplan's.
        spread: what is uncertain; the draws of fits and the rounding of published constants by
            default.

    Returns:
        The crossing, with intervals wherever something is uncertain.

    Raises:
        UnknownNameError: a name not in the catalog.
        InputError: a law that predicts or reads something else, or losses in different units.
        RefusalError: the two trends never cross, or the data trend falls as fast.

    >>> found = find_crossing(spread=CrossingSpread(rounding="ignored"))
    >>> print(found.pf_days, found.n_params, found.n_tokens, found.loss)
    11189 1.17e12 2.48e11 1.67
    """
    spread = spread or CrossingSpread()
    if params_rule is None:
        params_rule = _params_beside(tokens_rule)
    sources = (compute_law, data_law, tokens_rule, params_rule)
    trends = {
        role: source if isinstance(source, Trend) else _take(source, role)
        for role, source in zip((*CROSSED, "params_rule"), sources, strict=True)
    }
    _check(trends, spread)
    trio = (trends["compute_law"], trends["data_law"], trends["tokens_rule"])
    return _measure(trends, trio, spread)


def _take(source: Source, role: str) -> Trend:
    return take_trend(source, role) if role.endswith("law") else take_rule(source, role)


def _params_beside(tokens_rule: Source | Trend) -> Source:
    if isinstance(tokens_rule, Fit | Frontier):
        return tokens_rule
    if isinstance(tokens_rule, str) and tokens_rule.endswith(".json"):
        return tokens_rule
    return "kaplan-2020-n-opt"


def _check(trends: Mapping[str, Trend], spread: CrossingSpread) -> None:
    """Refuse losses in two units, and errors of exponents that are not there."""
    first, second = trends["compute_law"], trends["data_law"]
    if first.loss_unit != second.loss_unit:
        raise InputError(
            f"{first.name} is in {first.loss_unit} and {second.name} in {second.loss_unit}: fit "
            "both in one unit"
        )
    for role in spread.exponent_errors:
        if not trends[role].has_exponent:
            raise InputError(f"{role}: {trends[role].name} has no single exponent to err in")


def _measure(trends: Mapping[str, Trend], trio: Trio, spread: CrossingSpread) -> Crossing:
    flops = solve_crossing(trio)
    rng = np.random.default_rng(spread.seed)
    drawn = {role: draw_trend(trend, spread, rng) for role, trend in trends.items()}
    thetas = {
        role: np.repeat(trends[role].theta[None], spread.n_draws, axis=0) if rows is None else rows
        for role, rows in drawn.items()
    }
    moving = any(rows is not None for role, rows in drawn.items() if role in CROSSED)
    chosen = (thetas["compute_law"], thetas["data_law"], thetas["tokens_rule"])
    at = solve_draws(trio, chosen) if moving else np.full(spread.n_draws, flops)
    compute, tokens, params = (
        trends[role] for role in ("compute_law", "tokens_rule", "params_rule")
    )
    stretch = max(trend.stretch for trend in trends.values())

    def of_draws(role: str) -> Array:
        return evaluate_each(trends[role], thetas[role], at)

    def estimate(value: float, draws: Array, *, known: bool = moving) -> Estimate:
        if not known:
            return Estimate(value, level=spread.level)
        return quantile_interval(value, draws, level=spread.level, stretch=stretch)

    sized = moving or drawn["params_rule"] is not None
    return Crossing(
        flops=estimate(flops, at),
        pf_days=estimate(to_pf_days(flops), at / PF_DAY),
        n_params=estimate(params.at(flops), of_draws("params_rule"), known=sized),
        n_tokens=estimate(tokens.at(flops), of_draws("tokens_rule")),
        loss=estimate(compute.at(flops), of_draws("compute_law")),
        first_epoch=_first_epoch(trio, chosen, estimate),
        share_crossing=float(np.isfinite(at).mean()),
        constants=trends,
        sensitivity=shift_exponents(trio),
        parts=find_parts(trio, spread, flops),
        assumed={role: describe_spread(trend, spread) for role, trend in trends.items()},
        notes=note_crossing(trends, flops, at, moving=moving),
        draws=thetas if moving else {},
        draws_flops=at,
    )


def _first_epoch(
    trio: Trio, thetas: tuple[Array, Array, Array], estimate: Callable[..., Estimate]
) -> Estimate | None:
    """Only of laws without an irreducible loss, as Kaplan's are: 1.1 is of what can be reduced."""
    if not all(isinstance(trend.law, PowerLaw) for trend in trio[:2]):
        return None
    try:
        value = solve_crossing(trio, ratio=FIRST_EPOCH)
    except RefusalError:
        return None
    return estimate(value, solve_draws(trio, thetas, ratio=FIRST_EPOCH))
