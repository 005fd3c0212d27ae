"""One forecast's error against a ladder's compute: its lines, and their drawing.

Legend: C FLOPs of all runs of a ladder; errors are standard errors of the forecast at one target.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from isoflop.base.estimate import shorten
from isoflop.draw.canvas import FAINT, INK, OKABE_ITO, draw_line, set_log_axis
from isoflop.draw.series import NONE, Array, AxisLabels, Line, widen
from isoflop.draw.ticks import format_alike, log_ticks
from isoflop.plan.design.equal_grid import GRID_BUDGETS, GRID_SIZES

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class ErrorPanel:
    """One forecast's error against the ladder's compute.

    Args:
        designed: error by the designed ladder, %.
        grid: by an equal-spaced IsoFLOP grid of the same compute, %.
        before: by the runs so far, %; NaN if nothing has been trained.
        at_budget: error of the grid at the budget, %.
        reached: least compute drawn at which the designed ladder errs no more; NaN for nowhere.
        at_edge: whether that is the smallest ladder drawn, so that less may do.
        axis: name and unit of the error.
    """

    designed: Line
    grid: Line
    before: float
    at_budget: float
    reached: float
    at_edge: bool
    axis: str


def draw_error_panel(ax: "Axes", panel: ErrorPanel, budget: float, labels: AxisLabels) -> None:
    """Draw both errors, and the arrow from the budget to where the design reaches the grid's."""
    x = panel.designed.x
    draw_line(ax, panel.grid, colour=OKABE_ITO[1], width=1.6)
    draw_line(ax, panel.designed, colour=OKABE_ITO[0], width=1.6)
    if np.isfinite(panel.before):
        ax.axhline(panel.before, color=FAINT, linewidth=1.0, linestyle="--", label="runs so far")
    ax.axvline(budget, color=INK, linewidth=0.7, linestyle=":", label="budget")
    ax.plot(budget, panel.at_budget, "o", color=OKABE_ITO[1], zorder=5)
    if np.isfinite(panel.reached) and panel.reached < budget:
        ax.annotate("", (panel.reached, panel.at_budget), (budget, panel.at_budget),
                    arrowprops={"arrowstyle": "->", "color": INK, "shrinkA": 3,
                                "shrinkB": 0})  # fmt: skip
    before = [panel.before] if np.isfinite(panel.before) else []
    heights = np.concatenate([panel.designed.y, panel.grid.y, before])
    set_log_axis(ax, "x", "flops", labels, limits=(float(x[0]), float(x[-1])))
    limits = widen(heights, 0.1)
    ticks = log_ticks(*limits, most=6)
    ax.set_yscale("log")
    ax.set_ylim(*limits)
    ax.yaxis.set_ticks(ticks, labels=format_alike(ticks))
    ax.yaxis.set_ticks([], labels=[], minor=True)
    ax.set_ylabel(panel.axis)


def say_saving(panel: ErrorPanel, budget: float) -> str:
    """What the arrow says, in words."""
    if not panel.reached < budget:
        return "no less compute reaches the grid's error"
    factor = f"{shorten(budget / panel.reached, digits=2)}×"
    return f"{'over ' * panel.at_edge}{factor} less compute for the grid's error"


def error_panel(
    name: str, budgets: Array, designed: Line, grid: Array, before: float, at_budget: float
) -> ErrorPanel:
    """Hold the designed error (%) at every budget against the grid's, there and at the budget."""
    reached, at_edge = _reach(budgets, designed.y, at_budget)
    words = f"equal-spaced grid, {GRID_BUDGETS} × {GRID_SIZES} runs"
    return ErrorPanel(
        designed=designed,
        grid=Line(words, budgets, grid, NONE, NONE),
        before=float(before),
        at_budget=float(at_budget),
        reached=reached,
        at_edge=at_edge,
        axis=f"standard error, {'loss' if name == 'loss' else 'optimal size'} (%)",
    )


def _reach(budgets: Array, errors: Array, wanted: float) -> tuple[float, bool]:
    """Least compute at which an error is reached, interpolated in logs; NaN for nowhere."""
    enough = np.flatnonzero(errors <= wanted)
    if not len(enough):
        return np.nan, False
    first = int(enough[0])
    if first == 0:
        return float(budgets[0]), True
    rows = [first, first - 1]  # errors fall between the two
    at = np.interp(np.log(wanted), np.log(errors[rows]), np.log(budgets[rows]))
    return float(np.exp(at)), False
