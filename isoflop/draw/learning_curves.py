"""Held-out loss during training, by size, with the lower envelope over compute."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

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
    Line,
    Points,
    complete_rows,
    pick_levels,
    widen,
)
from isoflop.draw.ticks import format_amount
from isoflop.runs.table import RunTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ENVELOPE_POINTS = 120
SHOWN_FROM = 0.02
"""Share of the longest curve's tokens from which curves are drawn: before it is warm-up."""


@dataclass(frozen=True)
class LearningCurve:
    """One size's held-out loss during training.

    Args:
        label: name of the size.
        n_params: parameters.
        n_tokens: (k,) tokens seen at each evaluation, increasing.
        flops: (k,) compute spent by then.
        loss: (k,) held-out loss.
    """

    label: str
    n_params: float
    n_tokens: Array
    flops: Array
    loss: Array


@dataclass(frozen=True)
class LearningCurvesFigure:
    """Curves, what they ended at, and their lower envelope.

    Args:
        curves: smallest size first.
        finals_by_tokens: finished (cooled-down) runs, loss against tokens.
        finals_by_flops: the same against compute.
        envelope: lowest loss any curve reached with each compute or less.
        labels: names of the axes.
    """

    curves: tuple[LearningCurve, ...]
    finals_by_tokens: Points
    finals_by_flops: Points
    envelope: Line
    labels: AxisLabels


def learning_curves_figure(
    curves: Sequence[LearningCurve],
    *,
    finals: RunTable | None = None,
    labels: AxisLabels | None = None,
) -> LearningCurvesFigure:
    """Gather learning curves.

    Args:
        curves: one a size, or several.
        finals: finished runs with n_params, n_tokens, flops and loss, marked apart from the
            curves: their learning rate has been brought down.
        labels: names of the axes.

    Raises:
        InputError: no curves.

    >>> curve = LearningCurve("s", 1e4, np.array([1e5, 1e6]), np.array([6e9, 6e10]),
    ...                       np.array([3.0, 2.0]))
    >>> float(learning_curves_figure([curve]).envelope.y.min())
    2.0
    """
    if not curves:
        raise InputError("no learning curves to draw")
    ordered = tuple(sorted(curves, key=lambda curve: curve.n_params))
    return LearningCurvesFigure(
        curves=ordered,
        finals_by_tokens=_finals(finals, "n_tokens"),
        finals_by_flops=_finals(finals, "flops"),
        envelope=lower_envelope(ordered),
        labels=labels or AxisLabels(),
    )


def lower_envelope(curves: Sequence[LearningCurve]) -> Line:
    """Take the lowest loss that any curve reached with this compute or less, in log-log."""
    low = min(curve.flops[0] for curve in curves)
    high = max(curve.flops[-1] for curve in curves)
    grid = np.geomspace(low, high, ENVELOPE_POINTS)
    losses = np.array(
        [np.interp(np.log(grid), np.log(c.flops), np.log(c.loss), np.inf, np.inf) for c in curves]
    )
    lowest = np.exp(np.minimum.accumulate(losses.min(axis=0)))
    ok = np.isfinite(lowest)
    return Line("lower envelope", grid[ok], lowest[ok], NONE, NONE)


@house_style()
def draw_learning_curves(
    figure: LearningCurvesFigure, axes: "Sequence[Axes] | None" = None
) -> "Figure":
    """Draw loss against tokens and against compute.

    Args:
        figure: the data.
        axes: two panels of yours; a new figure if None.
    """
    if axes is None:
        _, axes = new_panels(2, share_y=True, height=3.1)
    shown = figure.curves[-1].n_tokens[-1:]
    shown = np.array([max(c.n_tokens[-1] for c in figure.curves) * SHOWN_FROM, *shown])
    losses = _visible_losses(figure, float(shown[0]))
    for ax, column, finals in (
        (axes[0], "n_tokens", figure.finals_by_tokens),
        (axes[1], "flops", figure.finals_by_flops),
    ):
        _draw_curves(ax, figure, column, finals)
        set_log_axis(
            ax, "x", column, figure.labels, limits=_limits(figure, column, shown[0]), most=5
        )
        set_log_axis(ax, "y", "loss", figure.labels, limits=widen(losses, 0.08))
    envelope = figure.envelope
    axes[1].plot(envelope.x, envelope.y, "--", color=INK, linewidth=1.3, label=envelope.label)
    axes[1].set_ylabel("")
    _draw_legends(axes, figure)
    return figure_of(axes)


def _finals(table: RunTable | None, column: str) -> Points:
    if table is None:
        return Points("finished runs", NONE, NONE, NONE)
    columns = [table.numbers(name) for name in (column, "loss", "n_params")]
    keep = complete_rows(*columns)
    names = tuple(name for name, ok in zip(table.names(), keep, strict=True) if ok)
    x, y, size = (values[keep] for values in columns)
    return Points("finished runs", x, y, size, names)


def _sizes(figure: LearningCurvesFigure) -> Array:
    return np.array([curve.n_params for curve in figure.curves])


def _draw_curves(ax: "Axes", figure: LearningCurvesFigure, column: str, finals: Points) -> None:
    sizes = _sizes(figure)
    named = set(pick_levels(sizes, most=6, few=6).tolist())
    for curve, shade in zip(figure.curves, ordered_colours(sizes), strict=True):
        label = f"{format_amount(curve.n_params)}" if curve.n_params in named else "_"
        named.discard(curve.n_params)
        ax.plot(getattr(curve, column), curve.loss, color=shade, linewidth=1.0, label=label)
    if len(finals.x):
        shades = ordered_colours(finals.colour_by, within=sizes)
        ax.scatter(finals.x, finals.y, s=16, c=shades, edgecolors="white", linewidths=0.5, zorder=4)


def _draw_legends(axes: "Sequence[Axes]", figure: LearningCurvesFigure) -> None:
    handles, names = axes[0].get_legend_handles_labels()
    axes[0].legend(handles, names, title="parameters", loc="upper right", ncols=2)
    if len(figure.finals_by_flops.x):
        axes[1].scatter(
            [], [], s=16, c=FAINT, edgecolors="white", linewidths=0.5, label="finished runs"
        )
    wanted = {figure.envelope.label, "finished runs"}
    pairs = zip(*axes[1].get_legend_handles_labels(), strict=True)
    chosen = [(handle, name) for handle, name in pairs if name in wanted]
    axes[1].legend([h for h, _ in chosen], [n for _, n in chosen], loc="upper right")


def _visible_losses(figure: LearningCurvesFigure, tokens_from: float) -> Array:
    parts = [curve.loss[curve.n_tokens >= tokens_from] for curve in figure.curves]
    losses = np.concatenate([*parts, figure.finals_by_tokens.y])
    return losses if len(losses) else np.concatenate([curve.loss for curve in figure.curves])


def _limits(figure: LearningCurvesFigure, column: str, tokens_from: float) -> tuple[float, float]:
    """Ends of the x axis: from the first tokens shown to the longest curve."""
    parts = [getattr(curve, column)[curve.n_tokens >= tokens_from] for curve in figure.curves]
    finals = figure.finals_by_tokens if column == "n_tokens" else figure.finals_by_flops
    return widen(np.concatenate([*parts, finals.x]), 0.04)
