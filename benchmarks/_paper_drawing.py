"""The ink of the papers' figures."""

from typing import TYPE_CHECKING

import numpy as np

from benchmarks._paper_figures import Panel, PaperFigure
from isoflop.draw.canvas import FAINT, figure_of, house_style, new_panels, set_log_axis
from isoflop.draw.series import AxisLabels, widen

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LABELS = AxisLabels(loss="loss")
CROWD = 300
"""Points from which they are drawn thin."""


@house_style()
def draw_paper(figure: PaperFigure) -> "Figure":
    """Draw every panel, and one legend for all below them."""
    count = len(figure.panels)
    ratios = list(figure.ratios) or None
    canvas, axes = new_panels(count, share_y=figure.share_y, height=3.3, ratios=ratios)
    for ax, panel in zip(axes, figure.panels, strict=True):
        _draw_panel(ax, panel)
    if figure.share_y:
        for ax in axes[1:]:
            ax.set_ylabel("")
    _draw_key(axes, figure)
    return canvas


def _draw_panel(ax: "Axes", panel: Panel) -> None:
    for stroke in panel.strokes:
        line = stroke.line
        ax.plot(line.x, line.y, stroke.style, color=stroke.colour, linewidth=1.1, zorder=2)
    for mark in panel.marks:
        points, face = mark.points, mark.colour if mark.filled else "none"
        thin = 0.35 if len(points.x) > CROWD else 1.0
        edge = 0.0 if mark.filled else 1.0
        ax.scatter(points.x, points.y, s=mark.size, marker=mark.marker, facecolors=face,
                   edgecolors=mark.colour, linewidths=edge, alpha=thin, zorder=3)  # fmt: skip
    ends = {which: _reach(panel, which) for which in ("x", "y")}
    ax.set_xlabel(panel.x)
    ax.set_ylabel(panel.y)
    if "x" in panel.logs:
        set_log_axis(ax, "x", panel.x, LABELS, limits=widen(ends["x"]), most=5)
    else:
        ax.locator_params(axis="x", nbins=6)
    if "y" in panel.logs:
        set_log_axis(ax, "y", panel.y, LABELS, limits=widen(ends["y"]), most=5)
    ax.set_title(panel.title)


def _reach(panel: Panel, which: str) -> np.ndarray:
    series = (*(m.points for m in panel.marks), *(s.line for s in panel.strokes))
    return np.concatenate([np.asarray(getattr(each, which)) for each in series])


def _draw_key(axes: "list[Axes]", figure: PaperFigure) -> None:
    """Under each panel what is in it; under the first alone where they share all labels."""
    keys = [_labelled(panel) for panel in figure.panels]
    if all(key.keys() == keys[0].keys() for key in keys):
        handles = list(keys[0].values())
        figure_of(axes).legend(
            handles=handles, loc="outside lower center", ncols=min(len(handles), 8)
        )
        return
    for ax, key in zip(axes, keys, strict=True):
        columns = 3 if len(key) > 4 else 1
        ax.legend(
            handles=list(key.values()),
            loc="upper center",
            bbox_to_anchor=(0.5, -0.2),
            ncols=columns,
        )


def _labelled(panel: Panel) -> dict[str, object]:
    """{label: handle}, each label once; a style that several colours share is drawn grey."""
    from matplotlib.lines import Line2D

    handles: dict[str, object] = {}
    for mark in panel.marks:
        face = mark.colour if mark.filled else "none"
        handles[mark.points.label] = Line2D(
            [],
            [],
            linestyle="",
            marker=mark.marker,
            color=mark.colour,
            markerfacecolor=face,
            label=mark.points.label,
        )
    for stroke in panel.strokes:
        if label := stroke.line.label:
            shared = {s.colour for s in panel.strokes if s.line.label == label}
            colour = stroke.colour if len(shared) == 1 else FAINT
            handles[label] = Line2D([], [], linestyle=stroke.style, color=colour, label=label)
    return handles
