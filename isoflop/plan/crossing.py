"""Where the loss that compute promises falls below the loss that the data allow.

Legend: C FLOPs, D(C) = k·C^p tokens that a compute-efficient run reads once, N(C) its size;
L_C(C) = A_C/C^alpha_C the frontier, L_D(D) = A_D/D^alpha_D the loss on D tokens with any model.
L_C falls faster than L_D(D(C)), so beyond C* one of the trends must break (Kaplan 2020, 6.3).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import root_scalar

from isoflop.base.errors import InputError, RefusalError
from isoflop.base.estimate import Estimate
from isoflop.base.units import PF_DAY, to_pf_days
from isoflop.laws.catalog import PublishedLaw, find_published
from isoflop.laws.growth import GrowthLaw
from isoflop.laws.law import Array
from isoflop.laws.power import PowerLaw

FLOPS_SEARCHED = (1e12, 1e40)
"""FLOPs between which a crossing without a closed form is sought."""

CHANGES = (-0.05, -0.01, 0.01, 0.05)
"""Relative changes of an exponent tried for the sensitivity; scales X_c are held."""


@dataclass(frozen=True)
class ShiftedCrossing:
    """C* when one exponent is a little different.

    Args:
        exponent: `compute law` (alpha_C) or `tokens rule` (p).
        change: relative change of it, such as -0.01.
        flops: C*, FLOPs; None where the trends no longer cross.
    """

    exponent: str
    change: float
    flops: float | None

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object, with C* in PF-days as well."""
        return {
            "exponent": self.exponent,
            "change": self.change,
            "flops": self.flops,
            "pf_days": None if self.flops is None else to_pf_days(self.flops),
        }


@dataclass(frozen=True)
class Crossing:
    """The point where the compute trend meets the data trend, and what it was computed from.

    Args:
        flops: C*, FLOPs.
        pf_days: C*, PF-days.
        n_params: N* = N(C*), parameters.
        n_tokens: D* = D(C*), tokens.
        loss: L*, nats per token.
        constants: {role: published law}, the set used; other sets move C* hundredfold.
        sensitivity: C* under small changes of the exponents that matter.
    """

    flops: Estimate
    pf_days: Estimate
    n_params: Estimate
    n_tokens: Estimate
    loss: Estimate
    constants: Mapping[str, PublishedLaw]
    sensitivity: tuple[ShiftedCrossing, ...]

    def to_dict(self) -> dict[str, object]:
        """Return the contract's JSON object, in full precision."""
        return {
            "flops": self.flops.to_dict(),
            "pf_days": self.pf_days.to_dict(),
            "n_params": self.n_params.to_dict(),
            "n_tokens": self.n_tokens.to_dict(),
            "loss": self.loss.to_dict(),
            "constants": {role: _as_printed(law) for role, law in self.constants.items()},
            "sensitivity": [shifted.to_dict() for shifted in self.sensitivity],
        }


def find_crossing(
    compute_law: str | PublishedLaw = "kaplan-2020-l-cmin",
    data_law: str | PublishedLaw = "kaplan-2020-l-d",
    *,
    tokens_rule: str | PublishedLaw = "kaplan-2020-d-opt",
    params_rule: str | PublishedLaw = "kaplan-2020-n-opt",
) -> Crossing:
    """Solve L_C(C) = L_D(D(C)) for C, in closed form where both are pure power laws.

    Args:
        compute_law: loss of FLOPs, a name of the catalog or an entry.
        data_law: loss of tokens.
        tokens_rule: tokens of FLOPs.
        params_rule: parameters of FLOPs; only N* depends on it.

    Returns:
        The crossing; intervals are absent, as published constants come without a covariance.
        `sensitivity` shows how little it takes to move it.

    Raises:
        UnknownNameError: a name not in the catalog.
        InputError: an entry that predicts or reads something else.
        RefusalError: the two trends never cross, or the data trend falls as fast.

    >>> found = find_crossing()
    >>> print(found.pf_days, found.n_params, found.n_tokens, found.loss)
    11189 1.17e12 2.48e11 1.67
    """
    roles = {
        "compute_law": _take(compute_law, "compute_law", predicts="loss", reads="flops"),
        "data_law": _take(data_law, "data_law", predicts="loss", reads="n_tokens"),
        "tokens_rule": _take(tokens_rule, "tokens_rule", predicts="n_tokens", reads="flops"),
        "params_rule": _take(params_rule, "params_rule", predicts="n_params", reads="flops"),
    }
    flops = _solve(roles["compute_law"], roles["data_law"], roles["tokens_rule"])
    return Crossing(
        flops=Estimate(flops),
        pf_days=Estimate(to_pf_days(flops)),
        n_params=Estimate(_at(roles["params_rule"], flops)),
        n_tokens=Estimate(_at(roles["tokens_rule"], flops)),
        loss=Estimate(_at(roles["compute_law"], flops)),
        constants=roles,
        sensitivity=_shift_exponents(**{name: roles[name] for name in _CROSSED}),
    )


_CROSSED = ("compute_law", "data_law", "tokens_rule")


def _take(law: str | PublishedLaw, role: str, *, predicts: str, reads: str) -> PublishedLaw:
    """The entry, checked to be of the kind its role asks for."""
    entry = find_published(law) if isinstance(law, str) else law
    if entry.predicts != predicts or entry.law.variables != (reads,):
        raise InputError(
            f"{role} must predict {predicts} from {reads}; {entry.name} predicts "
            f"{entry.predicts} from {', '.join(entry.law.variables)}"
        )
    return entry


def _solve(compute_law: PublishedLaw, data_law: PublishedLaw, tokens_rule: PublishedLaw) -> float:
    """C*, FLOPs."""
    pure = isinstance(compute_law.law, PowerLaw) and isinstance(data_law.law, PowerLaw)
    if pure and isinstance(tokens_rule.law, GrowthLaw):
        return _solve_pure(compute_law.theta, data_law.theta, tokens_rule.theta)

    def gap(log_C: float) -> float:
        flops = math.exp(log_C)
        return _at(compute_law, flops) - _at(data_law, _at(tokens_rule, flops))

    low, high = (math.log(end) for end in FLOPS_SEARCHED)
    grid = np.linspace(low, high, 300)
    above = np.array([gap(log_C) > 0 for log_C in grid])
    falls = np.flatnonzero(above[:-1] & ~above[1:])
    if not falls.size:
        raise RefusalError(
            f"{compute_law.name} does not fall below {data_law.name} between "
            f"{FLOPS_SEARCHED[0]:.0e} and {FLOPS_SEARCHED[1]:.0e} FLOPs: they do not cross"
        )
    first = int(falls[0])
    bracket = (float(grid[first]), float(grid[first + 1]))
    return math.exp(root_scalar(gap, bracket=bracket, xtol=1e-13).root)


def _solve_pure(compute: Array, data: Array, tokens: Array) -> float:
    """C* = [A_C·k^alpha_D/A_D]^(1/(alpha_C - alpha_D·p)), in logs."""
    (A_C, alpha_C), (A_D, alpha_D), (k, p) = compute, data, tokens
    approach = alpha_C - alpha_D * p
    if approach <= 0:
        raise RefusalError(
            f"loss falls as C^-{alpha_C:.3g} with compute and C^-{alpha_D * p:.3g} with the data "
            "it can read: the compute trend never falls below the data trend"
        )
    return float(np.exp((np.log(A_C / A_D) + alpha_D * np.log(k)) / approach))


def _at(entry: PublishedLaw, value: float) -> float:
    """A one-variable law at one point."""
    variables = {entry.law.variables[0]: np.array([value])}
    return float(entry.law.predict(entry.theta, variables)[0])


def _shift_exponents(
    compute_law: PublishedLaw, data_law: PublishedLaw, tokens_rule: PublishedLaw
) -> tuple[ShiftedCrossing, ...]:
    """C* for each change of alpha_C, then of p."""
    shifted = []
    for change in CHANGES:
        stretched = _stretch_decay(compute_law, 1 + change)
        shifted.append(_shifted("compute law", change, stretched, data_law, tokens_rule))
    for change in CHANGES:
        stretched = _stretch_growth(tokens_rule, 1 + change)
        shifted.append(_shifted("tokens rule", change, compute_law, data_law, stretched))
    return tuple(shifted)


def _shifted(
    exponent: str,
    change: float,
    compute_law: PublishedLaw,
    data_law: PublishedLaw,
    tokens_rule: PublishedLaw,
) -> ShiftedCrossing:
    try:
        flops = _solve(compute_law, data_law, tokens_rule)
    except RefusalError:
        flops = None
    return ShiftedCrossing(exponent, change, flops)


def _stretch_decay(entry: PublishedLaw, factor: float) -> PublishedLaw:
    """Multiply alpha with the scale X_c held: A = X_c^alpha becomes A^factor; E stays."""
    *constant, A, alpha = entry.theta
    return replace(entry, theta=np.array([*constant, A**factor, alpha * factor]))


def _stretch_growth(entry: PublishedLaw, factor: float) -> PublishedLaw:
    """Multiply p with the amount at one PF-day held, as it is printed."""
    k, p = entry.theta
    return replace(entry, theta=np.array([k * PF_DAY ** (p - p * factor), p * factor]))


def _as_printed(entry: PublishedLaw) -> dict[str, object]:
    """Name, constants and source of a law, for the reader of a result."""
    return {
        "name": entry.name,
        "printed": dict(entry.printed),
        "printed_units": dict(entry.printed_units),
        "source": entry.source,
    }
