"""Hidden runs: what was predicted, with intervals, and what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from isoflop.draw.canvas import (
    FAINT,
    INK,
    OKABE_ITO,
    figure_of,
    house_style,
    new_panels,
    set_log_axis,
)
from isoflop.draw.series import Array, AxisLabels, widen
from isoflop.fitting.trials.backtest import Backtest

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class BacktestFigure:
    """Predictions of hidden runs.

    Args:
        names: (k,) names of the runs.
        n_params: (k,) parameters; NaN where not recorded.
        measured: (k,) measured loss.
        predicted: (k,) predicted loss.
        low: (k,) lower end of the interval; NaN if there is none.
        high: (k,) upper end of the interval; NaN if there is none.
        level: level of the intervals.
        law: name of the law.
        rms: root mean square miss, %.
        labels: names of the axes.
    """

    names: tuple[str, ...]
    n_params: Array
    measured: Array
    predicted: Array
    low: Array
    high: Array
    level: float
    law: str
    rms: float
    labels: AxisLabels

    @property
    def inside(self) -> "np.ndarray":
        """Which runs lie inside their interval, (k,) bool."""
        return (self.low <= self.measured) & (self.measured <= self.high)

    @property
    def has_sizes(self) -> bool:
        """Whether the sizes of the hidden runs are known and differ."""
        known = np.isfinite(self.n_params)
        return bool(known.all() and np.ptp(self.n_params) > 0)

    @property
    def one_curve(self) -> bool:
        """Whether each size has one prediction, as within a budget, so that a line joins them."""
        same = [self.predicted[self.n_params == size] for size in np.unique(self.n_params)]
        return bool(max(map(np.ptp, same)) <= 0.1 * np.ptp(self.predicted))


def backtest_figure(backtest: Backtest, *, labels: AxisLabels | None = None) -> BacktestFigure:
    """Gather the predictions of a backtest.

    Args:
        backtest: the backtest.
        labels: names of the axes.
    """
    ends = [(e.low, e.high) for e in backtest.predicted]
    return BacktestFigure(
        names=backtest.names,
        n_params=backtest.n_params,
        measured=backtest.measured,
        predicted=np.array([estimate.value for estimate in backtest.predicted]),
        low=np.array([np.nan if low is None else low for low, _ in ends]),
        high=np.array([np.nan if high is None else high for _, high in ends]),
        level=backtest.chosen_predicted.level,
        law=backtest.law,
        rms=100 * backtest.rms_miss,
        labels=labels or AxisLabels(),
    )


@house_style()
def draw_backtest(figure: BacktestFigure, axes: "Sequence[Axes] | None" = None) -> "Figure":
    """Draw predicted against measured, and both against size where sizes are known.

    Args:
        figure: the data.
        axes: two panels of yours, one where sizes are unknown; a new figure if None.
    """
    n_panels = 2 if figure.has_sizes else 1
    if axes is None:
        width = 7.0 if n_panels == 2 else 4.0
        _, axes = new_panels(n_panels, width=width, height=3.2)
    _draw_agreement(axes[0], figure)
    if n_panels == 2:
        _draw_by_size(axes[1], figure)
    return figure_of(axes)


def _draw_agreement(ax: "Axes", figure: BacktestFigure) -> None:
    limits = widen(np.concatenate([figure.measured, figure.low, figure.high, figure.predicted]))
    ax.plot(limits, limits, color=FAINT, linewidth=0.9, zorder=1)
    known = np.isfinite(figure.low) & np.isfinite(figure.high)
    for rows, name, colour, mark in (
        (figure.inside, f"inside its {100 * figure.level:.0f} % interval", OKABE_ITO[0], "o"),
        (known & ~figure.inside, "outside", OKABE_ITO[1], "s"),
        (~known, "without an interval", FAINT, "D"),
    ):
        if rows.any():
            spread = [
                np.nan_to_num(figure.predicted - figure.low)[rows],
                np.nan_to_num(figure.high - figure.predicted)[rows],
            ]
            ax.errorbar(
                figure.measured[rows],
                figure.predicted[rows],
                yerr=spread,
                fmt=mark,
                color=colour,
                markersize=4,
                elinewidth=1.0,
                capsize=2,
                label=f"{int(rows.sum())} of {len(rows)} {name}",
            )
    for which in ("x", "y"):
        set_log_axis(ax, which, "loss", figure.labels, limits=limits, most=5)
    ax.set_xlabel(f"measured {figure.labels.loss}")
    ax.set_ylabel(f"predicted {figure.labels.loss}")
    ax.set_aspect("equal")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), title=f"RMS miss {figure.rms:.2f} %")


def _draw_by_size(ax: "Axes", figure: BacktestFigure) -> None:
    order = np.argsort(figure.n_params)
    N = figure.n_params[order]
    middle, low, high = (v[order] for v in (figure.predicted, figure.low, figure.high))
    spread = [np.nan_to_num(middle - low), np.nan_to_num(high - middle)]
    if figure.one_curve:
        ax.plot(N, middle, color=OKABE_ITO[0], linewidth=0.8, alpha=0.6)
    ax.errorbar(
        N,
        middle,
        yerr=spread,
        fmt="_",
        color=OKABE_ITO[0],
        elinewidth=3.5,
        alpha=0.45,
        markersize=9,
        label=f"predicted by {figure.law}",
    )
    ax.plot(N, figure.measured[order], "o", color=INK, markersize=4, label="measured, hidden")
    heights = np.concatenate([figure.measured, figure.low, figure.high, figure.predicted])
    set_log_axis(ax, "x", "n_params", figure.labels, limits=widen(N), most=5)
    set_log_axis(ax, "y", "loss", figure.labels, limits=widen(heights), most=6)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0))
