"""OLMo-ladder CSVs: one file a run, a row a step, as its download_wandb_logs.py writes them.

Tokens are `throughput/total_tokens`, else `_step` times `batch_size_in_tokens`, the ladder's own
rule. The size of the model is in neither; add it, or read the files with `--columns`.
"""

from pathlib import Path

import numpy as np

from isoflop.base.errors import InputError
from isoflop.exchange.bounded import walk
from isoflop.exchange.foreign_json import Scalar, number
from isoflop.exchange.found import Found, Refused, Series, SourceRun
from isoflop.exchange.gather_points import curve_runs
from isoflop.exchange.sources.csv_rows import first_line, read_csv

MARKS = frozenset({"_step", "batch_size_in_tokens", "learning_rate_peak"})
_GFLOPS, _TOKENS = "throughput/total_training_Gflops", "throughput/total_tokens"


def is_log(header: list[str]) -> bool:
    """Tell whether a header is that of a ladder's log."""
    return set(header) >= MARKS


def read(path: Path) -> Found:
    """Read one run's log, or every log below a folder."""
    files = [path] if path.is_file() else [p for p in walk(path) if has_log(p)]
    runs: list[SourceRun] = []
    refused: list[Refused] = []
    n_read = 0
    for file in files:
        try:
            run, count, bad = _read_log(file)
        except InputError as error:
            if len(files) == 1:
                raise
            refused.append(Refused(file.name, str(error)))
            continue
        n_read += count
        refused += bad
        runs += run
    known = {
        "n_tokens": "tokens",
        "batch_tokens": "batch_size_in_tokens",
        "lr": "learning_rate_peak",
        "steps": "_step",
        "flops": "flops",
    }
    notes = ("n_tokens is throughput/total_tokens, else _step · batch_size_in_tokens",)
    return Found(
        "OLMo-ladder CSV", tuple(runs), n_read, "rows", tuple(refused), notes, known,
        {name: "bits/byte" for run in runs for name in run.curves if name.endswith("_bpb")},
    )  # fmt: skip


def has_log(path: Path) -> bool:
    """Tell whether a file is a ladder's log by its name and first line."""
    if path.suffix != ".csv":
        return False
    with path.open("rb") as file:
        return is_log(first_line(file.readline(1 << 20).decode("utf-8", errors="replace")))


def _read_log(file: Path) -> tuple[list[SourceRun], int, list[Refused]]:
    rows = read_csv(file)
    listed: list[dict[str, Scalar]] = [{**row, "": file.stem} for row in rows.rows]
    found, refused = curve_runs(listed, "", "_step", rows.numbers)
    runs = []
    for run in found:
        cells = dict(run.settings)
        curves = dict(run.curves)
        for name in ("batch_size_in_tokens", "learning_rate_peak"):
            if name in curves:
                cells[name] = float(curves.pop(name).value[-1])
        batch = number(cells.get("batch_size_in_tokens"))
        if _TOKENS in curves:
            curves["tokens"] = curves[_TOKENS]
        elif batch is not None:
            steps = np.unique(np.concatenate([curve.step for curve in run.curves.values()]))
            curves["tokens"] = Series(steps, steps * batch)
        if _GFLOPS in curves:
            curves["flops"] = Series(curves[_GFLOPS].step, 1e9 * curves[_GFLOPS].value)
        runs.append(SourceRun(file.stem, cells, curves))
    return runs, rows.n_read, [*rows.refused, *refused]
