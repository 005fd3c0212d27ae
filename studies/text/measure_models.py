"""Shapes of one size, and LSTMs against transformers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import isoflop
from isoflop.accounting.architecture import Architecture
from isoflop.runs.ladders.ladder import Ladder
from isoflop.runs.table import RunTable
from studies.text.results import Panel, Result, Series, Table, attempt
from studies.text.tables import at_largest, at_nearest, average_seeds, sizes_of

KAPLAN_SHAPES = (
    "Kaplan et al. 2020 found 6 layers of width 4288 within 3 % of 48 layers of width 1600. Here "
    "depths are 1 to 8, too few to say whether depth matters, and every model has two heads."
)
KAPLAN_LSTM = (
    "Kaplan et al. 2020: LSTMs do as well as transformers early in the context and gain nothing "
    "more within 100 tokens. The context here is 64 bytes, where that is not reached; what a "
    "transformer makes of longer ones is not measured."
)


def measure_shapes(studies: Sequence[Path]) -> Result:
    """Hold shapes of one size against the best of them (Kaplan et al. 2020, figure 5)."""
    table = at_largest(isoflop.tabulate_studies(list(studies)), "n_tokens")
    names = np.array(table.text("rung"))
    found = {}
    for rung in dict.fromkeys(names):
        rows = np.flatnonzero(names == rung)
        loss = table.numbers("loss")[rows]
        spread = float(loss.std(ddof=1)) if len(loss) > 1 else "–"
        size = float(table.numbers("n_params_non_embedding")[rows[0]])
        found[str(rung)] = (size, float(loss.mean()), spread)
    best = min(loss for _, loss, _ in found.values())
    rows = [(n, size, loss, sd, 100 * (loss / best - 1)) for n, (size, loss, sd) in found.items()]
    columns = ("layers-width-d_ff/width", "N non-embedding", "loss", "sd of seeds", "% above best")
    table = Table("Shapes of about one size on one budget", columns, tuple(rows))
    ladder = isoflop.Study.open(studies[0]).ladder
    panel = _shape_panel(ladder, {name: loss for name, (_, loss, _) in found.items()})
    return Result((table,), (panel,), (KAPLAN_SHAPES,))


def _shape_panel(ladder: Ladder, losses: Mapping[str, float]) -> Panel:
    """Loss by aspect ratio, a series for each d_ff over width."""
    series = []
    shapes = {
        rung.name: rung.architecture
        for rung in ladder.rungs
        if isinstance(rung.architecture, Architecture)
    }
    for ratio in sorted({shape.d_ff / shape.d_model for shape in shapes.values()}):
        own = [n for n, shape in shapes.items() if shape.d_ff / shape.d_model == ratio]
        points = sorted((shapes[n].d_model / shapes[n].n_layer, losses[n]) for n in own)
        x, y = zip(*points, strict=True)
        series.append(Series(f"d_ff / width = {ratio:g}", x, y, look="joined"))
    labels = ("aspect ratio, width / layers", "loss (nats/byte)")
    title = "Shapes of about one size on one budget"
    return Panel("shape", title, "aspect_ratio", "loss", tuple(series), labels)


def measure_lstm(studies: Sequence[Path]) -> Result:
    """Race LSTMs against the grid's transformers; loss by position of two alike."""
    grid, lstm = (isoflop.tabulate_studies([path]) for path in studies)
    race: Any = attempt(lambda: isoflop.race_runs(grid, lstm))
    if isinstance(race, str):
        rows: tuple[Any, ...] = (("–", race, "–", "–"),)
    else:
        rows = tuple((f"{lap.flops:.3g}", lap.loss_a.to_dict(), lap.loss_b.to_dict(), str(lap))
                     for lap in race.laps)  # fmt: skip
    notes = (*(() if isinstance(race, str) else (f"{race.verdict}.",)), KAPLAN_LSTM)
    columns = ("FLOPs", "loss, transformer", "loss, LSTM", "compute A needs for B's loss, over B's")
    panels = (_race_panel(grid, lstm), _position_panel(studies))
    return Result((Table("A transformers, B LSTMs", columns, rows),), panels, notes)


def _race_panel(grid: RunTable, lstm: RunTable) -> Panel:
    """Losses of every size by the FLOPs of its runs."""
    series = []
    for label, table in (("transformer", average_seeds(grid)), ("LSTM", average_seeds(lstm))):
        for size in sizes_of(table):
            own = table.select(table.numbers("n_params") == size)
            order = np.argsort(own.numbers("flops"))
            x, y = (tuple(map(float, own.numbers(n)[order])) for n in ("flops", "loss"))
            series.append(Series(label, x, y, look="joined"))
    return Panel("lstm", "Runs of each size, by family", "flops", "loss", tuple(series))


def _position_panel(studies: Sequence[Path]) -> Panel:
    """Loss by position of the largest LSTM, and of the transformer nearest in size and budget."""
    by_family = [isoflop.tabulate_studies([path], rows="positions") for path in studies]
    lstm = at_largest(at_largest(by_family[1], "n_params"), "n_tokens")
    alike = at_nearest(by_family[0], "n_tokens", float(lstm.numbers("n_tokens")[0]))
    alike = at_nearest(alike, "n_params", float(lstm.numbers("n_params")[0]))
    series = []
    for family, table in (("transformer", alike), ("LSTM", lstm)):
        table = average_seeds(table, keys=("n_params", "position"))
        label = f"{family}, {table.numbers('n_params')[0]:,.0f} parameters"
        x, y = table.numbers("position"), table.numbers("loss")
        series.append(Series(label, tuple(map(float, x)), tuple(map(float, y)), look="line"))
    title = "L(T) at about one size, on one budget"
    return Panel("lstm-position", title, "position", "loss", tuple(series))
