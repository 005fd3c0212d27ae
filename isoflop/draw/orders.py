"""Orders of magnitude to human level: one row a task, one mark a form, with intervals.

A hollow mark has no interval: the scores do not determine its form.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from isoflop.base.errors import InputError
from isoflop.base.estimate import Estimate
from isoflop.draw.canvas import FAINT, INK, OKABE_ITO, figure_of, house_style, new_panels
from isoflop.draw.series import Line
from isoflop.draw.ticks import format_amount
from isoflop.plan.forecast.orders import GROUPS, Orders
from isoflop.plan.forecast.score_forms import SCORE_FORMS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW_HEIGHT = 0.58
"""Inches."""
LEFT = -3.0
"""Orders at which the axis begins, unless a mark lies lower."""
RIGHT = GROUPS["maybe"]
"""Orders at which it ends; marks beyond are written at the edge."""
MARKS = "osD^"
WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 0.0}
"""Behind text that an interval may run into."""


@dataclass(frozen=True, eq=False)
class OrdersFigure:
    """Tasks by their distance from human level.

    Args:
        tasks: names, nearest first.
        groups: group of each.
        forms: a form's orders of magnitude y, with interval, at row x; infinite for never, and
            at ends that an interval does not have.
        origin: what zero is, such as the largest size measured.
    """

    tasks: tuple[str, ...]
    groups: tuple[str, ...]
    forms: tuple[Line, ...]
    origin: str


def orders_figure(orders: Orders) -> OrdersFigure:
    """Collect the marks of an OOM chart.

    Args:
        orders: from `measure_orders`.

    Raises:
        InputError: no task.
    """
    if not orders.tasks:
        raise InputError("no task to draw")
    largest = sorted({task.series.largest for task in orders.tasks})
    sizes = " or ".join(format_amount(size) for size in largest[-2:])
    unit = "parameters" if orders.variable == "n_params" else orders.variable.replace("_", " ")
    return OrdersFigure(
        tasks=tuple(task.series.name for task in orders.tasks),
        groups=tuple(task.group for task in orders.tasks),
        forms=tuple(_marks(name, orders) for name in SCORE_FORMS),
        origin=f"orders of magnitude of {unit} beyond {sizes}",
    )  # fmt: skip


@house_style()
def draw_orders(figure: OrdersFigure, axes: "Sequence[Axes] | None" = None) -> "Figure":
    """Draw the chart.

    Args:
        figure: its data.
        axes: one panel of your own.
    """
    n_rows = len(figure.tasks)
    if axes is None:
        _, axes = new_panels(1, height=1.1 + ROW_HEIGHT * n_rows)
    ax = axes[0]
    lowest = min(float(form.y[np.isfinite(form.y)].min(initial=0.0)) for form in figure.forms)
    left = min(LEFT, np.floor(lowest) - 0.5)
    _draw_groups(ax, figure, left)
    for place, form in enumerate(figure.forms):
        _draw_form(ax, form, place, len(figure.forms), left)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set_xlim(left, RIGHT)
    ax.set_ylim(n_rows - 0.5, -0.5)
    ax.yaxis.set_ticks(range(n_rows), labels=list(figure.tasks))
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(figure.origin)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(figure.forms))
    return figure_of(axes)


def _draw_form(ax: "Axes", form: Line, place: int, n_forms: int, left: float) -> None:
    """One form's marks, its intervals, and arrows for what lies beyond the axis."""
    colour, mark = OKABE_ITO[place], MARKS[place % len(MARKS)]
    rows = form.x + 0.7 * ((place + 0.5) / n_forms - 0.5)
    inside, sure = form.y < RIGHT, ~np.isnan(form.low)
    for shown, fill in ((inside & ~sure, "white"), (inside & sure, colour)):
        ax.plot(form.y[shown], rows[shown], mark, color=colour, markerfacecolor=fill)
    ax.plot([], [], mark, color=colour, label=form.label)
    for row, value, low, high in zip(rows, form.y, form.low, form.high, strict=True):
        if np.isfinite(value) and not (np.isnan(low) or np.isnan(high)):
            ends = np.clip([low, high], left, RIGHT)
            ax.plot(ends, [row, row], "-", color=colour, linewidth=1.0)
        if not value < RIGHT:
            text = "never" if not np.isfinite(value) else f"{value:.0f}"
            ax.annotate(f"{text} ▸", (RIGHT, row), color=colour, ha="right", va="center",
                        fontsize=6, bbox=WHITE)  # fmt: skip


def _draw_groups(ax: "Axes", figure: OrdersFigure, left: float) -> None:
    """A rule between groups, and their names at the right."""
    for row, group in enumerate(figure.groups):
        if row and group != figure.groups[row - 1]:
            ax.axhline(row - 0.5, color=FAINT, linewidth=0.6, linestyle=":")
        if row == 0 or group != figure.groups[row - 1]:
            ax.annotate(group, (1.01, row), xycoords=("axes fraction", "data"), color=FAINT,
                        va="center", annotation_clip=False)  # fmt: skip


def _marks(name: str, orders: Orders) -> Line:
    """A form's mark in every row; NaN ends where the scores do not determine it."""
    found = [task.orders[name] for task in orders.tasks]
    sure = [not task.curves[name].reason for task in orders.tasks]
    y = np.array([np.inf if each is None else each.value for each in found])
    low, high = (
        np.array([_end(each, side) if ok else np.nan for each, ok in zip(found, sure, strict=True)])
        for side in (-1, +1)
    )
    return Line(name, np.arange(len(y), dtype=float), y, low, high)


def _end(estimate: Estimate | None, side: int) -> float:
    if estimate is None:
        return np.nan
    end = estimate.low if side < 0 else estimate.high
    return side * np.inf if end is None else end
