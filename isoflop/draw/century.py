"""Data a plan reads against the data there are, over compute."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from isoflop.draw.canvas import (
    FAINT,
    INK,
    OKABE_ITO,
    draw_line,
    figure_of,
    house_style,
    new_panels,
    set_log_axis,
)
from isoflop.draw.series import NONE, AxisLabels, Line
from isoflop.draw.ticks import spread_labels
from isoflop.plan.forecast.century import Century
from isoflop.plan.forecast.reading import choose_rule
from isoflop.plan.forecast.stock import Exhaustion

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

N_POINTS = 60
LABEL_GAP = 0.27
"""Orders of magnitude of tokens between labels of stocks."""


@dataclass(frozen=True, eq=False)
class CenturyFigure:
    """Tokens read and tokens there are.

    Args:
        demand: tokens a budget reads, one line a rule.
        stocks: a level line for each stock, with its interval as band.
        anchor: name and FLOPs of the run scaled.
        flops: the budget.
        labels: names of the axes.
    """

    demand: tuple[Line, ...]
    stocks: tuple[Line, ...]
    anchor: tuple[str, float]
    flops: float
    labels: AxisLabels


def century_figure(century: Century, ends: Sequence[Exhaustion]) -> CenturyFigure:
    """Collect the lines.

    Args:
        century: the plan.
        ends: stocks and the rules that read them, from `exhaust_stocks`.
    """
    anchor = century.spec.anchor
    flops = np.geomspace(min(anchor.flops, century.flops.value) / 30,
                         max(anchor.flops, century.flops.value) * 30, N_POINTS)  # fmt: skip
    demand = []
    for rule in dict.fromkeys(end.rule for end in ends):
        reads = choose_rule(rule, century)
        tokens = np.array([reads(float(C)) for C in flops])
        demand.append(Line(rule, flops, tokens, NONE, NONE))
    stocks = dict.fromkeys(end.stock for end in ends)
    return CenturyFigure(
        demand=tuple(demand),
        stocks=tuple(_level(s.name, flops[[0, -1]], s.n_tokens.value, s.n_tokens.low,
                            s.n_tokens.high) for s in stocks),
        anchor=(anchor.name, anchor.flops),
        flops=century.flops.value,
        labels=AxisLabels(n_tokens="tokens"),
    )  # fmt: skip


@house_style()
def draw_century(figure: CenturyFigure, axes: "Sequence[Axes] | None" = None) -> "Figure":
    """Draw the chart.

    Args:
        figure: its data.
        axes: one panel of your own.
    """
    if axes is None:
        _, axes = new_panels(1, height=4.2)
    ax = axes[0]
    for place, line in enumerate(figure.demand):
        draw_line(ax, line, colour=OKABE_ITO[place % len(OKABE_ITO)], width=1.6)
    for stock in figure.stocks:
        draw_line(ax, stock, colour=FAINT, style=":", width=0.9)
    x = figure.demand[0].x if figure.demand else np.array([figure.anchor[1], figure.flops])
    heights = [each.y for each in (*figure.demand, *figure.stocks)] or [np.array([1e9, 1e15])]
    set_log_axis(ax, "x", "flops", figure.labels, limits=(float(x[0]), float(x[-1])), most=8)
    limits = float(np.min(np.concatenate(heights))), float(np.max(np.concatenate(heights)))
    set_log_axis(ax, "y", "flops", figure.labels, limits=limits, most=9)
    ax.set_ylabel("tokens read, and tokens there are")
    _name_stocks(ax, figure)
    for name, C in (figure.anchor, ("the budget", figure.flops)):
        ax.axvline(C, color=INK, linewidth=0.7)
        ax.annotate(name, (C, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 2),
                    textcoords="offset points", ha="center", fontsize=7.5)  # fmt: skip
    own = [h for h, label in zip(*ax.get_legend_handles_labels(), strict=True)
           if label in {line.label for line in figure.demand}]  # fmt: skip
    ax.legend(
        handles=own,
        loc="upper left",
        bbox_to_anchor=(0.12, 0.98),
        title="tokens read by",
        frameon=True,
        facecolor="white",
        edgecolor="none",
        framealpha=1,
    )
    return figure_of(axes)


def _name_stocks(ax: "Axes", figure: CenturyFigure) -> None:
    """Names of the stocks at the right end of their levels, kept apart."""
    heights = [float(np.log10(stock.y[0])) for stock in figure.stocks]
    for stock, height in zip(figure.stocks, spread_labels(heights, LABEL_GAP), strict=True):
        ax.annotate(stock.label, (1.01, 10**height), xycoords=("axes fraction", "data"),
                    color=FAINT, fontsize=7, va="center", annotation_clip=False)  # fmt: skip


def _level(name: str, x: np.ndarray, value: float, low: float | None, high: float | None) -> Line:
    """A horizontal line."""
    ones = np.ones(2)
    band = (NONE, NONE) if low is None or high is None else (low * ones, high * ones)
    return Line(name, np.asarray(x), value * ones, *band)
