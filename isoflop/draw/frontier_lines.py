"""Lines of the compute-optimal size N* against compute C, one a count of N."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from isoflop.draw.canvas import OKABE_ITO, Dashes, draw_line, set_log_axis
from isoflop.draw.series import NONE, Array, AxisLabels, Line, Points, widen
from isoflop.fitting.frontiers.frontier import Frontier

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OVER: tuple[tuple[Dashes, float], ...] = (("-", 4), ((0, (4, 4)), 2.4), ((0, (1.5, 6.5)), 1.2))
"""Style and marker size of a frontier that lies over none, one or two others: all stay in sight."""


@dataclass(frozen=True)
class FrontierData:
    """N* against C under one convention.

    Args:
        convention: which N.
        optima: N* read off each budget.
        line: the power law through them, with its band.
        exponent: a of N* ∝ C^a with its interval, in words.
    """

    convention: str
    optima: Points
    line: Line
    exponent: str


def frontier_data(name: str, frontier: Frontier, reach: float) -> FrontierData:
    """Gather N*(C) of a frontier under one count of N, up to `reach` times the largest compute."""
    points = frontier.points
    grid = np.geomspace(points.flops.min() / 1.3, points.flops.max() * 1.3 * reach, 40)
    estimates = [frontier.optimum(flops)[0] for flops in grid]
    low, high = NONE, NONE
    if len(frontier.draws):
        low = np.array([np.nan if e.low is None else e.low for e in estimates])
        high = np.array([np.nan if e.high is None else e.high for e in estimates])
    exponent = str(frontier.params["a"])
    line = Line(name, grid, np.array([e.value for e in estimates]), low, high)
    return FrontierData(name, Points(name, points.flops, points.n_params, NONE), line, exponent)


def draw_frontiers(ax: "Axes", frontiers: Sequence[FrontierData], labels: AxisLabels) -> None:
    """Draw N* against C; a line that lies over another is dashed, so that both are seen."""
    for k, (frontier, colour) in enumerate(zip(frontiers, _cycle(len(frontiers)), strict=True)):
        below = sum(_coincide(frontier.line, other.line) for other in frontiers[:k])
        style, size = OVER[min(below, len(OVER) - 1)]
        draw_line(ax, frontier.line, colour=colour, style=style)
        ax.plot(frontier.optima.x, frontier.optima.y, "o", color=colour, markersize=size)
    flops = np.concatenate([frontier.line.x for frontier in frontiers])
    set_log_axis(ax, "x", "flops", labels, limits=widen(flops, 0.02), most=5)
    set_log_axis(ax, "y", "n_params", labels, limits=widen(_heights(frontiers), 0.06))
    ax.set_ylabel("optimal parameters N*")
    handles, _ = ax.get_legend_handles_labels()
    names = [_name(frontier, len(frontiers)) for frontier in frontiers]
    ax.legend(handles, names, loc="lower left", bbox_to_anchor=(0, 1.0), title="N* ∝ C$^a$")


def _coincide(one: Line, other: Line) -> bool:
    """Tell whether two lines lie on each other, such as two counts of N of tied models."""
    return one.x.shape == other.x.shape and bool(
        np.allclose(one.x, other.x) and np.allclose(one.y, other.y, rtol=0.02)
    )


def _name(frontier: FrontierData, count: int) -> str:
    """Legend of a line: one alone needs no name, a long name gets a line of its own."""
    exponent = f"a = {frontier.exponent}"
    if count == 1:
        return exponent
    joint = ": " if len(frontier.convention) < 22 else ":\n"
    return f"{frontier.convention}{joint}{exponent}"


def _cycle(count: int) -> list[str]:
    return [OKABE_ITO[k % len(OKABE_ITO)] for k in range(count)]


def _heights(frontiers: Sequence[FrontierData]) -> Array:
    """Everything the y axis must hold; a band wider than the data tenfold is cut."""
    optima = np.concatenate([f.optima.y for f in frontiers] + [f.line.y for f in frontiers])
    bands = np.concatenate([part for f in frontiers for part in (f.line.low, f.line.high)] + [NONE])
    inside = bands[(bands > optima.min() / 10) & (bands < optima.max() * 10)]
    return np.concatenate([optima, inside])
