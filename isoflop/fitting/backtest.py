"""Hide the largest budget, predict it, and hold the miss against the interval.

The headline score of a law: not how well it fits, but whether it foresaw.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from isoflop.base.errors import InputError, IsoflopError
from isoflop.base.estimate import Estimate
from isoflop.fitting.fit import Fit
from isoflop.fitting.foresight import predict_loss
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.fitting.valleys import group_budgets
from isoflop.laws.law import AbstractLaw, Array, Variables
from isoflop.runs.checks import keep_usable
from isoflop.runs.table import RunTable

FEWEST_HIDDEN, HIDDEN_SHARE = 4, 0.1
"""Runs hidden at least, and share of all runs: one run says nothing about a law's foresight."""


@dataclass(frozen=True)
class Backtest:
    """A law's prediction of runs it has not seen.

    Args:
        law: name of the form.
        hidden_flops: compute of the hidden budget (geometric mean of its runs).
        n_fitted: runs fitted.
        n_hidden: runs hidden.
        names: (n_hidden,) names of the hidden runs.
        n_params: (n_hidden,) their parameters.
        n_tokens: (n_hidden,) their tokens.
        measured: (n_hidden,) their measured loss.
        predicted: (n_hidden,) their predicted loss, with intervals for one future run.
        chosen_predicted: lowest predicted loss among them, with its interval: the run one would
            have trained.
        chosen_measured: what that run measured (the mean over its seeds). Not the lowest measured
            loss, which is the luckiest.
    """

    law: str
    hidden_flops: float
    n_fitted: int
    n_hidden: int
    names: tuple[str, ...]
    n_params: Array
    n_tokens: Array
    measured: Array
    predicted: tuple[Estimate, ...]
    chosen_measured: float
    chosen_predicted: Estimate

    @property
    def misses(self) -> Array:
        """Log predicted − log measured, (n_hidden,)."""
        return np.log([estimate.value for estimate in self.predicted]) - np.log(self.measured)

    @property
    def rms_miss(self) -> float:
        """Root mean square of the misses, relative."""
        return float(np.sqrt(np.mean(self.misses**2)))

    @property
    def coverage(self) -> float:
        """Share of the hidden runs inside their interval."""
        inside = [
            e.low is not None and e.high is not None and e.low <= loss <= e.high
            for e, loss in zip(self.predicted, self.measured, strict=True)
        ]
        return float(np.mean(inside))

    @property
    def inside(self) -> bool:
        """Whether the run predicted to be the best measured inside its interval."""
        low, high = self.chosen_predicted.low, self.chosen_predicted.high
        return low is not None and high is not None and low <= self.chosen_measured <= high

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "law": self.law,
            "hidden_flops": self.hidden_flops,
            "n_fitted": self.n_fitted,
            "n_hidden": self.n_hidden,
            "chosen_measured": self.chosen_measured,
            "chosen_predicted": self.chosen_predicted.to_dict(),
            "inside": self.inside,
            "coverage": self.coverage,
            "rms_miss": self.rms_miss,
            "runs": [
                {"run": name, "measured": float(loss), "predicted": estimate.to_dict()}
                for name, loss, estimate in zip(
                    self.names, self.measured, self.predicted, strict=True
                )
            ],
        }


def backtest_largest_budget(
    table: RunTable, law: AbstractLaw, spec: FitSpec | None = None
) -> Backtest:
    """Fit without the largest budget and predict its runs.

    Where the largest budget has fewer than four runs, or less than a tenth of them all, the next
    ones are hidden with it.

    Args:
        table: runs with flops and the law's variables.
        law: the form.
        spec: how to fit.

    Raises:
        InputError: one budget only.
    """
    table, _ = keep_usable(table, (*law.variables, "flops", "loss"))
    budgets = group_budgets(table.numbers("flops"))
    if len(budgets) < 2:
        raise InputError(
            f"{table.source}: all runs share one compute; a backtest hides the largest of several"
        )
    hidden = np.zeros(len(table), dtype=bool)
    for budget in reversed(budgets):
        if hidden.sum() >= max(FEWEST_HIDDEN, HIDDEN_SHARE * len(table)):
            break
        hidden[budget] = True
    return _predict_hidden(fit_parametric(table.select(~hidden), law, spec), table.select(hidden))


def rank_forms(
    table: RunTable, laws: Iterable[AbstractLaw], spec: FitSpec | None = None
) -> list[tuple[Fit, Backtest]]:
    """Fit several forms to all runs and rank them by how well they foresaw the largest budget.

    Forms that cannot be fitted to these runs are left out.

    Returns:
        (fit of all runs, backtest), lowest held-out miss first; fits that the runs do not
        determine come last.
    """
    ranked = []
    for law in laws:
        try:
            ranked.append(
                (fit_parametric(table, law, spec), backtest_largest_budget(table, law, spec))
            )
        except IsoflopError:
            continue
    return sorted(ranked, key=lambda pair: (not pair[0].determined, pair[1].rms_miss))


def _predict_hidden(fit: Fit, hidden: RunTable) -> Backtest:
    variables = {name: hidden.numbers(name) for name in fit.law.variables}
    predicted = predict_loss(fit, variables)
    measured = hidden.numbers("loss")
    best = int(np.argmin([estimate.value for estimate in predicted]))
    blank = np.full(len(hidden), np.nan)
    return Backtest(
        law=fit.law.name,
        hidden_flops=float(np.exp(np.log(hidden.numbers("flops")).mean())),
        n_fitted=fit.n_runs,
        n_hidden=len(hidden),
        names=tuple(hidden.names()),
        n_params=hidden.numbers("n_params") if "n_params" in hidden else blank,
        n_tokens=hidden.numbers("n_tokens") if "n_tokens" in hidden else blank,
        measured=measured,
        predicted=tuple(predicted),
        chosen_measured=float(np.exp(np.log(measured[_same_design(variables, best)]).mean())),
        chosen_predicted=predicted[best],
    )


def _same_design(variables: Variables, row: int) -> np.ndarray:
    """Mark the runs that repeat a run's design, (n_hidden,) bool."""
    return np.all([values == values[row] for values in variables.values()], axis=0)
