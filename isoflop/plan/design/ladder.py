"""A whole ladder for a budget: the runs that leave the forecast least uncertain."""

from dataclasses import dataclass, replace

import numpy as np

from isoflop.base.errors import InputError
from isoflop.base.estimate import shorten
from isoflop.fitting.trials.excess import detectable_excess
from isoflop.plan.design.candidates import DECADES, SPREAD, Candidates, propose_candidates
from isoflop.plan.design.equal_grid import equal_grid, grid_shape
from isoflop.plan.design.exchange import Shelf, choose_runs
from isoflop.plan.design.forecast import forecast_optimum
from isoflop.plan.design.knowledge import Knowledge, know
from isoflop.plan.optimum.choose import AnyLaw
from isoflop.runs.checks import Finding

LARGEST_SHARE = 0.1
"""Share of the budget that the largest run may take, unless asked otherwise: more if runs are few,
`ENOUGH` shares of a budget split evenly."""
ENOUGH = 3.0
MAX_RUNS = 63
"""As many as an IsoFLOP grid of 7 budgets and 9 sizes."""
PLAUSIBLE = 9
"""Sets of constants that a design is averaged over."""
SPENT = 0.8
"""Share of a budget below which a ladder is said to leave money over."""


@dataclass(frozen=True)
class Errors:
    """How uncertain a set of runs leaves the forecast.

    Args:
        loss: standard error of the optimum's log loss, from the law's constants.
        size: standard error of the log of the optimal size, likewise.
    """

    loss: float
    size: float


@dataclass(frozen=True)
class Design:
    """A ladder and what it would tell.

    Args:
        runs: one row a run, repeats included, cheapest first.
        flops: the budget whose compute-optimal run is forecast.
        spent: compute of all runs.
        errors: what they would leave uncertain.
        before: what is uncertain now; None if nothing has been trained.
        grid: what an equal-spaced IsoFLOP grid of the same compute would leave uncertain.
        grid_shape: its budgets and sizes.
        budget: compute that might be spent.
        detectable: smallest relative excess of the loss at the two largest scales of the ladder
            that would be seen four times in five; None where too few runs are below them.
        source: what is known, and from what.
    """

    runs: Candidates
    flops: float
    spent: float
    errors: Errors
    before: Errors | None
    grid: Errors
    grid_shape: tuple[int, int]
    budget: float
    detectable: float | None
    source: str

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        rows = zip(self.runs.n_params, self.runs.n_tokens, self.runs.flops, strict=True)
        return {
            "flops": self.flops,
            "spent": self.spent,
            "n_runs": len(self.runs),
            "runs": [{"n_params": n, "n_tokens": d, "flops": c} for n, d, c in rows],
            "errors": vars(self.errors),
            "errors_before": vars(self.before) if self.before else None,
            "errors_of_grid": vars(self.grid),
            "grid_shape": list(self.grid_shape),
            "detectable_break": self.detectable,
            "source": self.source,
            "findings": [finding.to_dict() for finding in self.findings],
        }

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Money left over, and a target that the ladder itself passes."""
        found = []
        if self.spent < SPENT * self.budget:
            found.append(_left_over(self))
        if self.flops <= float(self.runs.flops.max()):
            found.append(_passes_target(self))
        return tuple(found)


def design_ladder(
    law: AnyLaw | str | Knowledge,
    budget: float,
    flops: float,
    *,
    noise: float | None = None,
    max_runs: int = MAX_RUNS,
    repeats: int = 1,
    spread: float = SPREAD,
    smallest: float | None = None,
    largest: float | None = None,
) -> Design:
    """Propose the ladder that leaves the forecast at a target budget least uncertain.

    Minimises the mean log variance of the optimum's loss and size, over plausible constants.

    Args:
        law: a fit, whose runs count, a published law, or the name or file of one.
        budget: compute of all runs together, FLOPs.
        flops: the target budget whose compute-optimal run is forecast.
        noise: standard deviation of one run's log loss; as the fit measured it, or .005.
        max_runs: runs at most.
        repeats: runs of one size and token count at most, differing by seed.
        spread: sizes reach this factor above and below the optimum of their budget.
        smallest: FLOPs of the cheapest run; a thousandth of the largest by default.
        largest: FLOPs of the dearest; a tenth of the budget by default, or
            three times an even share if that is more.

    Raises:
        InputError: a budget that is not positive, or too few runs for the law.

    >>> design = design_ladder("besiroglu-2024", 1e21, 1e23, max_runs=30)
    >>> len(design.runs), bool(design.spent <= 1e21), design.errors.loss < design.grid.loss
    (30, True, True)
    """
    known = know(law, noise=noise)
    for name, amount in (("budget", budget), ("target", flops)):
        if not (np.isfinite(amount) and amount > 0):
            raise InputError(f"the {name} must be a positive number of FLOPs, found {amount:g}")
    if max_runs <= known.thetas.shape[1] or repeats < 1:
        raise InputError(
            f"{known.law.name} has {known.thetas.shape[1]} constants: a ladder needs more runs "
            f"than that and at least one of each, found {max_runs} and {repeats}"
        )
    largest = largest or min(0.5, max(LARGEST_SHARE, ENOUGH / max_runs)) * budget
    smallest = smallest or largest / 10**DECADES
    known = replace(known, thetas=known.thetas[:PLAUSIBLE])
    candidates = propose_candidates(known, smallest=smallest, largest=largest, spread=spread)
    shelf = put_on_shelf(known, candidates, flops)
    counts = choose_runs(shelf, budget, max_runs=max_runs, repeats=repeats)
    chosen = candidates.select(np.repeat(np.arange(len(counts)), counts))
    chosen = chosen.select(np.argsort(chosen.flops, kind="stable"))
    nothing = np.zeros_like(counts)
    return Design(
        runs=chosen,
        flops=flops,
        spent=float(chosen.flops.sum()),
        errors=_errors(shelf, counts),
        before=_errors(shelf, nothing) if known.information.any() else None,
        grid=errors_of(known, equal_grid(known, budget, max_runs=max_runs), flops),
        grid_shape=grid_shape(max_runs),
        budget=budget,
        detectable=_detectable(known, chosen),
        source=known.source,
    )


def put_on_shelf(known: Knowledge, candidates: Candidates, flops: float) -> Shelf:
    """Derivatives of candidate runs and of the forecast under every plausible set of constants."""
    goals = forecast_optimum(known.law, known.thetas, flops, cost=known.cost).slopes
    slopes = np.array([candidates.slopes(known, theta) for theta in known.thetas])
    return Shelf(slopes, goals, candidates.price, known.information)


def errors_of(known: Knowledge, runs: Candidates, flops: float) -> Errors:
    """What a set of runs would leave uncertain of the optimum at a target budget."""
    return _errors(put_on_shelf(known, runs, flops), np.ones(len(runs), dtype=np.int64))


def _errors(shelf: Shelf, counts: np.ndarray) -> Errors:
    loss, size = np.sqrt(np.exp(np.log(shelf.variances(counts)).mean(axis=0)))
    return Errors(float(loss), float(size))


def _detectable(known: Knowledge, runs: Candidates) -> float | None:
    """Smallest break seen when the ladder's largest two scales are hidden, a third of a decade."""
    scale = np.round(3 * np.log10(runs.flops))
    hidden = scale >= np.unique(scale)[-2:].min()
    if (~hidden).sum() <= known.thetas.shape[1]:
        return None
    variables = {"n_params": runs.n_params, "n_tokens": runs.n_tokens}
    small, large = ({k: v[rows] for k, v in variables.items()} for rows in (~hidden, hidden))
    return detectable_excess(known.law, known.thetas[0], small, large, noise=known.noise)


def _left_over(design: Design) -> Finding:
    return Finding(
        code="budget-left-over",
        severity="note",
        evidence=f"{shorten(design.spent)} of {shorten(design.budget)} FLOPs are spent, on "
        f"{len(design.runs)} runs up to {shorten(float(design.runs.flops.max()))} FLOPs",
        consequence="no exchange of one run within these bounds would make the forecast surer",
        remedy="allow more runs (--max-runs), seeds (--repeats) or dearer ones (--largest)",
    )


def _passes_target(design: Design) -> Finding:
    return Finding(
        code="target-within-ladder",
        severity="warning",
        evidence=f"the target, {shorten(design.flops)} FLOPs, is no larger than the ladder's "
        f"largest run, {shorten(float(design.runs.flops.max()))}",
        consequence="what is forecast could be trained",
        remedy="train it, or name a larger target (--flops)",
    )
