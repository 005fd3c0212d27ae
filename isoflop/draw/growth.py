"""A growth of compute as a stack: how much of it goes to each thing that can grow.

Legend: C compute, N parameters, D tokens, B batch in tokens, S serial steps. On a log axis the
factors add up: N·B·S = C under Kaplan's accounting, N·D = C/6 under C = 6ND.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from isoflop.base.errors import InputError
from isoflop.base.estimate import Estimate, interval_from_draws
from isoflop.draw.canvas import INK, OKABE_ITO, figure_of, house_style, new_panels, set_log_axis
from isoflop.draw.series import NONE, Array, AxisLabels, Line
from isoflop.draw.ticks import format_amount, spread_labels
from isoflop.fitting.fit import Fit
from isoflop.plan.constants import Constants, take_constants
from isoflop.plan.kaplan.split import Split
from isoflop.plan.optimum.choose import AnyLaw, choose_law
from isoflop.plan.optimum.optimum import optima_of_draws, optimal_params
from isoflop.plan.possible import check_positive
from isoflop.runs.cost import TokenCost

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 40
LAYERS = {"n_params": "model size", "batch_tokens": "batch", "steps": "serial steps"}
"""From the bottom of the stack."""
LABEL_GAP = 0.17
"""Share of the axis between the names of neighbouring layers: three lines of text."""


@dataclass(frozen=True, eq=False)
class GrowthFigure:
    """What a growth of compute is made of.

    Args:
        layers: factor by which each thing grows along compute, from the bottom of the stack,
            with its interval.
        words: what stands beside each layer.
        source: law or rules, in words.
        relative: whether compute is given as a factor of the start, not in FLOPs.
        labels: names of the axes.
    """

    layers: tuple[Line, ...]
    words: tuple[str, ...]
    source: str
    relative: bool
    labels: AxisLabels


def growth_figure(split: Split) -> GrowthFigure:
    """Stack model size, batch and serial steps (Kaplan et al. 2020, figure 3).

    Args:
        split: from `split_growth`, of a growth above 1.

    Raises:
        InputError: compute that does not grow.

    >>> from isoflop.plan.kaplan.split import split_growth
    >>> figure = growth_figure(split_growth(1e9))
    >>> [f"{layer.y[-1]:.3g}" for layer in figure.layers]
    ['3.72e+06', '145', '1.86']
    """
    if not split.compute > 1:
        raise InputError(f"compute must grow to be drawn, found a factor of {split.compute:g}")
    growth = np.geomspace(1.0, split.compute, POINTS)
    layers, words = [], []
    for name, label in LAYERS.items():
        exponent = split.exponents[name]
        low, high = (NONE if end is None else growth**end for end in (exponent.low, exponent.high))
        layers.append(Line(label, growth, growth**exponent.value, low, high))
        words.append(f"{label}, ∝ $C^{{{exponent.value:.2f}}}$\n×{getattr(split, name)}")
    words[1] += f"\n(tokens ×{split.n_tokens})"
    return GrowthFigure(
        layers=tuple(layers),
        words=tuple(words),
        source=", ".join(split.rules),
        relative=True,
        labels=AxisLabels(flops="compute, times that of the start"),
    )


def allocation_figure(
    law: AnyLaw | str, flops: tuple[float, float], *, cost: TokenCost | None = None
) -> GrowthFigure:
    """Stack parameters and tokens of the compute-optimal run, from one budget to another.

    Args:
        law: a fit of n_params and n_tokens, a published law, or the name or file of one.
        flops: the first and the last budget, FLOPs.
        cost: FLOPs per token as a function of size; as the fitted runs spent them by default.

    Raises:
        InputError: budgets that do not grow, or a law of other variables.
        RefusalError: a law without an optimum at one of the budgets.

    >>> figure = allocation_figure("besiroglu-2024", (1e20, 1e24))
    >>> n_params, n_tokens = (layer.y[-1] for layer in figure.layers)
    >>> round(float(n_params * n_tokens))
    10000
    """
    for budget in flops:
        check_positive(flops=budget)
    if not flops[1] > flops[0]:
        raise InputError(f"budgets must grow, found {flops[0]:g} to {flops[1]:g} FLOPs")
    chosen = choose_law(law) if isinstance(law, str) else law
    constants = take_constants(chosen, reads="n_params,n_tokens")
    cost = cost or TokenCost(chosen.data.cost_per_root if isinstance(chosen, Fit) else 0.0)
    budgets = np.geomspace(*flops, POINTS)
    sizes, many = _optima(constants, budgets, cost)
    tokens, many_tokens = (budgets / cost.flops_per_token(each) for each in (sizes, many))
    amounts = {"parameters N": (sizes, many), "tokens D": (tokens, many_tokens)}
    layers = tuple(_layer(name, budgets, *rows, constants) for name, rows in amounts.items())
    return GrowthFigure(
        layers=layers,
        words=tuple(_describe(layer, amounts[layer.label][0], constants.level) for layer in layers),
        source=f"compute-optimal run, {constants.name}, {cost}"
        + (f", {100 * constants.level:.0f} % intervals" if len(many) else ""),
        relative=False,
        labels=AxisLabels(flops="training compute C (FLOPs)"),
    )


@house_style()
def draw_growth(figure: GrowthFigure, axes: "Sequence[Axes] | None" = None) -> "Figure":
    """Draw the stack, each layer named beside its end.

    Args:
        figure: the data.
        axes: one panel of yours; a new figure if None.
    """
    if axes is None:
        _, axes = new_panels(1, width=5.6, height=3.4)
    ax, floor, middles = axes[0], np.ones_like(figure.layers[0].x), []
    x = figure.layers[0].x
    for layer, colour in zip(figure.layers, OKABE_ITO, strict=False):
        top = floor * layer.y
        ax.fill_between(x, floor, top, color=colour, alpha=0.55, linewidth=0)
        ax.plot(x, top, color=colour, linewidth=1.2)
        middles.append(float(np.sqrt(floor[-1] * top[-1])))
        floor = top
    highest = float(max(floor[-1], x[-1] / x[0]))
    set_log_axis(ax, "x", "flops", figure.labels, limits=(float(x[0]), float(x[-1])))
    set_log_axis(ax, "y", "flops", figure.labels, limits=(1.0, highest))
    ax.set_ylabel("growth over the start, stacked (×)")
    ax.set_title(figure.source, loc="left", fontsize=8.0)
    wanted = [np.log(middle) / np.log(highest) for middle in middles]
    places = _keep_within(spread_labels(wanted, LABEL_GAP))
    for text, middle, place, colour in zip(figure.words, wanted, places, OKABE_ITO, strict=False):
        ax.annotate(text, (1.0, middle), xytext=(1.05, place), xycoords="axes fraction",
                    va="center", color=INK, fontsize=8.0, annotation_clip=False,
                    arrowprops={"arrowstyle": "-", "color": colour, "shrinkA": 0, "shrinkB": 0},
                    )  # fmt: skip
    return figure_of(axes)


def _optima(constants: Constants, budgets: Array, cost: TokenCost) -> tuple[Array, Array]:
    """N* at each budget, (m,), and for each draw, (K, m)."""
    law, theta, draws = constants.law, constants.theta, constants.draws
    sizes = [optimal_params(law, theta, float(C), cost=cost)[0] for C in budgets]
    many = [optima_of_draws(law, draws, float(C), cost)[0] for C in budgets]
    return np.array(sizes), np.array(many).T


def _layer(label: str, x: Array, amounts: Array, many: Array, constants: Constants) -> Line:
    """Growth over the first budget; each draw is divided by its own start."""
    growth = amounts / amounts[0]
    if not len(many):
        return Line(label, x, growth, NONE, NONE)
    rows = many / many[:, :1]
    ends = [
        interval_from_draws(
            float(y), of, level=constants.level, stretch=constants.stretch, log=True
        )
        for y, of in zip(growth, rows.T, strict=True)
    ]
    low, high = (np.array([getattr(e, end) or e.value for e in ends]) for end in ("low", "high"))
    return Line(label, x, growth, low, high)


def _describe(layer: Line, amounts: Array, level: float) -> str:
    exponent = np.log(layer.y[-1]) / np.log(layer.x[-1] / layer.x[0])
    ends = (float(layer.low[-1]), float(layer.high[-1])) if layer.has_band else (None, None)
    first, last = (format_amount(float(amount)) for amount in amounts[[0, -1]])
    return (
        f"{layer.label}, ∝ $C^{{{exponent:.2f}}}$\n×{Estimate(float(layer.y[-1]), *ends, level)}\n"
        f"{first} to {last}"
    )


def _keep_within(places: list[float]) -> list[float]:
    """Push names down from the upper end of the axis, the lower ones only as far as they must."""
    kept, ceiling = [], 1 - LABEL_GAP / 2
    for place in reversed(places):
        kept.append(min(place, ceiling))
        ceiling = kept[-1] - LABEL_GAP
    return kept[::-1]
