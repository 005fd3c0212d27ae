"""The one place where matplotlib is imported: style, panels, axes and colours.

Figures are made with the object interface only: no pyplot, no global figure, no screen.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from isoflop.base.errors import MissingExtraError
from isoflop.draw.series import Array, AxisLabels, Line
from isoflop.draw.ticks import (
    format_alike,
    format_amount,
    format_power,
    log_ticks,
    minor_log_ticks,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PAGE_WIDTH = 7.0
"""Inches; the text width of a page."""
PANEL_HEIGHT = 3.0
"""Inches."""

OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Colour-blind safe hues (Okabe and Ito 2008), for things without an order."""
INK = "#222222"
FAINT = "#8a8a8a"
_VIRIDIS_END = 0.88
"""Beyond this viridis is too light for lines on white."""

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.labelsize": 8.5,
    "axes.titlesize": 9.0,
    "axes.linewidth": 0.7,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.fontsize": 8.0,
    "legend.title_fontsize": 8.0,
    "legend.frameon": False,
    "legend.handlelength": 1.4,
    "legend.labelspacing": 0.25,
    "legend.borderaxespad": 0.2,
    "lines.linewidth": 1.2,
    "lines.markersize": 4.0,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "isoflop",
    "svg.fonttype": "path",
    "path.simplify": True,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw and save under the house's style; usable as a decorator.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
    except ImportError:
        raise MissingExtraError("drawing figures", "draw") from None
    with mpl.rc_context(rc={**dict(mpl.rcParamsDefault), **STYLE, "backend": "Agg"}):
        yield


def new_panels(
    n_panels: int,
    *,
    height: float = PANEL_HEIGHT,
    width: float = PAGE_WIDTH,
    share_y: bool = False,
    ratios: Sequence[float] | None = None,
) -> "tuple[Figure, list[Axes]]":
    """Make a figure with panels side by side.

    Args:
        n_panels: how many.
        height: inches.
        width: inches.
        share_y: one loss axis for all.
        ratios: relative widths of the panels.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    canvas = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(canvas)
    axes = canvas.subplots(1, n_panels, squeeze=False, sharey=share_y, width_ratios=ratios)
    return canvas, list(axes[0])


def figure_of(axes: "Sequence[Axes]") -> "Figure":
    """Return the figure the panels stand in."""
    return axes[0].get_figure(root=True)  # type: ignore[return-value]


def ordered_colours(values: Array, *, within: Array | None = None) -> list[Any]:
    """Colour amounts by their logarithm, dark for the smallest (viridis).

    Args:
        values: (k,) float.
        within: amounts that set the ends of the scale; `values` themselves if None.
    """
    import matplotlib as mpl
    from matplotlib.colors import to_hex

    logs = np.log(np.asarray(values, dtype=float))
    ends = np.log(np.asarray(values if within is None else within, dtype=float))
    ends = ends[np.isfinite(ends)]
    low, high = (ends.min(), ends.max()) if len(ends) else (0.0, 1.0)
    place = (logs - low) / (high - low) if high > low else np.zeros_like(logs)
    place = np.nan_to_num(np.clip(place, 0, 1))
    return [to_hex(c) for c in mpl.colormaps["viridis"](place * _VIRIDIS_END)]


def set_log_axis(
    ax: "Axes",
    which: Literal["x", "y"],
    column: str,
    labels: AxisLabels,
    *,
    limits: tuple[float, float],
    most: int = 6,
) -> None:
    """Make an axis logarithmic, name it, and label it at round values.

    Args:
        ax: the panel.
        which: x or y.
        column: the run-table column it shows.
        labels: names of the axes.
        limits: (low, high) of the axis.
        most: how many labels there is room for.
    """
    if column == "flops":
        most = max(2, most - 2)  # powers of ten are wide
    ticks = log_ticks(*limits, most=most)
    axis = ax.xaxis if which == "x" else ax.yaxis
    (ax.set_xscale if which == "x" else ax.set_yscale)("log")
    (ax.set_xlim if which == "x" else ax.set_ylim)(*limits)
    axis.set_ticks(ticks, labels=_write_ticks(column, ticks))
    axis.set_ticks([t for t in minor_log_ticks(*limits) if t not in ticks], labels=[], minor=True)
    axis.set_label_text(labels.of(column))


def _write_ticks(column: str, ticks: list[float]) -> list[str]:
    if column == "loss":
        return format_alike(ticks)
    write = format_power if column == "flops" else format_amount
    return [write(tick) for tick in ticks]


Dashes = str | tuple[float, tuple[float, ...]]
"""A line's style: a name, or where its dashes begin and how long they and their gaps are."""


def draw_line(
    ax: "Axes", line: Line, *, colour: str, style: Dashes = "-", width: float = 1.2
) -> None:
    """Draw a line over its band."""
    if line.has_band:
        ax.fill_between(line.x, line.low, line.high, color=colour, alpha=0.16, linewidth=0)
    ax.plot(line.x, line.y, linestyle=style, color=colour, linewidth=width, label=line.label)
