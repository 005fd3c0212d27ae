"""Shapes of one size, and LSTMs against transformers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import isoflop
from studies.text.results import Panel, Result, Series, Table, attempt
from studies.text.tables import at_largest, average_seeds


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
    return Result((Table("Shapes of about one size on one budget", columns, tuple(rows)),))


def measure_lstm(studies: Sequence[Path]) -> Result:
    """Race LSTMs against the grid's transformers; loss by position of the largest of each."""
    grid, lstm = (isoflop.tabulate_studies([path]) for path in studies)
    race: Any = attempt(lambda: isoflop.race_runs(grid, lstm))
    if isinstance(race, str):
        rows: tuple[Any, ...] = (("–", race, "–", "–"),)
    else:
        rows = tuple((f"{lap.flops:.3g}", lap.loss_a.to_dict(), lap.loss_b.to_dict(), str(lap))
                     for lap in race.laps)  # fmt: skip
    notes = () if isinstance(race, str) else (race.verdict,)
    columns = ("FLOPs", "loss, transformer", "loss, LSTM", "compute A needs for B's loss, over B's")
    series = []
    for label, path in zip(("transformer", "LSTM"), studies, strict=True):
        table = isoflop.tabulate_studies([path], rows="positions")
        largest = at_largest(at_largest(table, "n_params"), "n_tokens")
        table = average_seeds(largest, keys=("n_params", "position"))
        x, y = table.numbers("position"), table.numbers("loss")
        series.append(Series(label, tuple(map(float, x)), tuple(map(float, y)), look="line"))
    panel = Panel("lstm-position", "L(T), largest of each", "position", "loss", tuple(series))
    return Result((Table("A transformers, B LSTMs", columns, rows),), (panel,), notes)
