"""Save a figure for the paper: PNG and SVG, and its data beside them."""

from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.base.atomic import write_atomic
from isoflop.draw.data import figure_csv, figure_json
from isoflop.draw.render import DPI, render_png, render_svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save_figure(
    figure: object, canvas: "Figure", stem: Path | str, *, dpi: int = DPI
) -> list[Path]:
    """Write STEM.png, STEM.svg, STEM.csv and STEM.json, each whole or not at all.

    Args:
        figure: the data, one of the frozen figure dataclasses.
        canvas: its drawing.
        stem: path without suffix; the folder is made if absent.
        dpi: pixels an inch of the PNG.

    Returns:
        The paths written.
    """
    stem = Path(stem)
    contents: dict[str, bytes | str] = {
        ".png": render_png(canvas, dpi=dpi),
        ".svg": render_svg(canvas),
        ".csv": figure_csv(figure),
        ".json": figure_json(figure),
    }
    return [
        write_atomic(stem.with_name(stem.name + suffix), content)
        for suffix, content in contents.items()
    ]
