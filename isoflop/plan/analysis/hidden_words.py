"""What a backtest showed, in one line: which runs were hidden, how many were foreseen, the largest.

Runs of one budget are told by what one would have trained of it; runs of many by the largest.
"""

import numpy as np

from isoflop.base.estimate import Estimate, shorten
from isoflop.fitting.frontiers.valleys import group_budgets
from isoflop.fitting.trials.hidden_runs import NO_INTERVALS, Backtest, find_side
from isoflop.runs.counted import counted

_VERDICTS = {"above": "OUTSIDE", "below": "OUTSIDE"}


def describe_hidden(backtest: Backtest) -> str:
    """Write a backtest in one line.

    Args:
        backtest: of runs hidden by their compute.
    """
    level = f"{100 * backtest.chosen_predicted.level:g} %"
    interval = "interval" if backtest.n_hidden == 1 else "intervals"
    which, predicted, measured = _shown(backtest)
    side = find_side(measured, predicted)
    held = f"{round(backtest.coverage * backtest.n_hidden)} inside their {level} {interval}"
    return (
        f"{describe_runs(backtest)} hidden, {held if backtest.has_intervals else NO_INTERVALS}; "
        f"{which}: {backtest.law} predicted {predicted}, measured {measured:.4f}: "
        f"{_VERDICTS.get(side, side)}"
    )


def describe_runs(backtest: Backtest) -> str:
    """Name the hidden runs by their compute.

    Args:
        backtest: of runs hidden by their compute.
    """
    lowest, highest = float(backtest.scale.min()), float(backtest.scale.max())
    if one_budget(backtest):
        middle = shorten(backtest.hidden_flops, digits=2)
        return f"{counted(backtest.n_hidden, 'run')} of the largest budget ({middle} FLOPs)"
    return f"{backtest.n_hidden} largest runs (from {shorten(lowest)} to {shorten(highest)} FLOPs)"


def one_budget(backtest: Backtest) -> bool:
    """Whether all hidden runs spent one budget, but for what a step's rounding moves."""
    return len(group_budgets(backtest.scale)) == 1


def _shown(backtest: Backtest) -> tuple[str, Estimate, float]:
    """The run told of: of one budget the one predicted to be best, else the largest."""
    if one_budget(backtest):
        chosen = "the run it would have chosen"
        return chosen, backtest.chosen_predicted, backtest.chosen_measured
    row = int(np.argmax(backtest.scale))
    largest = f"the largest ({shorten(float(backtest.scale[row]))} FLOPs)"
    return largest, backtest.predicted[row], float(backtest.measured[row])
