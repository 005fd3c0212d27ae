"""From a drawn figure to a block: the picture in both formats, with its numbers."""

from typing import TYPE_CHECKING

from isoflop.draw.data import figure_csv, figure_json
from isoflop.draw.render import render_png, render_svg
from isoflop.report.blocks import FigureBlock

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def picture(name: str, figure: object, canvas: "Figure", *, caption: str, alt: str) -> FigureBlock:
    """Render a figure into a block.

    Args:
        name: file stem, unique in the report.
        figure: the data, one of the frozen figure dataclasses.
        canvas: its drawing.
        caption: one or two sentences.
        alt: what a reader who cannot see it should know.
    """
    return FigureBlock(
        name=name,
        svg=render_svg(canvas),
        png=render_png(canvas),
        caption=caption,
        alt=alt,
        data=figure_csv(figure),
        document=figure_json(figure),
        width=float(canvas.get_figwidth()),
    )
