"""Everything a run table can tell: laws, frontier, backtest, plans, and what is identified.

Legend: N parameters, D tokens, C FLOPs, L loss; a exponent of N* ∝ C^a.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from isoflop.base.errors import IsoflopError, RefusalError
from isoflop.base.estimate import Estimate, interval_from_draws
from isoflop.fitting.fit import Fit
from isoflop.fitting.foresight.foresight import foresee
from isoflop.fitting.frontiers.frontier import Frontier
from isoflop.fitting.frontiers.isoflop import fit_isoflop
from isoflop.fitting.frontiers.valleys import vertex_draws
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.fitting.trials.backtest import Backtest, backtest_largest_budget, rank_forms
from isoflop.laws.forms import JOINT_FORMS
from isoflop.plan.analysis.headline import PARABOLAS, Headline, choose_headline
from isoflop.plan.analysis.slices import fit_slices
from isoflop.plan.optimum.allocate import plan_from_fit, plan_from_frontier
from isoflop.plan.optimum.optimum import optimum_exponent
from isoflop.plan.optimum.plan import Plan
from isoflop.runs.cost import TokenCost
from isoflop.runs.finding import Finding
from isoflop.runs.table import FINISHED, RunTable

FORMS = ("chinchilla", "kaplan-nd", "kaplan-nd-constant")
"""Joint forms held against each other."""
CONVENTIONS: Mapping[str, str] = {
    "n_params_non_embedding": "non-embedding",
    "n_params_with_head": "non-embedding + head",
    "n_params": "total",
}
"""Counts of N a table may record, and their names in words."""
RECORDED = "recorded"
"""The count of a table that records one count of N and does not say which."""
MAIN_CONVENTION = "n_params_with_head"
"""The count whose 6ND is nearest to the FLOPs spent (Porian et al. 2024)."""
PLAN_FACTORS = (10.0, 100.0)
"""Budgets planned, as multiples of the largest one measured."""


@dataclass(frozen=True)
class Analysis:
    """What was learnt from a run table.

    Args:
        table: the finished runs, N in the main convention.
        convention: the main count of N, in words.
        ranked: (fit, backtest) of each joint form, best foresight first.
        chinchilla: the Chinchilla form's fit.
        frontiers: {count of N in words: IsoFLOP frontier}, those that could be fitted.
        exponents: {method: a of N* ∝ C^a over the measured budgets}, main convention.
        frontier_backtest: N* of the hidden largest budget, predicted and measured, if any.
        slices: {what is held fixed, in words: one-variable fit}.
        cost: FLOPs per token as a function of N.
        plans: allocations of larger budgets; none where no method identifies the exponent.
        noticed: what a study knows of its runs that their table does not tell.
    """

    table: RunTable
    convention: str
    ranked: tuple[tuple[Fit, Backtest], ...]
    chinchilla: Fit
    frontiers: Mapping[str, Frontier]
    exponents: Mapping[str, Estimate]
    frontier_backtest: "FrontierBacktest | None"
    slices: Mapping[str, Fit]
    cost: TokenCost
    plans: tuple[Plan, ...]
    noticed: tuple[Finding, ...] = ()

    @property
    def best(self) -> tuple[Fit, Backtest]:
        """The joint form that foresaw the hidden budget best, and its backtest."""
        return self.ranked[0]

    @property
    def frontier(self) -> Frontier | None:
        """The frontier in the main convention, None if it could not be fitted."""
        return self.frontiers.get(self.convention)

    @property
    def headline(self) -> Headline | None:
        """The exponent to put first, None where no method gives an interval."""
        return choose_headline(self.exponents)


@dataclass(frozen=True)
class FrontierBacktest:
    """The frontier of the smaller budgets held against the largest one.

    Args:
        flops: the hidden budget.
        predicted: N* by the line through the smaller budgets.
        measured: N* of the hidden budget's own parabola.
    """

    flops: float
    predicted: Estimate
    measured: float

    @property
    def inside(self) -> bool:
        """Whether the measured optimum lies inside the predicted interval."""
        low, high = self.predicted.low, self.predicted.high
        return low is not None and high is not None and low <= self.measured <= high


def analyse_runs(
    table: RunTable, spec: FitSpec | None = None, *, count: str = RECORDED
) -> Analysis:
    """Fit and check all that the table allows.

    Args:
        table: runs with n_params, n_tokens, flops and loss; other counts of N if recorded.
        spec: how to fit; Huber, 1000 resamples by default.
        count: what N counts, in words, where the table has one count and does not say.

    Raises:
        InputError: not even the Chinchilla form can be fitted.
        RefusalError: no joint form can be backtested.
    """
    spec = spec or FitSpec()
    table = _finished(table)
    main = MAIN_CONVENTION if MAIN_CONVENTION in table else "n_params"
    counted = count_as(table, main)
    ranking = rank_forms(counted, [JOINT_FORMS[name] for name in FORMS], spec)
    ranked = tuple((foresee(fit, counted), backtest) for fit, backtest in ranking)
    chinchilla = next((fit for fit, _ in ranked if fit.law.name == "chinchilla"), None)
    if chinchilla is None:  # say why: the same calls, not caught
        fit_parametric(counted, JOINT_FORMS["chinchilla"], spec)
        backtest_largest_budget(counted, JOINT_FORMS["chinchilla"], spec)
        raise RefusalError("the Chinchilla form cannot be fitted to these runs")
    counts = counts_recorded(table, count)
    frontiers, words = _frontiers(table, counts, spec), counts[main]
    # Where Chinchilla's constants are free, forms with fewer settle them by assumption alone.
    fits = [fit for fit, _ in ranked if fit.determined] if chinchilla.determined else []
    exponents = _exponents(fits, frontiers.get(words), counted)
    headline = choose_headline(exponents)
    identified = headline is not None and headline.identified
    return Analysis(
        table=counted,
        convention=words,
        ranked=ranked,
        chinchilla=chinchilla,
        frontiers=frontiers,
        exponents=exponents,
        frontier_backtest=_backtest_frontier(counted, spec),
        slices=fit_slices(counted, frontiers.get(words), spec),
        cost=TokenCost(chinchilla.data.cost_per_root),
        plans=_plans(counted, fits, frontiers.get(words)) if identified else (),
    )


def count_as(table: RunTable, column: str) -> RunTable:
    """Return the table with `n_params` taken from another count of N."""
    if column == "n_params":
        return table
    note = f"N counted as {CONVENTIONS.get(column, column)}"
    counted = table.with_column("n_params", table.numbers(column), note=note)
    mapping = {**counted.mapping, "n_params": column}
    return RunTable(counted.columns, counted.source, counted.rows, mapping, counted.notes)


def _finished(table: RunTable) -> RunTable:
    if "status" not in table:
        return table
    done = np.array([status.lower() in FINISHED for status in table.text("status")])
    return table if done.all() else table.select(done, note=f"{int((~done).sum())} left out")


def counts_recorded(table: RunTable, count: str = RECORDED) -> dict[str, str]:
    """List the counts of N a table records: {column: its name in words}; `count` for a lone one."""
    counts = {column: words for column, words in CONVENTIONS.items() if column in table}
    return {"n_params": count} if list(counts) == ["n_params"] else counts


def _frontiers(table: RunTable, counts: Mapping[str, str], spec: FitSpec) -> dict[str, Frontier]:
    """One IsoFLOP frontier a counting convention; those that cannot be fitted are left out."""
    frontiers = {}
    for column, words in counts.items():
        try:
            frontiers[words] = fit_isoflop(count_as(table, column), spec)
        except IsoflopError:
            continue
    return frontiers


def _backtest_frontier(table: RunTable, spec: FitSpec) -> FrontierBacktest | None:
    """Hide the largest budget of the frontier; None if that leaves no line.

    The interval is for what the hidden parabola will measure: the line's draws plus the scatter
    of that parabola's own minimum.
    """
    try:
        last = [v for v in fit_isoflop(table, FitSpec(Objective(), 0)).valleys if not v.verdict][-1]
        smaller = fit_isoflop(table.select(table.numbers("flops") < last.flops / 1.15), spec)
    except IsoflopError:
        return None
    rng = np.random.default_rng(spec.seed + 1)
    sizes, member = np.unique(last.n_params, return_inverse=True)
    multipliers = rng.standard_normal((len(smaller.draws), len(sizes)))[:, member]
    scatter = vertex_draws(last, multipliers)[0] - np.log(last.n_opt)
    log_n = smaller.draws[:, 1] + smaller.draws[:, 0] * np.log(last.flops) + scatter
    value = float(np.exp(smaller.theta[1] + smaller.theta[0] * np.log(last.flops)))
    predicted = interval_from_draws(
        value, np.exp(log_n), level=spec.level, stretch=smaller.stretch, log=True
    )
    return FrontierBacktest(last.flops, predicted, last.n_opt)


def _exponents(fits: list[Fit], frontier: Frontier | None, table: RunTable) -> dict[str, Estimate]:
    """Exponent of N* ∝ C^a by every method, over the measured budgets."""
    flops = table.numbers("flops")
    exponents = {PARABOLAS: frontier.params["a"]} if frontier else {}
    for fit in fits:
        with contextlib.suppress(RefusalError):
            ends = (float(flops.min()), float(flops.max()))
            exponents[fit.law.name] = optimum_exponent(fit, ends)
    return exponents


def _plans(table: RunTable, fits: list[Fit], frontier: Frontier | None) -> tuple[Plan, ...]:
    """Plan larger budgets by every joint form, best foresight first, and by the frontier."""
    largest = float(table.numbers("flops").max())
    plans = []
    for factor in PLAN_FACTORS:
        budget = float(f"{factor * largest:.1e}")
        for fit in fits:
            with contextlib.suppress(RefusalError):
                plans.append(plan_from_fit(fit, budget))
        if frontier:
            plans.append(plan_from_frontier(frontier, budget))
    return tuple(plans)
