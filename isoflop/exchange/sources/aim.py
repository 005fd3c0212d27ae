"""Aim's CSV export of its metrics page: a row a metric, at its last step, with the run's settings.

Aim's own store is RocksDB, which is not read. Columns are the page's: run, metric, context, value,
step, epoch, time, then the settings shown.
"""

from pathlib import Path

from isoflop.exchange.foreign_json import Scalar, number
from isoflop.exchange.found import Found, Refused, SourceRun
from isoflop.exchange.sources.csv_rows import read_csv

MARKS = frozenset({"run", "metric", "context", "value", "step"})
_PAGE = MARKS | {"epoch", "time", "experiment", "hash", "description", "date", "duration"}


def is_metrics_page(header: list[str]) -> bool:
    """Tell whether a header is that of Aim's metrics page."""
    return set(header) >= MARKS


def read(path: Path) -> Found:
    """Read an export; metrics of one run become its last values."""
    rows = read_csv(path)
    settings: dict[str, dict[str, Scalar]] = {}
    metrics: dict[str, dict[str, Scalar]] = {}
    steps: dict[str, float] = {}
    ends: dict[str, set[float]] = {}
    refused: list[Refused] = list(rows.refused)
    for k, row in enumerate(rows.rows, start=1):
        value = number(row["value"])
        if value is None:
            refused.append(Refused(f"row {k} `value`", "not a number; ungroup the page's rows"))
            continue
        run = row.get("hash") or row["run"]
        own = metrics.setdefault(run, {})
        name = _metric(row["metric"], row["context"])
        if name in own:
            refused.append(Refused(f"row {k}", f"{name} of {row['run']} a second time"))
            continue
        own[name] = value
        step = number(row["step"])
        steps[run] = max(steps.get(run, 0.0), step if step is not None else 0.0)
        ends.setdefault(run, set()).update(() if step is None else (step,))
        kept = {n: c for n, c in row.items() if n not in _PAGE and c not in ("", "-", "None")}
        shown = {"aim_experiment": row.get("experiment", ""), "step": steps[run]}
        settings[run] = {**settings.get(run, {}), **kept, **shown, "aim_run": row["run"]}
    runs = tuple(
        SourceRun(str(settings[run].pop("aim_run")), settings[run], {}, own)
        for run, own in metrics.items()
    )
    notes = ["Aim's page exports the last value of each metric, not its curve"]
    apart = [run for run, own in ends.items() if len(own) > 1]
    if apart:
        notes.append(f"in {len(apart)} runs these are of different steps; steps is the largest")
    known = {"steps": "step"}
    return Found(
        "Aim CSV export of metrics", runs, rows.n_read, "rows", tuple(refused), tuple(notes), known
    )


def _metric(name: str, context: str) -> str:
    """Aim tells apart metrics of one name by their context, such as subset=val."""
    values = [part.split("=", 1)[-1].strip(" \"'{}[]") for part in context.split(",")]
    return "/".join([*(value for value in values if value), name])
