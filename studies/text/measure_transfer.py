"""The second corpus: read without training on it, and trained on from the first one's weights.

Legend: N parameters, D_F tokens fine-tuned on, D_E tokens of the second corpus that a model from
new weights needs for the same loss, D_T = D_E − D_F effective data transferred.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import isoflop
from isoflop.runs.ladders.evaluation import name_test_set
from isoflop.runs.table import RunTable
from studies.text.results import Look, Panel, Result, Series, Table, attempt, estimate_cells
from studies.text.tables import Array, at_largest, average_seeds, sizes_of

KAPLAN_OFFSET = (
    "Kaplan et al. 2020 found losses on other texts to run parallel to the own one, at a nearly "
    "constant offset: a slope near 1. Here one text is English and the other C."
)


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
    title = "Loss on the other corpus against the own one"
    labels = ("loss on the own corpus (nats/byte)", "loss on the other one (nats/byte)")
    panel = Panel("transfer", title, "loss", "loss", tuple(series), labels)
    return Result(tuple(tables), (panel,), (KAPLAN_OFFSET,))


def measure_finetune(studies: Sequence[Path]) -> Result:
    """Count what pretraining on the first corpus is worth in tokens of the second.

    Hernandez et al. 2021: D_T is what the loss of a fine-tuned model would have cost a model of
    its size from new weights, less what it was fine-tuned on.

    Args:
        studies: trained on the second corpus from new weights; the pretrained; from new weights
            on little; the fine-tuned.
    """
    second, _, little, finetuned = studies
    scratch = average_seeds(isoflop.tabulate_studies([little, second]))
    tuned = average_seeds(isoflop.tabulate_studies([finetuned]))
    rows, found, series = [], [], []
    for size in sizes_of(tuned):
        own = tuned.select(tuned.numbers("n_params") == size)
        alone = scratch.select(scratch.numbers("n_params") == size)
        label = f"{size:,.0f} parameters"
        series += [_curve(own, label, "joined"), _curve(alone, label, "dashed")]
        amounts = (own.numbers(n) for n in ("n_tokens", "loss", "n_params_non_embedding"))
        for budget, loss, counted in zip(*amounts, strict=True):
            needed = _tokens_to(alone, loss)
            extra = needed - budget if isinstance(needed, float) else "–"
            rows.append((size, budget, loss, needed, extra))
            if isinstance(extra, float) and extra > 0:
                row = {"n_params": counted, "n_finetune": budget, "n_transferred": extra}
                found.append({name: float(value) for name, value in row.items()})
    columns = ("N, total", "D_F", "loss after it", "D_E: from new weights", "D_T = D_E − D_F")
    tables = (Table("Effective data transferred", columns, tuple(rows)), _transfer_law(found))
    title = "The second corpus, from the first one's weights (solid) and from new ones (dashed)"
    panel = Panel("finetune", title, "n_tokens", "loss", tuple(series))
    return Result(tables, (panel,))


def _transfer_law(found: Sequence[dict[str, Any]]) -> Table:
    names = ("k", "alpha", "beta")
    table = RunTable.from_records(found, source="effective data transferred")
    law = attempt(lambda: isoflop.fit(table, "transfer"))
    published = isoflop.find_published("hernandez-2021-text").params
    rows = (
        ("here, bytes of C", *estimate_cells(law, names)),
        ("published: hernandez-2021-text, characters", *(published[name] for name in names)),
    )
    return Table("D_T = k D_F^alpha N^beta, N non-embedding", ("source", *names), rows)


def _curve(table: RunTable, label: str, look: Look) -> Series:
    order = np.argsort(table.numbers("n_tokens"))
    x, y = (tuple(map(float, table.numbers(n)[order])) for n in ("n_tokens", "loss"))
    return Series(label, x, y, look=look)


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
