"""Two recipes, two tables of runs: which scales better, by how much, and where they cross.

Compare how methods scale, not how they do at one scale. Legend: C FLOPs, L loss, m compute
multiplier: the compute A needs for the loss that B reaches with C, over C.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import stdtr

from isoflop.base.estimate import Estimate, interval_from_draws
from isoflop.fitting.fit import Fit
from isoflop.fitting.parametric import FitSpec
from isoflop.laws.law import AbstractLaw, Array
from isoflop.plan.race.crossing import cross_curves
from isoflop.plan.race.fits import fit_both, require_comparable
from isoflop.plan.race.loss_curve import REACH, LossCurve, compute_name, loss_curve
from isoflop.plan.race.minima import find_meetings, why_withheld
from isoflop.plan.race.values import Exponent, Lap, Race
from isoflop.runs.table import RunTable

LAPS = 5
"""Budgets compared among the runs, unless others are asked for."""
AHEAD = (10.0, 100.0)
"""And beyond them, as multiples of the largest compute both have."""


def race_runs(
    a: RunTable,
    b: RunTable,
    law: str | AbstractLaw | None = None,
    spec: FitSpec | None = None,
    *,
    flops: Sequence[float] = (),
) -> Race:
    """Fit one law to each of two tables and hold their losses against each other.

    Args:
        a: runs of recipe A.
        b: runs of recipe B.
        law: the form of both; by default Chinchilla's where both tables determine it, else,
            where every compute has one size in both, a power law of compute with a constant.
        spec: how to fit.
        flops: budgets at which to compare; five where both have runs, and two beyond.

    Raises:
        InputError: no variable that both tables have, or losses that cannot be compared.
        RefusalError: a table does not determine the law, nor is its loss one of its compute.
    """
    spec = spec or FitSpec()
    require_comparable(a, b)
    first, second, fallback = fit_both(a, b, law, spec)
    ends = _ends(first, second)
    shared = max(ends[0]), min(ends[1])
    inside = _budgets(shared)
    budgets = tuple(flops) or (*(inside or shared[1:]), *_ahead(shared[1]))
    grid = (min(*ends[0], *budgets) / REACH, max(*ends[1], *budgets) * REACH)
    curves = loss_curve(first, grid), loss_curve(second, grid)
    laps = {c: _lap(*curves, c, spec.level) for c in dict.fromkeys((*inside, *budgets))}
    distinguishable = _is_distinguishable(*curves, shared, spec.level)
    crossing, share = cross_curves(*curves, spec.level)
    meetings = find_meetings((a, b), curves)
    withheld = why_withheld((first, second), meetings)
    return Race(
        a=a.source,
        b=b.source,
        law=first.law.name,
        variable=curves[0].variable,
        shared=shared,
        exponents=_exponents(first, second, spec.level),
        laps=tuple(laps[c] for c in budgets),
        measured=tuple(laps[c] for c in inside),
        crossing=None if distinguishable is False or withheld else crossing,
        crossing_share=share,
        distinguishable=distinguishable,
        fits=(first, second),
        fallback=fallback,
        meetings=meetings,
        withheld=withheld,
    )


def multiplier_interval(
    a: LossCurve, b: LossCurve, budget: float, level: float
) -> tuple[float, float | None, float | None]:
    """Compute A needs for the loss B reaches with a budget, over the budget, with its interval.

    Args:
        a: curve of A.
        b: curve of B.
        budget: what B spends.
        level: of the interval.

    Returns:
        Multiplier, low and high end: infinite where A never reaches it, None without draws.
    """
    multiplier = a.compute_for(b.loss_at(budget)) / budget
    count = min(len(a.draws), len(b.draws))
    if not count:
        return multiplier, None, None
    reached = a.draws_for(b.draws_at(budget)[:count]) - np.log(budget)
    low, high = np.exp(_quantiles(reached, level))
    return multiplier, min(float(low), multiplier), max(float(high), multiplier)


def _ends(first: Fit, second: Fit) -> tuple[tuple[float, float], tuple[float, float]]:
    """Lowest computes of both, highest computes of both."""
    name = compute_name(first.law)
    ranges = [fit.data.ranges[name] for fit in (first, second)]
    return (ranges[0][0], ranges[1][0]), (ranges[0][1], ranges[1][1])


def _budgets(shared: tuple[float, float]) -> tuple[float, ...]:
    """Budgets at which both have runs, of few digits where those stay among them."""
    low, high = shared
    if low >= high:
        return (high,) if low == high else ()
    exact = [low, *np.geomspace(low, high, LAPS)[1:-1], high]
    rounded = [float(f"{c:.3g}") for c in exact]
    return tuple(r if low <= r <= high else float(c) for r, c in zip(rounded, exact, strict=True))


def _ahead(highest: float) -> tuple[float, ...]:
    return tuple(float(f"{highest * factor:.3g}") for factor in AHEAD)


def _lap(a: LossCurve, b: LossCurve, budget: float, level: float) -> Lap:
    """Compare at one budget."""
    losses = a.loss_at(budget), b.loss_at(budget)
    multiplier, low, high = multiplier_interval(a, b, budget, level)
    return Lap(
        flops=budget,
        loss_a=_loss_estimate(losses[0], a.draws_at(budget), level),
        loss_b=_loss_estimate(losses[1], b.draws_at(budget), level),
        multiplier=multiplier,
        low=low,
        high=high,
        level=level,
        extrapolated=any(not 0.999 * c.lowest < budget < 1.001 * c.highest for c in (a, b)),
    )


def _quantiles(values: Array, level: float) -> tuple[float, float]:
    """Percentiles that let infinity be infinity."""
    ranked = np.sort(values)
    tail = (1 - level) / 2
    last = len(ranked) - 1
    return float(ranked[int(tail * last)]), float(ranked[int(np.ceil((1 - tail) * last))])


def _loss_estimate(value: float, draws: Array, level: float) -> Estimate:
    return interval_from_draws(value, np.exp(draws), level=level, log=True)


def _exponents(first: Fit, second: Fit, level: float) -> tuple[Exponent, ...]:
    """Every pure number of the law in both tables, with a test of the difference."""
    found = []
    freedom = max(1, min(f.n_units - len(f.theta) for f in (first, second)))
    tables = [{**fit.params, **fit.derived} for fit in (first, second)]
    draws = [_draws_of(fit) for fit in (first, second)]
    for name in draws[0]:
        pair = tables[0][name], tables[1][name]
        value = pair[1].value - pair[0].value
        count = min(len(d[name]) for d in draws)
        difference, p_value = Estimate(value, level=level), None
        if count > 1:
            stretched = [
                (d[name][:count] - e.value) * fit.stretch
                for d, e, fit in zip(draws, pair, (first, second), strict=True)
            ]
            spread = stretched[1] - stretched[0]
            difference = interval_from_draws(value, value + spread, level=level)
            error = max(_error(spread), 1e-300)
            p_value = float(2 * stdtr(freedom, -abs(value) / error))
        found.append(Exponent(name, *pair, difference, p_value))
    return tuple(found)


def _draws_of(fit: Fit) -> dict[str, Array]:
    """Draws of the exponents and of the irreducible loss, where the law has them."""
    names = fit.law.parameter_names
    draws = {
        p.name: fit.draws[:, k]
        for k, p in enumerate(fit.law.parameters)
        if p.unit == "" or p.name == "E"
    }
    derived = fit.law.derive(fit.draws)
    return {n: v for n, v in draws.items() if n in names} | {
        n: v for n, v in derived.items() if n == "a"
    }


def _error(spread: Array) -> float:
    """Standard deviation by the central 68 % of the draws, which tails do not move."""
    low, high = np.quantile(spread[np.isfinite(spread)], [0.1587, 0.8413])
    return float(high - low) / 2


def _is_distinguishable(
    a: LossCurve, b: LossCurve, shared: tuple[float, float], level: float
) -> bool | None:
    """Whether the curves differ anywhere that both were measured, as one test.

    The largest |log L_A − log L_B| in standard errors over the shared range, against the same
    maximum over the draws about their centre, widened from normal to Student's t.
    """
    count = min(len(a.draws), len(b.draws))
    if not count:
        return None
    low, high = min(shared), max(shared)
    inside = (a.grid >= low * 0.999) & (a.grid <= high * 1.001)
    if inside.sum() < 2:
        inside[np.argmin(np.abs(np.log(a.grid / np.sqrt(low * high))))] = True
    gap = (a.log_loss - b.log_loss)[inside]
    spread = (a.draws[:count] - b.draws[:count])[:, inside] - gap
    error = np.array([max(_error(column), 1e-12) for column in spread.T])
    worst = np.max(np.abs(spread) / error, axis=1)
    return bool(np.max(np.abs(gap) / error) > np.quantile(worst, level))
