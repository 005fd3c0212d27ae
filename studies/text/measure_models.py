"""Shapes, families and the second corpus."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import isoflop
from isoflop.runs.ladders.evaluation import name_test_set
from isoflop.runs.table import RunTable
from studies.text.results import Panel, Result, Series, Table, attempt
from studies.text.tables import Array, at_largest, average_seeds, sizes_of


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
        series.append(Series(label, tuple(map(float, x)), tuple(map(float, y)), line=True))
    panel = Panel("lstm-position", "L(T), largest of each", "position", "loss", tuple(series))
    return Result((Table("A transformers, B LSTMs", columns, rows),), (panel,), notes)


def measure_transfer(studies: Sequence[Path]) -> Result:
    """Read models of one corpus on the other, and say how much of it that was worth.

    Kaplan et al. 2020, section 3.2.2: the loss on another distribution follows the own one at an
    offset. Effective data transferred (Hernandez et al. 2021) is taken without fine-tuning: the
    tokens of the other corpus from which a model of the same size has the same loss on it.
    """
    first, second = studies
    ways = ((first, second), (second, first))
    tables = [_offsets(ways), _worth(ways)]
    series = []
    for own, other in ways:
        table, column = _on_other(own, other)
        x, y = table.numbers("loss"), table.numbers(column)
        label = f"{_corpus(own)} → {_corpus(other)}"
        series.append(Series(label, tuple(map(float, x)), tuple(map(float, y))))
    panel = Panel("transfer", "Loss elsewhere against own loss", "loss", "loss", tuple(series))
    note = "No model was fine-tuned: the lab has no training from another study's weights yet."
    return Result(tuple(tables), (panel,), (note,))


def _offsets(ways: Sequence[tuple[Path, Path]]) -> Table:
    rows = []
    for own, other in ways:
        table, column = _on_other(own, other)
        x, y = table.numbers("loss"), table.numbers(column)
        slope, _ = np.polyfit(x, y, 1)
        gap = y - x
        way = f"{_corpus(own)} → {_corpus(other)}"
        rows.append((way, len(x), float(gap.mean()), float(gap.std()), float(slope)))
    columns = ("trained → read", "runs", "mean offset, nats/byte", "sd of it", "slope of the line")
    return Table("Loss on the other corpus against the own one", columns, tuple(rows))


def _worth(ways: Sequence[tuple[Path, Path]]) -> Table:
    rows = []
    for own, other in ways:
        table, column = _on_other(own, other)
        scratch = isoflop.tabulate_studies([other], rows="points")
        for size in sorted(set(sizes_of(table)) & set(sizes_of(scratch))):
            run = at_largest(table.select(table.numbers("n_params") == size), "n_tokens")
            loss = float(run.numbers(column).mean())
            worth = _tokens_to(scratch.select(scratch.numbers("n_params") == size), loss)
            seen = float(run.numbers("n_tokens")[0])
            share = worth / seen if isinstance(worth, float) else "–"
            rows.append((f"{_corpus(own)} → {_corpus(other)}", size, seen, loss, worth, share))
    columns = ("trained → read", "N, total", "tokens seen", "loss there", "worth, tokens", "share")
    return Table("Effective data transferred, without fine-tuning", columns, tuple(rows))


def _tokens_to(points: RunTable, loss: float) -> float | str:
    """Tokens at which the trunk of one size first has a loss, read between its points."""
    table = average_seeds(points, keys=("n_params", "n_tokens"))
    order = np.argsort(table.numbers("n_tokens"))
    D, L = table.numbers("n_tokens")[order], table.numbers("loss")[order]
    below = np.flatnonzero(loss >= L)
    if not len(below):
        return "never reached"
    k = int(below[0])
    if k == 0:
        return f"below {D[0]:.3g}"
    x: Array = np.log(D[k - 1 : k + 1])
    y: Array = np.log(L[k - 1 : k + 1])
    return float(np.exp(x[0] + (x[1] - x[0]) * (np.log(loss) - y[0]) / (y[1] - y[0])))


def _corpus(path: Path) -> str:
    return name_test_set(isoflop.Study.open(path).ladder.corpus)


def _on_other(own: Path, other: Path) -> tuple[RunTable, str]:
    column = f"loss_{_corpus(other)}"
    table = isoflop.tabulate_studies([own])
    return table.select(np.isfinite(table.numbers("loss"))), column
