"""One figure a paper of docs/reproductions: what was published, and what its runs say here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from benchmarks import _bnsl, _clark, _gadre, _step_law, _tao
from isoflop.draw.canvas import FAINT, INK, OKABE_ITO, ordered_colours
from isoflop.draw.series import NONE, Array, Line, Points
from isoflop.draw.ticks import format_amount
from isoflop.laws.catalog import find_published
from isoflop.laws.over_training import OverTrainingLaw
from isoflop.laws.routed import RoutedLaw

BLUE, RED, GREEN = OKABE_ITO[:3]


@dataclass(frozen=True)
class Mark:
    """Points and how they look; no label, no place in the legend."""

    points: Points
    colour: str
    marker: str = "o"
    size: float = 14.0
    filled: bool = True


@dataclass(frozen=True)
class Stroke:
    """A line and how it looks."""

    line: Line
    colour: str
    style: Literal["-", "--", ":"] = "-"


@dataclass(frozen=True)
class Panel:
    """One pair of axes; names of axes that are logarithmic stand in `logs`."""

    x: str
    y: str
    marks: tuple[Mark, ...] = ()
    strokes: tuple[Stroke, ...] = ()
    title: str = ""
    logs: tuple[str, ...] = ("x", "y")


@dataclass(frozen=True)
class PaperFigure:
    """Panels side by side, one legend for all.

    Args:
        panels: from left to right.
        share_y: whether they have one vertical axis.
        ratios: relative widths; equal if empty.
    """

    panels: tuple[Panel, ...]
    share_y: bool = False
    ratios: Sequence[float] = field(default=())


def clark_figure(_: Path) -> PaperFigure:
    """Loss against experts, a colour a size, published and refitted law."""
    panels = []
    for router in _clark.PRINTED:
        table = _clark.routed_runs(router)
        N, E, loss = (table.numbers(name) for name in ("n_params", "n_experts", "loss"))
        sizes, along = np.unique(N), np.geomspace(1, 512, 60)
        marks, strokes = [], []
        for size, colour in zip(sizes, ordered_colours(sizes), strict=True):
            chosen, label = size == N, format_amount(size)
            marks.append(Mark(_points(label, E[chosen], loss[chosen]), colour))
            at = {"n_params": 0 * along + size, "n_experts": along}
            ours, theirs = (
                RoutedLaw().predict(theta, at)
                for theta in (_clark.refit(router), _clark.published(router))
            )
            strokes.append(Stroke(_line("fitted here", along, ours), colour))
            strokes.append(Stroke(_line("as printed", along, theirs), colour, ":"))
        panels.append(Panel("experts", "loss", tuple(marks), tuple(strokes), router))
    return PaperFigure(tuple(panels), share_y=True)


def gadre_figure(_: Path) -> PaperFigure:
    """Loss against compute on RedPajama, a colour an M; on all corpora, how far runs are missed."""
    told = _gadre.foretell("rpj")
    N, D, loss = (told.runs.numbers(name) for name in ("n_params", "n_tokens", "loss"))
    C, M = 6 * N * D, np.round(D / N)
    levels = np.unique(M)
    marks, strokes = [], []
    for level, colour in zip(levels, ordered_colours(levels), strict=True):
        chosen = level == M
        marks.append(Mark(_points(f"M = {level:.0f}", C[chosen], loss[chosen]), colour))
        along = np.geomspace(C[chosen].min(), C[chosen].max(), 40)
        size = np.sqrt(along / 6 / level)
        y = OverTrainingLaw().predict(told.fit.theta, {"n_params": size, "n_tokens": level * size})
        strokes.append(Stroke(_line("", along, y), colour))
    five = _points("the five fitted", C[told.fitted], loss[told.fitted])
    marks.append(Mark(five, INK, size=48, filled=False))
    miss = []
    for corpus, colour in zip(_gadre.CORPORA, (BLUE, RED, GREEN), strict=True):
        other = _gadre.foretell(corpus)
        x = other.runs.numbers("n_tokens") / other.runs.numbers("n_params")
        kept = ~other.fitted
        points = _points(_gadre.CORPORA[corpus], x[kept], other.miss[kept])
        miss.append(Mark(points, colour, "s", 10))
    zero = Stroke(_line("", np.array([4.0, 800.0]), np.zeros(2)), FAINT)
    right = Panel(
        "tokens a parameter", "predicted − measured (%)", tuple(miss), (zero,), logs=("x",)
    )
    left = Panel("flops", "loss", tuple(marks), tuple(strokes))
    return PaperFigure((left, right), ratios=(1.2, 1.0))


def step_law_figure(data: Path) -> PaperFigure:
    """Powers of the rate's rule in both sets of resamples; near-best batches and both rules."""
    theirs, ours = _step_law.authors_fits(data), _step_law.resampled()
    rate, batch = (find_published(f"li-2025-{name}").theta for name in ("lr", "batch"))
    found = _step_law.refit(_step_law.near_best())
    clouds = (
        Mark(_points("their 1,000 fits", theirs[:, 1], theirs[:, 2]), BLUE, size=3),
        Mark(_points("1,000 resamples of the 129 runs", ours[:, 1], ours[:, 2]), RED, size=3),
        Mark(_points("as printed", rate[1:2], rate[2:3]), INK, "*", 70),
        Mark(_points("fitted here", found[1:2], found[2:3]), INK, "X", 40),
    )
    table = _step_law.near_best()
    D, B = table.numbers("n_tokens"), table.numbers("batch_tokens")
    along = np.geomspace(D.min(), D.max(), 20)
    rules = (
        Stroke(_line("rule as printed", along, batch[0] * along ** batch[1]), BLUE),
        Stroke(_line("rule fitted here", along, found[3] * along ** found[4]), RED, "--"),
    )
    runs = Mark(_points("the 129 runs", D, B), FAINT, size=8)
    left = Panel("power of N in the rate", "power of D in the rate", clouds, logs=())
    return PaperFigure((left, Panel("n_tokens", "batch (tokens)", (runs,), rules)))


def tao_figure(_: Path) -> PaperFigure:
    """Best vocabularies by compute and by size of the rest, with the published rules."""
    C, _N, N_v = _tao.winners()
    rule = find_published("tao-2024-a1-v-opt").theta
    slope, level = np.polyfit(np.log(C), np.log(N_v), 1)
    ends = np.array([C.min(), C.max()])
    left = Panel(
        "flops", "vocabulary parameters",
        (Mark(_points("best of the runs", C, N_v), FAINT, size=5),),
        (Stroke(_line("approach 1, published", ends, rule[0] * ends ** rule[1]), BLUE),
         Stroke(_line("line through them", ends, np.exp(level) * ends**slope), RED, "--")),
    )  # fmt: skip
    sizes, fewest = _tao.fewest_flops()
    second = find_published("tao-2024-a2-v-opt").theta
    ends = np.array([sizes.min(), sizes.max()])
    slope, level = np.polyfit(np.log(sizes), np.log(fewest), 1)
    right = Panel(
        "other parameters", "vocabulary parameters",
        (Mark(_points("fewest FLOPs a text", sizes, fewest), INK, "D", 18),),
        (Stroke(_line("approach 2, published", ends, second[0] * ends ** second[1]), GREEN),
         Stroke(_line("line through them", ends, np.exp(level) * ends**slope), RED, "--")),
    )  # fmt: skip
    return PaperFigure((left, right), share_y=True)


def bnsl_figure(_: Path) -> PaperFigure:
    """The curve with its break, the points fitted and foretold, and how far they are missed."""
    x, loss = _bnsl.points()
    theta, n = _bnsl.refit(), _bnsl.N_FITTED
    along = np.geomspace(x.min(), x.max(), 200)
    miss = 100 * (_bnsl.predict(theta, x) / loss - 1)
    curve = Stroke(_line("fitted here", along, _bnsl.predict(theta, along)), INK)
    zero = Stroke(_line("", x[[0, -1]], np.zeros(2)), FAINT)
    panels = []
    for name, y, strokes, logs in (
        ("loss", loss, (curve,), ("x", "y")),
        ("predicted − measured (%)", miss, (zero,), ("x",)),
    ):  # fmt: skip
        marks = (Mark(_points("14 fitted", x[:n], y[:n]), BLUE),
                 Mark(_points("3 foretold", x[n:], y[n:]), RED, "s", 20))  # fmt: skip
        panels.append(Panel("training examples", name, marks, strokes, logs=logs))
    return PaperFigure(tuple(panels))


FIGURES: Mapping[str, Callable[[Path], PaperFigure]] = {
    "clark": clark_figure,
    "gadre": gadre_figure,
    "step-law": step_law_figure,
    "tao": tao_figure,
    "bnsl": bnsl_figure,
}
"""{page: its figure, from the folder of tables}"""


def _points(label: str, x: Array, y: Array) -> Points:
    return Points(label, x, y, NONE)


def _line(label: str, x: Array, y: Array) -> Line:
    return Line(label, x, y, NONE, NONE)
