"""Hide the largest runs, predict them, and hold the misses against their intervals.

The headline score of a law: not how well it fits, but whether it foresaw.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from isoflop.base.errors import InputError, IsoflopError, UnknownNameError
from isoflop.base.estimate import Estimate
from isoflop.fitting.automatic.backtest import AutomaticBacktest, backtest_automatic
from isoflop.fitting.fit import Fit
from isoflop.fitting.foresight.foresight import find_misfit, predict_loss
from isoflop.fitting.foresight.misfit import Misfit
from isoflop.fitting.frontiers.valleys import group_budgets
from isoflop.fitting.methods import AUTO, choose_form, only_variable
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.fitting.trials.hidden_runs import Backtest
from isoflop.laws.law import AbstractLaw, Array, Variables
from isoflop.runs.checks import keep_usable
from isoflop.runs.table import RunTable, derive_column

FEWEST_HIDDEN, HIDDEN_SHARE = 4, 0.1
"""Runs hidden at least, and share of all runs: one run says nothing about a law's foresight."""


def backtest(
    table: RunTable,
    law: str | AbstractLaw = "chinchilla",
    *,
    over: str | None = None,
    by: str = "flops",
    cut: float | None = None,
    spec: FitSpec | None = None,
) -> Backtest | AutomaticBacktest:
    """Hide the largest runs, predict them, and hold the misses against their intervals.

    Args:
        table: the runs.
        law: name of the form, a formula, or a law; `auto` is cut by its own variable.
        over: variable of a one-variable law.
        by: column that the hidden runs are largest in.
        cut: its lowest value among them; the largest budgets are hidden if left out.
        spec: how to fit.

    Raises:
        UnknownNameError: no such column or law.
        InputError: see `backtest_beyond` and `backtest_largest_budget`.
    """
    if law == AUTO:
        over = over or only_variable(table)
        if by not in (over, "flops"):
            raise InputError(f"auto is cut by its own variable {over}, found by={by}")
        return backtest_automatic(table, over, cut=cut, spec=spec)
    if by != "flops" and by not in table:
        raise UnknownNameError("column", by, table.columns)
    form = choose_form(table, law, over=over) if isinstance(law, str) else law
    if cut is not None:
        return backtest_beyond(table, form, by=by, cut=cut, spec=spec)
    if by != "flops":
        raise InputError(
            f"the largest budgets are hidden by flops; to cut `{by}`, say where: --cut AMOUNT "
            "(cut= in Python)"
        )
    return backtest_largest_budget(_with_flops(table), form, spec)


def backtest_beyond(
    table: RunTable,
    law: AbstractLaw,
    *,
    by: str = "flops",
    cut: float,
    spec: FitSpec | None = None,
) -> Backtest:
    """Fit the runs with `by` below a cut and predict those at it or beyond.

    Args:
        table: the runs.
        law: the form.
        by: column that is cut; flops are 6ND where they are not recorded.
        cut: its lowest value among the predicted runs.
        spec: how to fit.

    Raises:
        UnknownNameError: no such column.
        InputError: a cut that leaves nothing to fit or nothing to predict.
    """
    table = _with_flops(table) if by == "flops" else table
    if by not in table:
        raise UnknownNameError("column", by, table.columns)
    signed = (law.response,) if law.residual_scale == "linear" else ()
    table, _ = keep_usable(table, (*law.variables, law.response, by), signed=signed)
    values = table.numbers(by)
    hidden = values >= cut
    if hidden.all() or not hidden.any():
        raise InputError(
            f"{table.source}: a cut of {cut:g} leaves {int((~hidden).sum())} runs to fit and "
            f"{int(hidden.sum())} to predict; `{by}` runs from {values.min():.3g} to "
            f"{values.max():.3g}"
        )
    return _predict_hidden(table, hidden, law, spec, by=by, cut=cut)


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
        InputError: one budget only, or too few runs below the hidden ones.
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
    left, needed = int((~hidden).sum()), len(law.parameters) + 1
    if left < needed:
        raise InputError(
            f"{table.source}: hiding the {int(hidden.sum())} of {len(table)} runs with the most "
            f"compute leaves {left} to fit {law.name} to, expected at least {needed}: too few to "
            "test a law by runs it has not seen; `isoflop fit` fits them all untested"
        )
    cut = float(table.numbers("flops")[hidden].min())
    return _predict_hidden(table, hidden, law, spec, by="flops", cut=cut)


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


def _with_flops(table: RunTable) -> RunTable:
    """Take 6ND for the compute where it is not recorded."""
    if "flops" in table or not {"n_params", "n_tokens"} <= set(table.columns):
        return table
    return derive_column(table, "flops")


def _predict_hidden(
    table: RunTable,
    is_hidden: NDArray[np.bool_],
    law: AbstractLaw,
    spec: FitSpec | None,
    *,
    by: str,
    cut: float,
) -> Backtest:
    shown, hidden = table.select(~is_hidden), table.select(is_hidden)
    fit = fit_parametric(shown, law, spec)
    misfit = find_misfit(fit, shown, by=by)
    variables = {name: hidden.numbers(name) for name in law.variables}
    predicted = predict_loss(fit, variables, misfit=misfit)
    measured = hidden.numbers(law.response)
    best = int(np.argmin([estimate.value for estimate in predicted]))
    blank = np.full(len(hidden), np.nan)
    flops = hidden.numbers("flops") if "flops" in hidden else blank
    return Backtest(
        law=law.name,
        by=by,
        cut=cut,
        hidden_flops=float(np.exp(np.log(flops).mean())),
        n_fitted=fit.n_runs,
        n_hidden=len(hidden),
        names=tuple(hidden.names()),
        n_params=hidden.numbers("n_params") if "n_params" in hidden else blank,
        n_tokens=hidden.numbers("n_tokens") if "n_tokens" in hidden else blank,
        measured=measured,
        predicted=tuple(predicted),
        chosen_measured=_mean(measured[_same_design(variables, best)]),
        chosen_predicted=predicted[best],
        misfit=misfit,
        plain=tuple(predict_loss(_without_outliers(fit), variables)),
        scale=hidden.numbers(by),
        noise=_relative_noise(fit, misfit, predicted),
    )


def _without_outliers(fit: Fit) -> Fit:
    """The fit with the residuals of the runs that had a say, as the noise of one that is right.

    Runs set aside are on one side of the law more often than not: drawn as noise they would
    stretch one end of every interval by what the law, taken at its word, has refused to follow.
    """
    if fit.objective.kind != "robust":
        return fit
    kept = fit.residuals[np.abs(fit.residuals) <= fit.objective.threshold]
    return replace(fit, residuals=kept) if len(kept) else fit


def _relative_noise(fit: Fit, misfit: Misfit, predicted: list[Estimate]) -> Array:
    """Standard deviation of a single run over its prediction, (n_hidden,)."""
    values = np.array([estimate.value for estimate in predicted])
    return misfit.noise * np.abs(fit.objective.unit(values)) / np.maximum(np.abs(values), 1e-300)


def _same_design(variables: Variables, row: int) -> np.ndarray:
    """Mark the runs that repeat a run's design, (n_hidden,) bool."""
    return np.all([values == values[row] for values in variables.values()], axis=0)


def _mean(losses: Array) -> float:
    """Geometric mean of losses, arithmetic where some are not positive."""
    if (losses <= 0).any():
        return float(losses.mean())
    return float(np.exp(np.log(losses).mean()))
