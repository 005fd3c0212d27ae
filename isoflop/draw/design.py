"""The design frontier: what a ladder's compute buys of certainty, designed or equally spaced.

Legend: C FLOPs of all runs of a ladder; errors are standard errors of the forecast at one target.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import brentq

from isoflop.base.errors import InputError
from isoflop.draw.canvas import figure_of, house_style, new_panels
from isoflop.draw.error_panel import ErrorPanel, draw_error_panel, error_panel, say_saving
from isoflop.draw.series import NONE, Array, AxisLabels, Line
from isoflop.draw.ticks import format_power
from isoflop.plan.design.candidates import DECADES, SPREAD, Candidates
from isoflop.plan.design.equal_grid import GRID_BUDGETS, equal_grid
from isoflop.plan.design.knowledge import Knowledge, know
from isoflop.plan.design.ladder import (
    ENOUGH,
    LARGEST_SHARE,
    MAX_RUNS,
    Design,
    Errors,
    design_ladder,
    errors_of,
)
from isoflop.plan.optimum.choose import AnyLaw
from isoflop.plan.possible import check_positive

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PER_DECADE = 5
BELOW, ABOVE = 2.0, 1.0
"""Decades of compute drawn below and above the budget, never beyond the target."""
NARROWEST = 3.0
"""Dearest run over the cheapest at which a ladder is still drawn."""

LEFT: dict[str, Any] = {"loc": "left", "fontsize": 8.5}


@dataclass(frozen=True, eq=False)
class DesignFigure:
    """What a ladder's compute buys.

    Args:
        panels: of the loss and of the size.
        budget: compute of the ladder asked for, FLOPs.
        title: law, target and noise, in words.
        labels: names of the axes.
    """

    panels: tuple[ErrorPanel, ErrorPanel]
    budget: float
    title: str
    labels: AxisLabels


def design_figure(
    law: AnyLaw | str | Knowledge,
    budget: float,
    flops: float,
    *,
    noise: float | None = None,
    max_runs: int = MAX_RUNS,
    repeats: int = 1,
    spread: float = SPREAD,
    smallest: float | None = None,
    largest: float | None = None,
) -> DesignFigure:
    """Design ladders of many budgets, and hold each against an equal-spaced grid.

    The cheapest run is the same at all budgets, for either: more compute buys dearer runs.

    Args:
        law: a fit, whose runs count, a published law, or the name or file of one.
        budget: compute of all runs together, FLOPs.
        flops: the target whose compute-optimal run is forecast.
        noise: standard deviation of one run's log loss.
        max_runs: runs at most.
        repeats: runs of one size and token count at most.
        spread: sizes reach this factor above and below the optimum.
        smallest: FLOPs of the cheapest run, at any budget.
        largest: FLOPs of the dearest at the budget; in proportion at the others.

    Raises:
        InputError: as `design_ladder`; or a target that is no larger than the smallest ladder.

    >>> figure = design_figure("besiroglu-2024", 1e21, 1e23)
    >>> bool(figure.panels[0].reached < 1e21)
    True
    """
    check_positive(flops=flops)
    check_positive(flops=budget)
    known = know(law, noise=noise)
    share = largest / budget if largest else min(0.5, max(LARGEST_SHARE, ENOUGH / max_runs))
    cheapest = smallest or share * budget / 10**DECADES
    budgets = _budgets(budget, flops, cheapest / share)

    def ladder(C: float) -> Design:
        return design_ladder(known, C, flops, max_runs=max_runs, repeats=repeats, spread=spread,
                             smallest=cheapest, largest=share * C)  # fmt: skip

    designs = [ladder(float(C)) for C in budgets]
    grids = [errors_of(known, _grid(known, float(C), budget), flops) for C in budgets]
    at_budget = errors_of(known, equal_grid(known, budget), flops)
    before = designs[0].before
    counted = f"designed, at most {max_runs} runs"
    panels = [
        error_panel(
            name,
            budgets,
            Line(counted, budgets, _percent(name, [d.errors for d in designs]), NONE, NONE),
            _percent(name, grids),
            _percent(name, [before])[0] if before else np.nan,
            _percent(name, [at_budget])[0],
        )
        for name in ("loss", "size")
    ]
    return DesignFigure(
        panels=(panels[0], panels[1]),
        budget=budget,
        title=f"{known.name}, noise {100 * known.noise:.2g} % a run\n"
        f"forecast at {format_power(float(f'{flops:.3g}'))} FLOPs",
        labels=AxisLabels(flops="compute of the whole ladder (FLOPs)"),
    )


@house_style()
def draw_design(figure: DesignFigure, axes: "Sequence[Axes] | None" = None) -> "Figure":
    """Draw both errors, and how much less compute the designed ladder needs for the grid's.

    Args:
        figure: the data.
        axes: two panels of yours; a new figure if None.
    """
    if axes is None:
        _, axes = new_panels(2, height=3.2)
    for ax, panel in zip(axes, figure.panels, strict=False):
        draw_error_panel(ax, panel, figure.budget, figure.labels)
    axes[0].set_title(f"{figure.title}\n{say_saving(figure.panels[0], figure.budget)}", **LEFT)
    axes[1].set_title(say_saving(figure.panels[1], figure.budget), **LEFT)
    axes[1].legend(loc="lower left", bbox_to_anchor=(0.0, 1.08))
    return figure_of(axes)


def _budgets(budget: float, flops: float, least: float) -> Array:
    """Budgets around the one asked for, which is among them, wide enough for a ladder."""
    steps = np.arange(-BELOW * PER_DECADE, ABOVE * PER_DECADE + 1) / PER_DECADE
    budgets = budget * 10**steps
    within = budgets[(budgets <= flops * (1 + 1e-9)) & (budgets > NARROWEST * least)]
    if len(within) < 3 or within[-1] < budget * (1 - 1e-9):
        raise InputError(
            f"ladders of about {budget:g} FLOPs cannot be drawn: they must span a range of "
            f"compute and cost less than the run of {flops:g} FLOPs that they forecast"
        )
    return within


def _grid(known: Knowledge, C: float, budget: float) -> Candidates:
    """An equal-spaced grid of C FLOPs whose cheapest runs are those of the budget's grid."""

    def cheapest(compute: float, decades: float) -> float:
        shape = np.geomspace(10**-decades, 1.0, GRID_BUDGETS)
        return float(np.log(compute * shape[0] / shape.sum()))

    wanted = cheapest(budget, DECADES)
    decades = brentq(lambda d: cheapest(C, float(d)) - wanted, 0.0, 2 * DECADES, xtol=1e-9)
    return equal_grid(known, C, decades=float(decades))  # pyright: ignore[reportArgumentType]


def _percent(name: str, errors: Sequence[Errors]) -> Array:
    """Standard errors in %: of log loss, and of size as a factor."""
    values = np.array([getattr(each, name) for each in errors])
    return 100 * (values if name == "loss" else np.expm1(values))
