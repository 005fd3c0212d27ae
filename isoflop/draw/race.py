"""Two recipes against what they spend: their losses, and the multiplier between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
from isoflop.draw.series import NONE, Array, AxisLabels, Line, Points, axis_labels, widen
from isoflop.draw.ticks import format_alike, log_ticks
from isoflop.fitting.fit import Fit
from isoflop.plan.race.loss_curve import LossCurve, loss_curve
from isoflop.plan.race.race import multiplier_interval
from isoflop.plan.race.values import Race
from isoflop.runs.table import RunTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 60
LARGEST_MULTIPLIER = 1e3
"""Where the band of a multiplier that may be infinite is cut."""
MARKS: tuple[dict[str, Any], ...] = (
    {"s": 7, "linewidths": 0},
    {"s": 16, "marker": "s", "facecolors": "none", "linewidths": 0.6, "zorder": 0.9},
)
"""Dots for A, open squares behind them for B: of two runs at one place both are seen."""
ABOVE: dict[str, Any] = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "ncols": 3}
"""A legend over its panel, so that it covers no curve."""
WORDS = {"flops": "compute", "n_params": "parameters", "n_tokens": "tokens"}
"""What may be spent."""


@dataclass(frozen=True)
class RaceFigure:
    """Losses of two recipes, and what A spends for the loss of B.

    Args:
        runs: measured runs of A and of B.
        curves: their fitted losses, with bands.
        multiplier: what A needs for B's loss over B's own, with its band.
        shared: lowest and highest amount at which both have runs.
        crossing: amount at which the losses are equal; NaN if nowhere near.
        variable: what is spent: flops, n_params or n_tokens.
        labels: names of the axes.
    """

    runs: tuple[Points, Points]
    curves: tuple[Line, Line]
    multiplier: Line
    shared: tuple[float, float]
    crossing: float
    variable: str
    labels: AxisLabels


def race_figure(
    race: Race, a: RunTable, b: RunTable, *, labels: AxisLabels | None = None
) -> RaceFigure:
    """Gather the curves of a race, from its smallest run to its largest budget.

    Args:
        race: the race.
        a: runs of recipe A.
        b: runs of recipe B.
        labels: names of the axes.
    """
    runs = tuple(_runs(t, race.variable, s) for t, s in ((a, "A"), (b, "B")))
    lowest = min(float(points.x.min()) for points in runs)
    highest = max(float(points.x.max()) for points in runs)
    x = np.geomspace(lowest, max(highest, *(lap.flops for lap in race.laps)), POINTS)
    grid = (x[0] / 1e4, x[-1] * 1e4)
    curves = tuple(loss_curve(fit, grid) for fit in race.fits)
    lines = tuple(
        _line(c, fit, x, s) for c, fit, s in zip(curves, race.fits, ("A", "B"), strict=True)
    )
    ends = [multiplier_interval(curves[0], curves[1], c, race.fits[0].level) for c in x]
    middle, low, high = (
        np.minimum([np.inf if e is None else e for e in part], LARGEST_MULTIPLIER)
        for part in zip(*ends, strict=True)
    )
    banded = ends[0][1] is not None
    return RaceFigure(
        runs=(runs[0], runs[1]),
        curves=(lines[0], lines[1]),
        multiplier=Line(
            f"A needs × {_plain(race.variable)}",
            x,
            middle,
            low if banded else NONE,
            high if banded else NONE,
        ),
        shared=race.shared,
        crossing=race.crossing.value if race.crossing else float("nan"),
        variable=race.variable,
        labels=labels or axis_labels(a),
    )


@house_style()
def draw_race(figure: RaceFigure, axes: "Sequence[Axes] | None" = None) -> "Figure":
    """Draw the losses, and the multiplier beside them.

    Args:
        figure: the data.
        axes: two panels of yours; a new figure if None.
    """
    if axes is None:
        _, axes = new_panels(2)
    limits = widen(figure.multiplier.x, 0.03)
    heights = np.concatenate(
        [part.y for part in (*figure.runs, *figure.curves)]
        + [end for line in figure.curves for end in (line.low, line.high)]
    )
    for points, line, colour, mark in zip(
        figure.runs, figure.curves, OKABE_ITO, MARKS, strict=False
    ):
        axes[0].scatter(points.x, points.y, color=colour, alpha=0.7, **mark)
        draw_line(axes[0], line, colour=colour)
    set_log_axis(axes[0], "x", figure.variable, figure.labels, limits=limits)
    set_log_axis(axes[0], "y", "loss", figure.labels, limits=widen(heights))
    axes[0].legend(**ABOVE)
    _draw_multiplier(axes[1], figure, limits)
    return figure_of(axes)


def _draw_multiplier(ax: "Axes", figure: RaceFigure, limits: tuple[float, float]) -> None:
    line = figure.multiplier
    low, high = figure.shared
    if low < high:
        ax.axvspan(low, high, color=FAINT, alpha=0.12, linewidth=0, label="both measured")
    ax.axhline(1, color=INK, linewidth=0.7)
    draw_line(ax, line, colour=OKABE_ITO[2])
    if limits[0] < figure.crossing < limits[1]:
        ax.plot([figure.crossing], [1], "o", color=INK, markersize=4, label="equal")
    set_log_axis(ax, "x", figure.variable, figure.labels, limits=limits)
    ends = widen(np.concatenate([line.y, line.low, line.high, [1.0]]), 0.08)
    ticks = log_ticks(*ends, most=6)
    ax.set_yscale("log")
    ax.set_ylim(*ends)
    ax.yaxis.set_ticks(ticks, labels=format_alike(ticks))
    ax.yaxis.set_ticks([], labels=[], minor=True)
    ax.set_ylabel(f"{_plain(figure.variable)} A needs for B's loss (×)")
    ax.legend(**ABOVE)


def _plain(variable: str) -> str:
    """Name what is spent in a word."""
    return WORDS.get(variable, variable.replace("_", " "))


def _runs(table: RunTable, variable: str, name: str) -> Points:
    if variable in table:
        x = table.numbers(variable)
    else:
        x = 6 * table.numbers("n_params") * table.numbers("n_tokens")
    keep = np.isfinite(x) & np.isfinite(table.numbers("loss"))
    names = tuple(n for n, ok in zip(table.names(), keep, strict=True) if ok)
    return Points(f"runs of {name}", x[keep], table.numbers("loss")[keep], NONE, names)


def _line(curve: LossCurve, fit: Fit, x: Array, name: str) -> Line:
    y = np.array([curve.loss_at(float(c)) for c in x])
    if not len(curve.draws):
        return Line(name, x, y, NONE, NONE)
    tails = (1 - fit.level) / 2, (1 + fit.level) / 2
    bands = [np.quantile(np.exp(curve.draws_at(float(c))), tails) for c in x]
    low, high = np.array(bands).T
    return Line(name, x, y, low, high)
