"""Which run to train next: what each would take off the forecast's variance, for its price.

A run with derivatives J of its log loss, in units of noise, takes (gΣJ)²/(1 + JΣJ) off the
variance gΣg of a forecast with derivatives g, where Σ is the covariance of the constants now:
the rank-one update of a linear model, averaged over plausible constants.
"""

from dataclasses import dataclass

import numpy as np

from isoflop.base.errors import InputError, RefusalError
from isoflop.base.estimate import Estimate, interval_from_draws
from isoflop.laws.law import Array
from isoflop.plan.design.candidates import (
    DECADES,
    Candidates,
    propose_candidates,
    read_candidates,
)
from isoflop.plan.design.forecast import GOALS, Forecast, forecast_optimum
from isoflop.plan.design.knowledge import Knowledge, know
from isoflop.plan.optimum.choose import AnyLaw
from isoflop.runs.checks import Finding
from isoflop.runs.table import RunTable

LITTLE = 0.02
"""Share of a single run's forecast error below which another run is said not to help."""


@dataclass(frozen=True)
class NextRun:
    """One candidate and what it would do.

    Args:
        n_params: parameters.
        n_tokens: tokens.
        flops: compute.
        price: what it costs.
        reduction: share of the forecast's variance it takes off, with the spread over plausible
            constants.
        per_price: that share, for each unit of price.
    """

    n_params: float
    n_tokens: float
    flops: float
    price: float
    reduction: Estimate
    per_price: float

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {**vars(self), "reduction": self.reduction.to_dict()}


@dataclass(frozen=True)
class NextRuns:
    """Candidates in the order of what they buy.

    Args:
        flops: the budget whose optimum is forecast.
        goal: what is forecast, `loss` or `size`.
        unit: of prices.
        runs: most reduction per price first.
        constants_error: standard error of the log forecast from the law's constants.
        noise: of one run's log loss.
        law_error: of the law itself there, 0 where it is not suspected or a size is forecast.
        source: what is known, and from what.
    """

    flops: float
    goal: str
    unit: str
    runs: tuple[NextRun, ...]
    constants_error: float
    noise: float
    law_error: float
    source: str

    @property
    def strongest(self) -> NextRun:
        """The run that takes off most, whatever its price."""
        return max(self.runs, key=lambda run: run.reduction.value)

    @property
    def gain(self) -> float:
        """Share of the forecast's whole standard error that the strongest run takes off."""
        rest = self.noise**2 + self.law_error**2 if self.goal == "loss" else 0.0
        now = self.constants_error**2 + rest
        after = (1 - self.strongest.reduction.value) * self.constants_error**2 + rest
        return float(1 - np.sqrt(after / now))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Whether another run would help at all."""
        return (self._no_help(),) if self.gain < LITTLE else ()

    def _no_help(self) -> Finding:
        return Finding(
            code="another-run-does-not-help",
            severity="warning",
            evidence=f"the best candidate takes {100 * self.gain:.2g} % off the error of the "
            f"{self.goal} forecast: constants {100 * self.constants_error:.2g} %, one run's noise "
            f"{100 * self.noise:.2g} %, the law itself {100 * self.law_error:.2g} %",
            consequence="what is left is noise, or the law's own error, which runs like these do "
            "not lessen",
            remedy="stop here; or try another law, or candidates nearer to the target",
        )

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "flops": self.flops,
            "goal": self.goal,
            "price_unit": self.unit,
            "constants_error": self.constants_error,
            "noise": self.noise,
            "law_error": self.law_error,
            "gain_of_strongest": self.gain,
            "source": self.source,
            "runs": [run.to_dict() for run in self.runs],
            "findings": [finding.to_dict() for finding in self.findings],
        }


def rank_next_runs(
    law: AnyLaw | str | Knowledge,
    flops: float,
    *,
    candidates: RunTable | None = None,
    price: str = "flops",
    goal: str = "loss",
    largest: float | None = None,
    noise: float | None = None,
) -> NextRuns:
    """Rank candidate runs by how much of the forecast's variance they take off per price.

    Args:
        law: a fit, or its file; published constants have no variance to reduce.
        flops: the budget whose compute-optimal run is forecast.
        candidates: n_params, n_tokens and prices of the runs to choose from; sizes within ×8 of
            the optimum of budgets up to the largest run so far if left out.
        price: column of the price, such as gpu_hours or dollars; flops if left out.
        goal: `loss` or `size` of the forecast run.
        largest: FLOPs of the dearest candidate where none are given.
        noise: standard deviation of one run's log loss; as the fit measured it if left out.

    Raises:
        InputError: an unknown goal, or no range of compute to choose runs from.
        RefusalError: nothing has been trained yet.
    """
    known = know(law, noise=noise)
    if goal not in GOALS:
        raise InputError(f"a forecast is of the {' or the '.join(GOALS)}, found {goal!r}")
    if not known.information.any():
        raise RefusalError(
            f"{known.name} is published constants: no run of yours stands behind them, so a next "
            "run has no variance to reduce; propose a whole ladder instead (isoflop design)"
        )
    offered = _offer(known, candidates, price, largest)
    forecast = forecast_optimum(known.law, known.thetas, flops, cost=known.cost)
    covariance = np.asarray(np.linalg.pinv(known.information, hermitian=True), np.float64)
    slopes = forecast.slopes[:, GOALS.index(goal)]
    shares = np.array(
        [
            reduction_shares(covariance, offered.slopes(known, theta), slope)
            for theta, slope in zip(known.thetas, slopes, strict=True)
        ]
    )
    usual = np.mean(shares, axis=0)
    runs = [
        NextRun(
            float(offered.n_params[j]),
            float(offered.n_tokens[j]),
            float(offered.flops[j]),
            float(offered.price[j]),
            interval_from_draws(float(usual[j]), shares[:, j], level=known.level),
            float(usual[j] / offered.price[j]),
        )
        for j in np.argsort(-usual / offered.price)
    ]
    return NextRuns(
        flops=flops,
        goal=goal,
        unit=offered.unit,
        runs=tuple(runs),
        constants_error=float(np.sqrt(slopes[0] @ covariance @ slopes[0])),
        noise=known.noise,
        law_error=_law_error(known, forecast) if goal == "loss" else 0.0,
        source=known.source,
    )


def _offer(
    known: Knowledge, table: RunTable | None, price: str, largest: float | None
) -> Candidates:
    if table is not None:
        return read_candidates(table, known, price=price)
    largest = largest or known.largest
    if largest is None:
        raise InputError("the fit's runs record no flops; say how dear a run may be (largest)")
    return propose_candidates(known, smallest=largest / 10**DECADES, largest=largest)


def reduction_shares(covariance: Array, slopes: Array, goal: Array) -> Array:
    """Share of a forecast's variance that each run takes off.

    Args:
        covariance: (p, p) of the constants in solver coordinates.
        slopes: (n, p) derivatives of each run's log loss in units of noise.
        goal: (p,) derivatives of the forecast.

    Returns:
        (n,) from 0 to 1.

    >>> reduction_shares(np.eye(1), np.array([[1.0], [3.0]]), np.array([2.0]))
    array([0.5, 0.9])
    """
    reached = slopes @ covariance
    own = 1 + np.einsum("np,np->n", reached, slopes)
    return (reached @ goal) ** 2 / own / (goal @ covariance @ goal)


def _law_error(known: Knowledge, forecast: Forecast) -> float:
    best = float(forecast.n_params[0])
    tokens = forecast.flops / float(known.cost.flops_per_token(np.array([best]))[0])
    return known.law_error(best, tokens)
