"""Nothing that is drawn is hidden: by a legend, by another line, or by its absence from the key."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from isoflop.draw.canvas import OKABE_ITO
from isoflop.draw.isoflop_valleys import draw_isoflop, isoflop_figure
from isoflop.draw.loss_curves import draw_loss_curves, loss_curves_figure
from isoflop.draw.render import settle
from isoflop.draw.residuals import draw_residuals, residuals_figure
from isoflop.draw.ticks import format_amount
from isoflop.fitting.frontiers.isoflop import fit_isoflop
from isoflop.fitting.parametric import FitSpec

SPEC = FitSpec(n_resamples=40, n_starts=16)
SIZES = [format_amount(n_params) for n_params in np.geomspace(1e4, 4e5, 7)]


def inked(canvas, ax, colour):
    """How many pixels inside a panel have a colour."""
    pixels = np.asarray(canvas.canvas.buffer_rgba())[::-1, :, :3] / 255
    box = ax.bbox
    inside = pixels[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)]
    return int((np.abs(inside - to_rgb(colour)).max(axis=-1) < 0.02).sum())


def key_of(ax):
    legend = ax.get_legend()
    assert legend is not None
    return legend


@pytest.mark.parametrize("count", [2, 3])
def test_lines_of_counts_that_coincide_are_all_seen(table, count):
    frontier = fit_isoflop(table, SPEC)
    names = ["non-embedding", "non-embedding + head", "total"][:count]
    canvas = draw_isoflop(isoflop_figure(frontier, conventions=dict.fromkeys(names, frontier)))
    settle(canvas)
    canvas.canvas.draw()
    assert all(inked(canvas, canvas.axes[1], colour) > 20 for colour in OKABE_ITO[:count])


def test_lines_apart_are_solid(table):
    frontier = fit_isoflop(table, SPEC)
    larger = table.with_column("n_params", 2 * table.numbers("n_params"))
    both = {"a": frontier, "b": fit_isoflop(larger, SPEC)}
    canvas = draw_isoflop(isoflop_figure(frontier, conventions=both))
    lines = [line for line in canvas.axes[1].get_lines() if line.get_marker() == "None"]
    assert [line.get_linestyle() for line in lines] == ["-", "-"]


def test_the_keys_of_loss_curves_cover_no_run_and_name_every_line(table, joint, single):
    label = "L(C) on the frontier"
    figure = loss_curves_figure(table, joint=joint, singles={label: single})
    canvas = draw_loss_curves(figure)
    settle(canvas)
    canvas.canvas.draw()
    for ax in canvas.axes:
        assert not list(ax.artists)
        assert key_of(ax).get_window_extent().y0 >= ax.bbox.y1 - 1
    by_tokens, by_flops = (
        [text.get_text() for text in key_of(ax).get_texts()] for ax in canvas.axes[1:]
    )
    assert by_tokens == [f"N = {size}" for size in SIZES]
    assert by_flops == [*by_tokens, "L(C) on\nthe frontier"]
    title = key_of(canvas.axes[0]).get_title().get_text()
    assert title == f"at 5 of {len(np.unique(table.numbers('n_tokens')))} values of D"


def test_the_key_of_residuals_names_every_size(table, joint):
    canvas = draw_residuals(residuals_figure(joint, table))
    legend = key_of(canvas.axes[-1])
    assert [text.get_text() for text in legend.get_texts()][:-1] == SIZES
    assert legend.get_title().get_text() == "parameters"
