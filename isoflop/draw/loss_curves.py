"""Loss against parameters, tokens and compute, with the fitted laws."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from isoflop.base.errors import InputError
from isoflop.draw.canvas import (
    FAINT,
    INK,
    draw_line,
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
    Line,
    Points,
    axis_labels,
    complete_rows,
    count_levels,
    flops_per_param_token,
    law_line,
    pick_levels,
    widen,
)
from isoflop.draw.ticks import format_amount
from isoflop.fitting.fit import Fit
from isoflop.runs.table import RunTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOUR_BY: Mapping[str, str] = {
    "n_params": "n_tokens",
    "n_tokens": "n_params",
    "flops": "n_params",
}
"""What the colour of a panel's points shows, by the panel's variable."""
_SYMBOL: Mapping[str, str] = {"n_params": "N", "n_tokens": "D", "flops": "C"}


@dataclass(frozen=True)
class LossPanel:
    """One panel: loss against one variable.

    Args:
        variable: column on the x axis.
        colour_by: column shown by colour, "" if the table lacks it.
        points: the runs.
        slices: the joint law at a few fixed values of `colour_by`.
        at: (n_slices,) those values.
        single: the one-variable law, if it was fitted.
    """

    variable: str
    colour_by: str
    points: Points
    slices: tuple[Line, ...]
    at: Array
    single: Line | None


@dataclass(frozen=True)
class LossCurvesFigure:
    """Loss against each recorded variable.

    Args:
        panels: one a variable that the table has and that varies.
        labels: names of the axes.
    """

    panels: tuple[LossPanel, ...]
    labels: AxisLabels


def loss_curves_figure(
    table: RunTable,
    *,
    joint: Fit | None = None,
    singles: Mapping[str, Fit] | None = None,
    labels: AxisLabels | None = None,
) -> LossCurvesFigure:
    """Gather loss against N, D and C.

    Args:
        table: the runs.
        joint: a law of n_params and n_tokens; drawn at a few fixed sizes and token counts.
        singles: {label such as "L(N) at D = 2.5e6": one-variable fit}.
        labels: names of the axes.

    Raises:
        InputError: the table has none of n_params, n_tokens and flops.

    >>> rows = [{"n_params": 10.0**k, "loss": 4.0 / k} for k in (6, 7, 8)]
    >>> figure = loss_curves_figure(RunTable.from_records(rows))
    >>> [panel.variable for panel in figure.panels]
    ['n_params']
    """
    by_variable = {fit.law.variables[0]: (name, fit) for name, fit in (singles or {}).items()}
    panels = tuple(
        _panel(table, variable, joint, by_variable.get(variable))
        for variable in COLOUR_BY
        if variable in table and np.ptp(_finite(table.numbers(variable))) > 0
    )
    if not panels:
        raise InputError(f"{table.source}: no column of n_params, n_tokens, flops varies")
    return LossCurvesFigure(panels, labels or axis_labels(table))


@house_style()
def draw_loss_curves(figure: LossCurvesFigure, axes: "Sequence[Axes] | None" = None) -> "Figure":
    """Draw the panels side by side on one loss axis.

    Args:
        figure: the data.
        axes: one panel of yours for each of `figure.panels`; a new figure if None.
    """
    if axes is None:
        _, axes = new_panels(len(figure.panels), share_y=True, height=3.3)
    losses = np.concatenate([panel.points.y for panel in figure.panels])
    for k, (ax, panel) in enumerate(zip(axes, figure.panels, strict=True)):
        _draw_panel(ax, panel)
        set_log_axis(ax, "x", panel.variable, figure.labels, limits=widen(panel.points.x), most=4)
        set_log_axis(ax, "y", "loss", figure.labels, limits=widen(losses, 0.08))
        if k:
            ax.set_ylabel("")
    return figure_of(axes)


def _panel(
    table: RunTable, variable: str, joint: Fit | None, single: tuple[str, Fit] | None
) -> LossPanel:
    x, loss = table.numbers(variable), table.numbers("loss")
    colour_by = COLOUR_BY[variable] if COLOUR_BY[variable] in table else ""
    keep = complete_rows(x, loss)
    colours = table.numbers(colour_by)[keep] if colour_by else NONE
    names = tuple(name for name, ok in zip(table.names(), keep, strict=True) if ok)
    grid = np.geomspace(*widen(x[keep]), 60)
    drawable = bool(colour_by) and joint is not None
    drawable = drawable and set(joint.law.variables) == {"n_params", "n_tokens"}  # type: ignore[union-attr]
    at = pick_levels(colours) if drawable else NONE
    slices = tuple(_slice(table, joint, variable, grid, value) for value in at if joint)
    points = Points("runs", x[keep], loss[keep], colours, names)
    line = _single(*single, variable, x[keep]) if single else None
    return LossPanel(variable, colour_by, points, slices, at, line)


def _slice(table: RunTable, joint: Fit, variable: str, grid: Array, value: float) -> Line:
    """The joint law along x with the other variable held."""
    held = np.full_like(grid, value)
    if variable == "n_params":
        variables = {"n_params": grid, "n_tokens": held}
    elif variable == "n_tokens":
        variables = {"n_params": held, "n_tokens": grid}
    else:
        variables = {"n_params": held, "n_tokens": grid / (held * _cost(table, value))}
    symbol = _SYMBOL[COLOUR_BY[variable]]
    return law_line(joint, variables, grid, label=f"{symbol} = {format_amount(value)}")


def _cost(table: RunTable, n_params: float) -> float:
    """C/(N·D) of the runs of one size: small models spend more on their embeddings."""
    return flops_per_param_token(table.select(table.numbers("n_params") == n_params))


def _single(label: str, fit: Fit, variable: str, x: Array) -> Line:
    low, high = fit.data.ranges.get(variable, (x.min(), x.max()))
    grid = np.geomspace(low, high, 60)
    return law_line(fit, {variable: grid}, grid, label=label)


def _draw_panel(ax: "Axes", panel: LossPanel) -> None:
    colours: list[str] | str = FAINT
    if panel.colour_by:
        colours = ordered_colours(panel.points.colour_by)
    crowd = 4.0 if len(panel.points.x) > 100 else 9.0
    ax.scatter(panel.points.x, panel.points.y, s=crowd, c=colours, linewidths=0, zorder=3)
    shades = ordered_colours(panel.at, within=panel.points.colour_by) if len(panel.at) else []
    for line, shade in zip(panel.slices, shades, strict=True):
        ax.plot(line.x, line.y, color=shade, linewidth=0.9, label=line.label)
    if panel.single is not None:
        draw_line(ax, panel.single, colour=INK, width=1.4)
    _draw_key(ax, panel)


def _draw_key(ax: "Axes", panel: LossPanel) -> None:
    """The lines, above the panel so that no run is covered."""
    handles, names = ax.get_legend_handles_labels()
    if not handles:
        return
    if panel.single is not None:
        names[-1] = names[-1].replace(" at ", " at\n").replace(" on ", " on\n")
    of_all = count_levels(panel.at, panel.points.colour_by) if len(panel.at) else ""
    title = f"at {of_all} values of {_SYMBOL[panel.colour_by]}" if of_all else None
    ax.legend(handles, names, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, title=title)


def _finite(values: Array) -> Array:
    kept = values[np.isfinite(values)]
    return kept if len(kept) else np.zeros(1)
