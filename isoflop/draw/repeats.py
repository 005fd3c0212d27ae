"""The value of repeats: what epochs are worth in fresh ones, and the loss they lead to.

Legend: U distinct tokens, D tokens processed, epochs D/U, D' the fresh tokens they are worth;
R_star how soon their worth decays, N parameters, L loss.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from isoflop.base.estimate import shorten
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
from isoflop.draw.epoch_lines import half_interval, loss_lines, worth_line
from isoflop.draw.series import NONE, AxisLabels, Line, Points, widen
from isoflop.draw.ticks import format_amount, format_power, log_ticks
from isoflop.laws.repeated import RepeatedLaw
from isoflop.plan.constants import take_constants
from isoflop.plan.data.allocation import plan_repeats
from isoflop.plan.data.buying import best_size_of_data
from isoflop.plan.data.worth import LAW, value_repeats
from isoflop.plan.optimum.choose import AnyLaw
from isoflop.plan.possible import check_positive

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 61
MOST_EPOCHS = 100.0
"""Epochs drawn, more where a plan or the worth of a half lies beyond."""
EVEN_MORE = 1e3
"""Epochs at which the axis ends in any case."""


@dataclass(frozen=True, eq=False)
class RepeatsFigure:
    """What repeats are worth.

    Args:
        worth: D'/U against epochs; its band is the fit's, or what the authors' own runs leave
            open of a published decay.
        band: what the band is, in words; empty for none.
        half: epochs beyond which one more processed token is worth less than half a fresh one,
            and D'/U there.
        half_interval: ends of those epochs; NaN where unknown.
        limit: D'/U of endless epochs.
        loss: loss against epochs at U and N.
        fresh: loss if every token were fresh.
        plan: epochs and loss of the budget's plan; empty without a budget.
        title: law, in words.
        setting: U and N, in words.
        labels: names of the axes.
    """

    worth: Line
    band: str
    half: Points
    half_interval: tuple[float, float]
    limit: float
    loss: Line
    fresh: Line
    plan: Points
    title: str
    setting: str
    labels: AxisLabels


def repeats_figure(
    law: AnyLaw | str = LAW,
    *,
    n_tokens_unique: float = 25e9,
    n_params: float | None = None,
    flops: float | None = None,
) -> RepeatsFigure:
    """Gather the worth of epochs, and the loss of one size along them.

    Args:
        law: a `repeated` fit, a published one, or the name or file of one.
        n_tokens_unique: U, distinct tokens.
        n_params: N; that of the budget's plan, or the size that U tokens read once train best.
        flops: a budget whose plan is marked, FLOPs; none if left out.

    Raises:
        InputError: an amount that is not positive, or a law of another form.

    >>> figure = repeats_figure()
    >>> round(float(figure.half.x[0]), 2), round(float(figure.half.y[0]), 2)
    (11.67, 8.69)
    """
    check_positive(n_tokens_unique=n_tokens_unique, n_params=n_params, flops=flops)
    constants = take_constants(law, RepeatedLaw)
    plan = None if flops is None else plan_repeats(flops, n_tokens_unique, law)
    if n_params is None:
        best = best_size_of_data(constants.theta[None], n_tokens_unique)[0]
        n_params = plan.n_params.value if plan else float(best)
    table = value_repeats(law, epochs=[1.0])
    half = 1 + np.log(2) * table.decay.value
    marks = [MOST_EPOCHS, 2 * half, *([3 * plan.epochs.value] if plan else [])]
    epochs = np.geomspace(1.0, min(max(marks), EVEN_MORE), POINTS)
    worth, band = worth_line(constants, law, epochs)
    repeated, fresh = loss_lines(constants, epochs, n_params, n_tokens_unique)
    spots = [] if plan is None or n_params != plan.n_params.value else [plan]
    return RepeatsFigure(
        worth=worth,
        band=band,
        half=Points("half", np.array([half]), np.array([1 + table.decay.value / 2]), NONE),
        half_interval=half_interval(constants.name, table.decay),
        limit=1 + table.decay.value,
        loss=repeated,
        fresh=fresh,
        plan=Points(
            f"optimum of {format_power(float(f'{flops:.3g}'))} FLOPs" if flops else "",
            np.array([spot.epochs.value for spot in spots]),
            np.array([spot.loss.value for spot in spots]),
            NONE,
        ),
        title=f"{constants.name}, R* = {table.decay} epochs",
        setting=f"U = {format_amount(n_tokens_unique)} distinct tokens, "
        f"N = {format_amount(float(f'{n_params:.3g}'))}",
        labels=AxisLabels(loss=f"loss ({constants.loss_unit})"),
    )


@house_style()
def draw_repeats(figure: RepeatsFigure, axes: "Sequence[Axes] | None" = None) -> "Figure":
    """Draw the worth of epochs, and the loss beside it.

    Args:
        figure: the data.
        axes: two panels of yours; a new figure if None.
    """
    if axes is None:
        _, axes = new_panels(2, height=3.8)
    _draw_worth(axes[0], figure)
    _draw_loss(axes[1], figure)
    for ax in axes[:2]:
        x = figure.worth.x
        set_log_axis(ax, "x", "epochs", figure.labels, limits=(float(x[0]), float(x[-1])))
        ax.set_xlabel("epochs D/U")
    return figure_of(axes)


def _draw_worth(ax: "Axes", figure: RepeatsFigure) -> None:
    line, (epochs, worth) = figure.worth, (figure.half.x[0], figure.half.y[0])
    ax.plot(line.x, line.x, "--", color=FAINT, linewidth=1.0, label="if repeats were fresh")
    if line.has_band:
        ax.fill_between(line.x, line.low, line.high, color=OKABE_ITO[0], alpha=0.16, linewidth=0,
                        label=figure.band)  # fmt: skip
    ax.plot(line.x, line.y, color=OKABE_ITO[0], linewidth=1.6,
            label=f"D'/U, at most {shorten(figure.limit)}")  # fmt: skip
    low, high = figure.half_interval
    if np.isfinite(low):
        ax.plot([low, min(high, line.x[-1])], [worth, worth], color=INK, linewidth=1.0)
    ax.plot(epochs, worth, "o", color=INK,
            label=f"a repeat is worth half a fresh token: {shorten(epochs)} epochs")  # fmt: skip
    _set_plain_axis(ax, (1.0, float(line.x[-1])))
    ax.set_ylabel("worth in fresh epochs D'/U")
    ax.axvline(epochs, color=INK, linewidth=0.7, linestyle=":")
    _name_above(ax, figure.title)


def _draw_loss(ax: "Axes", figure: RepeatsFigure) -> None:
    ax.plot(figure.fresh.x, figure.fresh.y, "--", color=FAINT, linewidth=1.0,
            label=figure.fresh.label)  # fmt: skip
    draw_line(ax, figure.loss, colour=OKABE_ITO[1], width=1.6)
    for epochs, loss in zip(figure.plan.x, figure.plan.y, strict=True):
        inside = figure.loss.x[0] <= epochs <= figure.loss.x[-1]
        spot = ([epochs], [loss]) if inside else ([], [])
        words = "" if inside else f": {shorten(epochs)} epochs, beyond the axis"
        ax.plot(*spot, "D", color=INK, markersize=5, label=f"{figure.plan.label}{words}")
    ends = [figure.loss.low, figure.loss.high] if figure.loss.has_band else []
    limits = widen(np.concatenate([figure.loss.y, figure.fresh.y, *ends]), 0.05)
    set_log_axis(ax, "y", "loss", figure.labels, limits=limits)
    ax.axvline(figure.half.x[0], color=INK, linewidth=0.7, linestyle=":",
               label="a repeat is worth half a fresh token")  # fmt: skip
    _name_above(ax, figure.setting)


def _name_above(ax: "Axes", title: str) -> None:
    """The legend above the panel, where it hides no line."""
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), title=title, alignment="left")


def _set_plain_axis(ax: "Axes", limits: tuple[float, float]) -> None:
    ticks = log_ticks(*limits, most=6)
    ax.set_yscale("log")
    ax.set_ylim(*limits)
    ax.yaxis.set_ticks(ticks, labels=[format_amount(tick) for tick in ticks])
    ax.yaxis.set_ticks([], labels=[], minor=True)
