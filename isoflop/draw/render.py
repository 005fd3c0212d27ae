"""Turn a drawn figure into bytes: the same figure gives the same bytes on every run."""

import io
from typing import TYPE_CHECKING

from isoflop.draw.canvas import house_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 150
"""Pixels an inch of a PNG."""


@house_style()
def settle(canvas: "Figure") -> None:
    """Lay a figure out once and for all.

    The layout engine moves the panels a little each time it runs, so a figure saved twice would
    differ from itself.
    """
    if canvas.get_layout_engine() is not None:
        canvas.draw_without_rendering()
        canvas.set_layout_engine("none")


@house_style()
def render_svg(canvas: "Figure") -> bytes:
    """Write a figure as SVG: no date, fixed ids, letters as outlines."""
    settle(canvas)
    buffer = io.BytesIO()
    canvas.savefig(buffer, format="svg", metadata={"Date": None, "Creator": "isoflop"})
    return buffer.getvalue()


@house_style()
def render_png(canvas: "Figure", *, dpi: int = DPI) -> bytes:
    """Write a figure as PNG without a time stamp.

    Args:
        canvas: the figure.
        dpi: pixels an inch.
    """
    settle(canvas)
    buffer = io.BytesIO()
    canvas.savefig(buffer, format="png", dpi=dpi, metadata={"Software": "isoflop"})
    return buffer.getvalue()
