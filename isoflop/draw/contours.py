"""The loss surface of a joint law over compute and size, its valley floor, and the plans.

Legend: N parameters, D tokens, C FLOPs; a law of N and D knows compute only through what a token
costs, C = 6ND unless a `TokenCost` says otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from isoflop.base.errors import InputError
from isoflop.draw.canvas import (
    FAINT,
    INK,
    OKABE_ITO,
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
    widen,
)
from isoflop.draw.ticks import format_amount, format_plain, format_power
from isoflop.fitting.fit import Fit
from isoflop.plan.optimum.allocate import plan_from_fit
from isoflop.plan.optimum.plan import Plan
from isoflop.runs.cost import TokenCost
from isoflop.runs.table import RunTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GRID = (120, 120)
"""Points along compute and along size."""
FRONTIER_POINTS = 10
SIX_N = TokenCost()
N_CONTOURS = 11
_PLAN_COLOURS = (OKABE_ITO[1], OKABE_ITO[3], OKABE_ITO[4])


@dataclass(frozen=True)
class PlannedPoint:
    """One plan.

    Args:
        flops: the budget.
        n_params: N*.
        low: lower end of N*; NaN if there is no interval.
        high: upper end of N*; NaN if there is no interval.
        label: N* and D* in words.
    """

    flops: float
    n_params: float
    low: float
    high: float
    label: str


@dataclass(frozen=True)
class ContoursFigure:
    """Loss over the plane of compute and parameters.

    Args:
        flops: (m,) compute.
        n_params: (k,) parameters.
        loss: (k, m) loss of the law.
        levels: (l,) losses of the contours, from the lowest.
        runs: the runs, at the compute their N and D cost; coloured by loss.
        frontier: N* against compute, with its band.
        plans: the planned points.
        law: name of the law.
        cost: how compute follows from N and D, in words.
        labels: names of the axes.
    """

    flops: Array
    n_params: Array
    loss: Array
    levels: Array
    runs: Points
    frontier: Line
    plans: tuple[PlannedPoint, ...]
    law: str
    cost: str
    labels: AxisLabels


def contours_figure(
    fit: Fit,
    table: RunTable,
    *,
    plans: Sequence[Plan] = (),
    cost: TokenCost = SIX_N,
    labels: AxisLabels | None = None,
) -> ContoursFigure:
    """Evaluate a joint law over the plane that holds the runs and the plans.

    Args:
        fit: a fit of n_params and n_tokens.
        table: the runs it was made of.
        plans: to be marked.
        cost: FLOPs per token as a function of size.
        labels: names of the axes.

    Raises:
        InputError: a law of other variables.
        RefusalError: the fit has no optimum to draw.
    """
    if set(fit.law.variables) != {"n_params", "n_tokens"}:
        raise InputError(f"contours need a law of n_params and n_tokens, not {fit.law.name}")
    N, D, L = (table.numbers(name) for name in ("n_params", "n_tokens", "loss"))
    keep = complete_rows(N, D, L)
    names = tuple(name for name, ok in zip(table.names(), keep, strict=True) if ok)
    runs = Points("runs", (cost.flops_per_token(N) * D)[keep], N[keep], L[keep], names)
    points = tuple(_point(plan) for plan in plans)
    ends = widen(np.concatenate([runs.x, [point.flops for point in points]]), 0.05)
    flops = np.geomspace(*ends, GRID[0])
    frontier = _frontier(fit, np.geomspace(*ends, FRONTIER_POINTS), cost)
    sizes = np.concatenate([runs.y, [e for p in points for e in (p.n_params, p.low, p.high)]])
    n_params = np.geomspace(*widen(sizes, 0.08), GRID[1])
    loss = fit.law.predict(
        fit.theta,
        {
            "n_params": np.repeat(n_params, len(flops)),
            "n_tokens": (flops[None, :] / cost.flops_per_token(n_params)[:, None]).ravel(),
        },
    ).reshape(len(n_params), len(flops))
    return ContoursFigure(
        flops=flops,
        n_params=n_params,
        loss=loss,
        levels=_levels(loss, runs.colour_by),
        runs=runs,
        frontier=frontier,
        plans=points,
        law=fit.law.name,
        cost=str(cost),
        labels=labels or axis_labels(table),
    )


@house_style()
def draw_contours(figure: ContoursFigure, axes: "Sequence[Axes] | None" = None) -> "Figure":
    """Draw the contours, the runs coloured by loss, the frontier and the plans.

    Args:
        figure: the data.
        axes: one panel of yours; a new figure if None.
    """
    if axes is None:
        _, axes = new_panels(1, width=5.6, height=3.7)
    ax = axes[0]
    set_log_axis(ax, "x", "flops", figure.labels, limits=_ends(figure.flops))
    set_log_axis(ax, "y", "n_params", figure.labels, limits=_ends(figure.n_params))
    if figure.cost == str(SIX_N):
        ax.set_xlabel("compute 6ND (FLOPs)")
    lines = ax.contour(
        figure.flops,
        figure.n_params,
        figure.loss,
        levels=figure.levels,
        colors=ordered_colours(figure.levels),
        linewidths=0.8,
    )
    ax.clabel(lines, fmt=format_plain, fontsize=8, inline_spacing=2)
    ax.plot(figure.runs.x, figure.runs.y, "o", color=FAINT, markersize=3, label="runs")
    draw_line(ax, figure.frontier, colour=INK, width=1.6)
    for point, shade in zip(figure.plans, _PLAN_COLOURS * len(figure.plans), strict=False):
        _draw_plan(ax, point, shade)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return figure_of(axes)


def _point(plan: Plan) -> PlannedPoint:
    low = np.nan if plan.n_params.low is None else plan.n_params.low
    high = np.nan if plan.n_params.high is None else plan.n_params.high
    label = f"N* {format_amount(plan.n_params.value)}, D* {format_amount(plan.n_tokens.value)}"
    return PlannedPoint(plan.flops, plan.n_params.value, low, high, label)


def _frontier(fit: Fit, flops: Array, cost: TokenCost) -> Line:
    estimates = [plan_from_fit(fit, float(C), cost=cost).n_params for C in flops]
    y = np.array([estimate.value for estimate in estimates])
    low = np.array([np.nan if e.low is None else e.low for e in estimates])
    high = np.array([np.nan if e.high is None else e.high for e in estimates])
    if np.isnan(low).any():
        return Line("compute-optimal N*", flops, y, NONE, NONE)
    return Line("compute-optimal N*", flops, y, low, high)


def _levels(loss: Array, measured: Array) -> Array:
    """Round losses between the lowest of the plane and the highest measured."""
    low, high = float(loss.min()), float(min(np.max(measured) * 1.1, loss.max()))
    spaced = np.geomspace(low, high, N_CONTOURS + 2)[1:-1]
    step = np.diff(spaced).min()
    digits = int(np.clip(np.ceil(-np.log10(step / 2)), 1, 6))
    return np.unique(np.round(spaced, digits))


def _ends(grid: Array) -> tuple[float, float]:
    return float(grid[0]), float(grid[-1])


def _draw_plan(ax: "Axes", point: PlannedPoint, shade: str) -> None:
    """Mark a plan; what it says stands in the legend, where it hides no contour."""
    if np.isfinite(point.low) and np.isfinite(point.high):
        ax.plot([point.flops] * 2, [point.low, point.high], color=shade, linewidth=1.6, zorder=5)
    label = f"{format_power(float(f'{point.flops:.2e}'))} FLOPs: {point.label}"
    ax.plot(point.flops, point.n_params, "D", color=shade, markersize=5, zorder=6, label=label)
