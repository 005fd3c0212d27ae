"""IsoFLOP valleys and the line through their minima."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from isoflop.base.errors import InputError
from isoflop.draw.canvas import (
    OKABE_ITO,
    figure_of,
    house_style,
    new_panels,
    ordered_colours,
    set_log_axis,
)
from isoflop.draw.frontier_lines import FrontierData, draw_frontiers, frontier_data
from isoflop.draw.series import NONE, AxisLabels, Line, Points, widen
from isoflop.draw.ticks import format_power, spread_labels
from isoflop.fitting.frontiers.frontier import Frontier
from isoflop.fitting.frontiers.optima import Valley

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class ValleyData:
    """One budget.

    Args:
        flops: its compute.
        points: loss of its runs against their parameters.
        parabola: through them.
        n_opt: parameters at the minimum; NaN if it may not be used.
        loss_opt: loss there.
        verdict: "" if the minimum may be used, else why not.
    """

    flops: float
    points: Points
    parabola: Line
    n_opt: float
    loss_opt: float
    verdict: str


@dataclass(frozen=True)
class IsoflopFigure:
    """Valleys of one convention, frontiers of one or several.

    Args:
        valleys: one a budget, smallest first; none for an envelope.
        frontiers: one a convention.
        labels: names of the axes.
    """

    valleys: tuple[ValleyData, ...]
    frontiers: tuple[FrontierData, ...]
    labels: AxisLabels


def isoflop_figure(
    frontier: Frontier,
    *,
    conventions: Mapping[str, Frontier] | None = None,
    reach: float = 1.0,
    labels: AxisLabels | None = None,
) -> IsoflopFigure:
    """Gather the valleys of a frontier, and N*(C) under every convention given.

    Args:
        frontier: the one whose valleys are shown.
        conventions: {name: frontier} for the second panel; `frontier` alone if None.
        reach: multiple of the largest compute up to which the lines are drawn.
        labels: names of the axes.

    Raises:
        InputError: a reach below one.
    """
    if not reach >= 1:
        raise InputError(f"reach multiplies the largest compute, so it is 1 or more, not {reach:g}")
    chosen = conventions or {frontier.convention: frontier}
    return IsoflopFigure(
        valleys=tuple(_valley(v) for v in sorted(frontier.valleys, key=lambda v: v.flops)),
        frontiers=tuple(frontier_data(name, f, reach) for name, f in chosen.items()),
        labels=labels or AxisLabels(),
    )


@house_style()
def draw_isoflop(figure: IsoflopFigure, axes: "Sequence[Axes] | None" = None) -> "Figure":
    """Draw the valleys, then N* against C.

    Args:
        figure: the data.
        axes: two panels of yours, one where there are no valleys; a new figure if None.
    """
    n_panels = 2 if figure.valleys else 1
    if axes is None:
        width = 7.0 if n_panels == 2 else 4.2
        _, axes = new_panels(n_panels, width=width, height=3.2)
    if figure.valleys:
        _draw_valleys(axes[0], figure)
    draw_frontiers(axes[-1], figure.frontiers, figure.labels)
    return figure_of(axes)


def _valley(valley: Valley) -> ValleyData:
    grid = np.geomspace(*widen(valley.n_params, 0.03), 60)
    usable = not valley.verdict
    return ValleyData(
        flops=valley.flops,
        points=Points("runs", valley.n_params, valley.loss, NONE),
        parabola=Line("parabola", grid, valley.curve(grid), NONE, NONE),
        n_opt=valley.n_opt if usable else float("nan"),
        loss_opt=valley.loss_opt if usable else float("nan"),
        verdict=valley.verdict,
    )


def _draw_valleys(ax: "Axes", figure: IsoflopFigure) -> None:
    shades = ordered_colours(np.array([valley.flops for valley in figure.valleys]))
    x = np.concatenate([valley.points.x for valley in figure.valleys])
    y = np.concatenate([valley.points.y for valley in figure.valleys])
    for valley, shade in zip(figure.valleys, shades, strict=True):
        usable = not valley.verdict
        face = shade if usable else "none"
        ax.scatter(valley.points.x, valley.points.y, s=11, c=face, edgecolors=shade, linewidths=0.8)
        style = "-" if usable else ":"
        ax.plot(valley.parabola.x, valley.parabola.y, style, color=shade, linewidth=1.0)
        if usable:
            ax.plot(valley.n_opt, valley.loss_opt, "*", color=OKABE_ITO[1], markersize=8, zorder=5)
    low, high = widen(x, 0.05)
    set_log_axis(
        ax, "x", "n_params", figure.labels, limits=(low, high * (high / low) ** 0.24), most=4
    )
    set_log_axis(ax, "y", "loss", figure.labels, limits=widen(y, 0.07))
    _label_valleys(ax, figure.valleys, shades)
    _explain_valleys(ax, figure.valleys)


def _label_valleys(ax: "Axes", valleys: Sequence[ValleyData], shades: Sequence[str]) -> None:
    """Write each budget at the right end of its curve, moved apart where they would touch."""
    low, high = np.log(ax.get_ylim())
    span = high - low
    wanted = [float((np.log(v.parabola.y[-1]) - low) / span) for v in valleys]
    placed = spread_labels([min(max(y, 0.03), 0.97) for y in wanted], 0.062)
    edge = max(v.parabola.x[-1] for v in valleys)
    for valley, y, shade in zip(valleys, placed, shades, strict=True):
        text = format_power(float(f"{valley.flops:.2g}"))
        ax.annotate(
            text,
            (edge, float(np.exp(low + span * y))),
            xytext=(4, 0),
            textcoords="offset points",
            color=shade,
            va="center",
            fontsize=8,
        )


_BUDGETS = "beside each valley: its C in FLOPs"


def _explain_valleys(ax: "Axes", valleys: Sequence[ValleyData]) -> None:
    ax.plot([], [], "*", color=OKABE_ITO[1], markersize=8, label="minimum")
    for verdict in sorted({valley.verdict for valley in valleys} - {""}):
        ax.plot(
            [],
            [],
            "o:",
            color="#666666",
            markerfacecolor="none",
            label=fill(f"unused: {verdict}", 36),
        )
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=1, title=_BUDGETS)
