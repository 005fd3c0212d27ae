"""What a law leaves unexplained, against each of its variables."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoflop.base.errors import InputError
from isoflop.draw.canvas import (
    FAINT,
    INK,
    figure_of,
    house_style,
    new_panels,
    ordered_colours,
    set_log_axis,
)
from isoflop.draw.series import (
    NONE,
    Array,
    AxisLabels,
    Points,
    axis_labels,
    complete_rows,
    count_levels,
    pick_levels,
    widen,
)
from isoflop.draw.ticks import format_amount
from isoflop.fitting.fit import Fit
from isoflop.runs.table import RunTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EDGE = 1.12
"""Where the axis ends, over the largest residual of a run with a say."""


@dataclass(frozen=True)
class ResidualPanel:
    """Residuals against one variable.

    Args:
        variable: column on the x axis.
        points: residuals in % of the loss, predicted − measured; coloured by parameters.
    """

    variable: str
    points: Points


@dataclass(frozen=True)
class ResidualsFigure:
    """Residuals against each variable of a law.

    Args:
        panels: one a variable.
        rms: root mean square of the residuals of the runs that have a say in the fit, %.
        reach: largest of those residuals, %, either way: where the axis ends but for a margin.
        n_beyond: runs beyond, set aside by the fit, which are drawn at the edge.
        law: name of the law.
        labels: names of the axes.
    """

    panels: tuple[ResidualPanel, ...]
    rms: float
    reach: float
    n_beyond: int
    law: str
    labels: AxisLabels


def residuals_figure(
    fit: Fit, table: RunTable, *, labels: AxisLabels | None = None
) -> ResidualsFigure:
    """Compute the residuals of the runs of a table.

    Args:
        fit: the fit.
        table: runs with the law's variables and the loss; rows that lack one are left out.
        labels: names of the axes.

    Raises:
        InputError: no row has them all.
    """
    needed = (*fit.law.variables, "loss")
    values = {name: table.numbers(name) for name in needed}
    keep = complete_rows(*values.values())
    if not keep.any():
        raise InputError(f"{table.source}: no row records all of {', '.join(needed)}")
    kept = table.select(keep)
    variables = {name: kept.numbers(name) for name in fit.law.variables}
    predicted, measured = fit.law.predict(fit.theta, variables), kept.numbers("loss")
    log_ratio = np.log(predicted) - np.log(measured)
    counts = _has_say(fit, predicted, measured)
    sizes_of = np.abs(100 * np.expm1(log_ratio))
    reach = float(sizes_of[counts].max())
    sizes = kept.numbers("n_params") if "n_params" in kept else NONE
    names = tuple(kept.names())
    panels = tuple(
        ResidualPanel(name, Points("residuals", x, 100 * np.expm1(log_ratio), sizes, names))
        for name, x in variables.items()
    )
    return ResidualsFigure(
        panels=panels,
        rms=100 * float(np.sqrt(np.mean(log_ratio[counts] ** 2))),
        reach=reach,
        n_beyond=int(np.sum(sizes_of > EDGE * reach)),
        law=fit.law.name,
        labels=labels or axis_labels(table),
    )


def _has_say(fit: Fit, predicted: Array, measured: Array) -> NDArray[np.bool_]:
    """Mark the runs that a robust fit has not set aside; all of them if it has, or any other."""
    objective = fit.objective
    residuals = np.abs(objective.enter(predicted) - objective.enter(measured))
    counts = residuals <= (objective.threshold if objective.kind == "robust" else np.inf)
    return counts if counts.any() else np.ones(len(counts), dtype=bool)


@house_style()
def draw_residuals(figure: ResidualsFigure, axes: "Sequence[Axes] | None" = None) -> "Figure":
    """Draw one panel a variable, with a band of one RMS.

    Args:
        figure: the data.
        axes: as many panels of yours as `figure.panels`; a new figure if None.
    """
    if axes is None:
        width = 7.0 if len(figure.panels) > 1 else 4.2
        _, axes = new_panels(len(figure.panels), share_y=True, height=2.6, width=width)
    edge = EDGE * figure.reach or 1.0
    for ax, panel in zip(axes, figure.panels, strict=True):
        _draw_panel(ax, panel, figure.rms, edge)
        set_log_axis(ax, "x", panel.variable, figure.labels, limits=widen(panel.points.x))
        ax.set_ylim(-edge, edge)
    axes[0].set_ylabel("predicted − measured (%)")
    _draw_key(axes[-1], figure)
    return figure_of(axes)


def _draw_panel(ax: "Axes", panel: ResidualPanel, rms: float, edge: float) -> None:
    ax.axhspan(-rms, rms, color=FAINT, alpha=0.15, linewidth=0)
    ax.axhline(0, color=INK, linewidth=0.7)
    sizes = panel.points.colour_by
    shades: list[str] | str = ordered_colours(sizes) if len(sizes) else FAINT
    crowd = 6.0 if len(panel.points.x) > 100 else 14.0
    ax.scatter(panel.points.x, panel.points.y, s=crowd, c=shades, linewidths=0, zorder=3)
    for side, mark in ((1.0, "^"), (-1.0, "v")):
        beyond = side * panel.points.y > edge
        at = np.full(int(beyond.sum()), 0.96 * side * edge)
        ax.scatter(panel.points.x[beyond], at, s=18, marker=mark, color=INK, linewidths=0, zorder=4)


def _draw_key(ax: "Axes", figure: ResidualsFigure) -> None:
    """The sizes and the RMS, outside the panels so that no point is covered."""
    sizes = figure.panels[0].points.colour_by
    if len(sizes):
        levels = pick_levels(sizes)
        for level, shade in zip(levels, ordered_colours(levels, within=sizes), strict=True):
            ax.scatter([], [], s=14, c=shade, linewidths=0, label=format_amount(level))
    ax.fill_between(
        [], [], [], color=FAINT, alpha=0.3, linewidth=0, label=f"RMS {figure.rms:.2f} %"
    )
    if figure.n_beyond:
        farthest = max(float(np.abs(panel.points.y).max()) for panel in figure.panels)
        said = f"{figure.n_beyond} set aside,\nup to {farthest:.2g} % off"
        ax.scatter([], [], s=18, marker="v", color=INK, linewidths=0, label=said)
    of_all = count_levels(pick_levels(sizes), sizes)
    title = f"parameters\n({of_all} sizes)" if of_all else "parameters" if len(sizes) else None
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), title=title)
