"""The cost of being off: what a model of another size than the optimum costs.

Legend: N parameters, N* the optimum of a budget, L loss.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.base.estimate import Estimate
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
from isoflop.draw.series import NONE, Array, AxisLabels, Line
from isoflop.draw.ticks import format_amount, format_power
from isoflop.laws.kaplan import KaplanStepsLaw
from isoflop.plan.constants import estimate_from, take_constants
from isoflop.plan.kaplan.wrong_size import EXCESS, compute_ratio, price_wrong_size, smallest_ratio
from isoflop.plan.lifetime.off_optimum import price_off_optimum
from isoflop.plan.optimum.choose import AnyLaw

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 81
"""Odd, so that the optimum is among them."""
WIDEST = 8.0
"""Sizes drawn, as a factor above and below the optimum."""
DEAREST = 4.0
"""Compute, times the least, at which the axis ends."""


@dataclass(frozen=True, eq=False)
class OffPanel:
    """One cost of being off.

    Args:
        cost: against N/N*, with its interval.
        axis: name and unit of the cost.
        best: its value at the optimum.
    """

    cost: Line
    axis: str
    best: float


@dataclass(frozen=True, eq=False)
class OffOptimumFigure:
    """What sizes off the optimum cost.

    Args:
        panels: one cost each.
        excess: extra compute that the shaded sizes need at most, such as .2.
        within: smallest and largest of those sizes, as factors of the optimum.
        optimum: ends of N* over its best value; NaN where no interval is known.
        title: law, budget and optimum, in words.
        axis: name of the axis of sizes.
    """

    panels: tuple[OffPanel, OffPanel]
    excess: float
    within: tuple[float, float]
    optimum: tuple[float, float]
    title: str
    axis: str


def off_optimum_figure(
    law: AnyLaw | str, flops: float, *, excess: float = EXCESS
) -> OffOptimumFigure:
    """Loss that sizes off a budget's optimum lose, and compute that would make up for it.

    The intervals are those of `price_off_optimum`: each draw of a fit is measured around its own
    optimum, and that of the optimum itself is drawn apart.

    Args:
        law: a fit of n_params and n_tokens, a published law, or the name or file of one.
        flops: the budget, spent as C = 6ND.
        excess: extra compute of the shaded sizes.

    Raises:
        InputError: an amount that is not positive, or a law of other variables.
        RefusalError: a law without an optimum.

    >>> figure = off_optimum_figure("besiroglu-2024", 1e21)
    >>> [round(end, 2) for end in figure.within]
    [0.53, 2.25]
    """
    ratios = np.geomspace(1 / WIDEST, WIDEST, POINTS)
    found = price_off_optimum(flops, law, ratios=[float(r) for r in ratios], excess=excess)
    constants = take_constants(law, reads="n_params,n_tokens")
    best = found.table[POINTS // 2].n_params
    level = f", {100 * best.level:.0f} % intervals" if best.low is not None else ""
    return OffOptimumFigure(
        panels=(
            OffPanel(
                _line("extra loss", ratios, [row.penalty for row in found.table]),
                f"extra loss ({constants.loss_unit})",
                0.0,
            ),
            OffPanel(
                _line("compute", ratios, [row.equal_flops for row in found.table]),
                "compute for the loss of N* (×)",
                1.0,
            ),
        ),
        excess=excess,
        within=(found.smallest.value, found.largest.value),
        optimum=_ends(best),
        title=f"{constants.name} at {format_power(float(f'{flops:.3g}'))} FLOPs{level}"
        f"\nN* {best} parameters",
        axis=f"model size N over N* = {format_amount(best.value)}",
    )


def wrong_size_figure(
    law: AnyLaw | str = "kaplan-2020-ns", *, excess: float = EXCESS
) -> OffOptimumFigure:
    """Compute and serial steps of other sizes for the same loss (Kaplan et al. 2020, figure 12).

    Args:
        law: a `kaplan-ns` fit, a published one, or the name or file of one.
        excess: extra compute of the shaded sizes.

    Raises:
        InputError: an excess that is not positive, or a law of another form.

    >>> [round(end, 3) for end in wrong_size_figure().within]
    [0.577, 2.183]
    """
    priced = price_wrong_size(1.0, law, excess=excess)
    constants = take_constants(law, KaplanStepsLaw)
    lowest = float(smallest_ratio(constants.theta[None])[0])
    ratios = np.geomspace(max(1.02 * lowest, 1 / WIDEST), WIDEST, POINTS)

    def line(label: str, power: float) -> Line:
        found = [
            estimate_from(lambda rows, r=r: compute_ratio(rows, r) / r**power, constants)
            for r in ratios
        ]
        return _line(label, ratios, found)

    return OffOptimumFigure(
        panels=(
            OffPanel(line("compute", 0), "compute for the same loss (×)", 1.0),
            OffPanel(line("serial steps", 1), "serial steps for the same loss (×)", 1.0),
        ),
        excess=excess,
        within=(priced.smallest.value, priced.largest.value),
        optimum=(np.nan, np.nan),
        title=f"{constants.name}, at any one loss",
        axis="model size N over the compute-efficient one",
    )


@house_style()
def draw_off_optimum(figure: OffOptimumFigure, axes: "Sequence[Axes] | None" = None) -> "Figure":
    """Draw both costs over the sizes that waste little.

    Args:
        figure: the data.
        axes: two panels of yours; a new figure if None.
    """
    if axes is None:
        _, axes = new_panels(2)
    for ax, panel, colour in zip(axes, figure.panels, OKABE_ITO, strict=False):
        _draw_panel(ax, panel, figure, colour)
    axes[0].set_title(figure.title, loc="left", fontsize=8.5)
    axes[1].legend(*_shading(axes[1]), loc="lower left", bbox_to_anchor=(0.0, 1.0))
    return figure_of(axes)


def _draw_panel(ax: "Axes", panel: OffPanel, figure: OffOptimumFigure, colour: str) -> None:
    x = panel.cost.x
    low, high = figure.within
    words = f"at most {100 * figure.excess:g} % more compute: ×{low:.3g} to ×{high:.3g}"
    ax.axvspan(low, high, color=FAINT, alpha=0.15, linewidth=0, label=words)
    if np.isfinite(figure.optimum).all():
        ax.plot(figure.optimum, [panel.best] * 2, color=INK, linewidth=3, solid_capstyle="butt",
                clip_on=False, zorder=5, label="interval of N*")  # fmt: skip
    ax.axvline(1, color=INK, linewidth=0.7)
    draw_line(ax, panel.cost, colour=colour, width=1.6)
    top = float(np.nanmax(panel.cost.y[np.isfinite(panel.cost.y)]))
    top = min(top, DEAREST) if panel.best == 1.0 else top
    margin = 0.04 * (top - panel.best)
    lowest = min(panel.best, float(panel.cost.y.min()))
    set_log_axis(ax, "x", "ratio", AxisLabels(), limits=(float(x[0]), float(x[-1])), most=8)
    ax.set_xlabel(figure.axis)
    ax.set_ylim(lowest - margin, top + margin)
    ax.set_ylabel(panel.axis)


def _shading(ax: "Axes") -> tuple[list[Any], list[str]]:
    """Legend of what is not a line of costs: those are named by their axes."""
    pairs = list(zip(*ax.get_legend_handles_labels(), strict=True))
    kept = [pair for pair in pairs if pair[1].startswith(("at most", "interval"))]
    return [handle for handle, _ in kept], [label for _, label in kept]


def _line(label: str, x: Array, found: Sequence[Estimate]) -> Line:
    """A line with its band, which is the line itself where an interval has no end."""
    y = np.array([each.value for each in found])
    if all(each.low is None for each in found):
        return Line(label, x, y, NONE, NONE)
    low, high = (
        np.array([value if end is None else end for value, end in zip(y, ends, strict=True)])
        for ends in ([each.low for each in found], [each.high for each in found])
    )
    return Line(label, x, y, low, high)


def _ends(best: Estimate) -> tuple[float, float]:
    """Ends of N* over its best value."""
    if best.low is None or best.high is None:
        return (np.nan, np.nan)
    return best.low / best.value, best.high / best.value
