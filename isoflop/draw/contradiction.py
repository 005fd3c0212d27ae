"""What compute promises against what the data allow, and how far their crossing may lie.

Legend: C FLOPs, L loss; the compute law is L(C), the data law L(D(C)) on the tokens a
compute-efficient run reads.
"""

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
from isoflop.draw.crossing_bars import CrossingBar, crossing_bars, ends_of
from isoflop.draw.series import NONE, Array, AxisLabels, Line, Points, widen
from isoflop.laws.law import AbstractLaw
from isoflop.plan.contradiction.crossing import Crossing
from isoflop.plan.contradiction.trend import Trend

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 120
MARGIN = 1e3
"""How far both lines are drawn beyond the crossing's interval, as a factor of compute."""
BAND_DRAWS = 400


@dataclass(frozen=True)
class ContradictionFigure:
    """The two trends, their crossing, and what moves it.

    Args:
        promised: loss that the compute law promises, with its band.
        allowed: loss that the data law allows on the tokens read, with its band.
        crossing: C* and L*.
        interval: ends of C*, FLOPs; NaN where there is none.
        loss_interval: ends of L*.
        first_epoch: C from which the promise is within 10 % of the data law; NaN if nowhere.
        measured: lowest and highest compute of the runs fitted; NaN for published laws.
        bars: what moves C*, the total last.
        note: C* and L* in words.
        labels: names of the axes.
    """

    promised: Line
    allowed: Line
    crossing: Points
    interval: tuple[float, float]
    loss_interval: tuple[float, float]
    first_epoch: float
    measured: tuple[float, float]
    bars: tuple[CrossingBar, ...]
    note: str
    labels: AxisLabels


def contradiction_figure(found: Crossing) -> ContradictionFigure:
    """Gather both trends around their crossing.

    Args:
        found: the crossing; its draws make the bands.
    """
    compute, data, tokens = (
        found.constants[role] for role in ("compute_law", "data_law", "tokens_rule")
    )
    interval, loss_interval = ends_of(found.flops), ends_of(found.loss)
    # An interval without an end, or of many decades, is cut by the frame.
    reach = [found.flops.value / MARGIN, found.flops.value * MARGIN]
    measured = compute.reach or (np.nan, np.nan)
    flops = np.geomspace(np.nanmin([*reach, measured[0]]), reach[1], POINTS)
    return ContradictionFigure(
        promised=_promised(found, compute, flops),
        allowed=_allowed(found, data, tokens, flops),
        crossing=Points(
            "crossing", np.array([found.flops.value]), np.array([found.loss.value]), NONE
        ),
        interval=interval,
        loss_interval=loss_interval,
        first_epoch=found.first_epoch.value if found.first_epoch else np.nan,
        measured=measured,
        bars=crossing_bars(found),
        note=f"C* {found.pf_days} PF-days\nL* {found.loss} {found.loss_unit}",
        labels=AxisLabels(loss=f"loss ({found.loss_unit})"),
    )


@house_style()
def draw_contradiction(
    figure: ContradictionFigure, axes: "Sequence[Axes] | None" = None
) -> "Figure":
    """Draw the trends with their bands, and beside them what moves the crossing.

    Args:
        figure: the data.
        axes: two panels of yours; a new figure if None.
    """
    if axes is None:
        _, axes = new_panels(2, height=3.4, ratios=(1.2, 1.0))
    _draw_trends(axes[0], figure)
    _draw_bars(axes[1], figure)
    return figure_of(axes)


def _draw_trends(ax: "Axes", figure: ContradictionFigure) -> None:
    x = figure.promised.x
    heights = np.concatenate([figure.promised.y, figure.allowed.y])
    if np.isfinite(figure.measured).all():
        ax.axvspan(*figure.measured, color=FAINT, alpha=0.12, linewidth=0, label="runs fitted")
    draw_line(ax, figure.promised, colour=OKABE_ITO[0])
    draw_line(ax, figure.allowed, colour=OKABE_ITO[1])
    below = figure.promised.y < figure.allowed.y
    ax.fill_between(
        x,
        figure.promised.y,
        figure.allowed.y,
        where=below.tolist(),
        color=OKABE_ITO[3],
        alpha=0.22,
        linewidth=0,
        label="contradiction",
    )
    _draw_crossing(ax, figure)
    if x[0] < figure.first_epoch < x[-1]:
        at = np.exp(np.interp(np.log(figure.first_epoch), np.log(x), np.log(figure.promised.y)))
        ax.plot(figure.first_epoch, at, "v", color=INK, markersize=4.5, label="10 % above L(D)")
    set_log_axis(ax, "x", "flops", figure.labels, limits=(float(x[0]), float(x[-1])))
    set_log_axis(ax, "y", "loss", figure.labels, limits=widen(heights, 0.05))
    ax.set_title(figure.note, loc="left", fontsize=8.5)
    ax.legend(loc="lower left")  # below both falling lines nothing is drawn


def _draw_crossing(ax: "Axes", figure: ContradictionFigure) -> None:
    flops, loss = figure.crossing.x[0], figure.crossing.y[0]
    ends = figure.promised.x[[0, -1]]
    if np.isfinite(figure.interval).any():
        ax.plot(np.clip(figure.interval, *ends), [loss, loss], color=INK, linewidth=1.6, zorder=5)
    if np.isfinite(figure.loss_interval).all():
        ax.plot([flops, flops], figure.loss_interval, color=INK, linewidth=1.6, zorder=5)
    ax.plot(flops, loss, "o", color=INK, markersize=4.5, zorder=6, label="crossing C*, L*")


def _draw_bars(ax: "Axes", figure: ContradictionFigure) -> None:
    """One line a bar, the total below; the middle line is C*."""
    colours = {"change": OKABE_ITO[5], "source": OKABE_ITO[2], "all": INK}
    edges = np.array([end for bar in figure.bars for end in (bar.low, bar.high)])
    known = np.append(edges[np.isfinite(edges) & (edges > 0)], figure.crossing.x[0])
    limits = widen(np.clip(known, known[-1] / MARGIN, known[-1] * MARGIN), 0.06)
    for place, bar in enumerate(figure.bars):
        low, high = np.clip(np.nan_to_num([bar.low, bar.high], nan=np.inf), *limits)
        ax.plot([low, high], [place, place], color=colours[bar.kind], linewidth=4.0,
                solid_capstyle="butt")  # fmt: skip
    ax.axvline(figure.crossing.x[0], color=INK, linewidth=0.7)
    set_log_axis(ax, "x", "flops", figure.labels, limits=limits, most=5)
    ax.set_xlabel("crossing C* (FLOPs)")
    ax.set_yticks(range(len(figure.bars)), labels=[bar.label for bar in figure.bars])
    ax.set_ylim(len(figure.bars) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)


def _promised(found: Crossing, compute: Trend, flops: Array) -> Line:
    y = _along(compute.law, compute.theta[None], flops)[0]
    if not found.draws:
        return Line("promised, L(C)", flops, y, NONE, NONE)
    rows = found.draws["compute_law"][:BAND_DRAWS]
    return _banded("promised, L(C)", flops, y, _along(compute.law, rows, flops), found)


def _allowed(found: Crossing, data: Trend, tokens: Trend, flops: Array) -> Line:
    amount = _along(tokens.law, tokens.theta[None], flops)[0]
    y = _along(data.law, data.theta[None], amount)[0]
    name = "allowed, L(D(C))"
    if not found.draws:
        return Line(name, flops, y, NONE, NONE)
    amounts = _along(tokens.law, found.draws["tokens_rule"][:BAND_DRAWS], flops)
    rows = found.draws["data_law"][:BAND_DRAWS]
    pairs = zip(rows, amounts, strict=True)
    drawn = np.concatenate([_along(data.law, row[None], D) for row, D in pairs])
    return _banded(name, flops, y, drawn, found)


def _along(law: AbstractLaw, thetas: Array, x: Array) -> Array:
    return law.predict(thetas, {law.variables[0]: x})


def _banded(name: str, x: Array, y: Array, drawn: Array, found: Crossing) -> Line:
    stretch = max(trend.stretch for trend in found.constants.values())
    tails = ((1 - found.flops.level) / 2, (1 + found.flops.level) / 2)
    low, high = np.quantile(drawn, tails, axis=0)
    low, high = (y * np.exp(stretch * np.log(end / y)) for end in (low, high))
    return Line(name, x, y, np.minimum(low, y), np.maximum(high, y))
