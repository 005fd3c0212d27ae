"""`isoflop check` on every public run table: `python -m benchmarks.checkup_tables FOLDER`.

Prints, a table, what was found, and writes the rows of docs/reproductions/checkup.md. The files
are not part of the project; see `benchmarks/public_tables.py` for where they are expected.
"""

import csv
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.public_tables import public_tables
from isoflop.plan.checkup.diagnosis import Diagnosis
from isoflop.plan.checkup.examine import check_runs
from isoflop.runs.table import RunTable

MOST_ROWS = 2_000
"""Larger tables, of routed models, are of another law."""
FOLDER = Path(os.environ.get("ISOFLOP_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))


def tables(data: Path) -> Iterator[tuple[str, RunTable]]:
    """Public tables, and two with the columns that only a checkup reads."""
    for table in public_tables(data):
        if len(table.runs) <= MOST_ROWS and not table.name.startswith("step-law"):
            yield table.name, table.runs
    yield from _step_law(data)
    yield from _over_training(data)


def _step_law(data: Path) -> Iterator[tuple[str, RunTable]]:
    path = data / "step-law" / "dense_lr_bs_loss.csv"
    if not path.exists():
        return
    lines = list(csv.DictReader(path.open(encoding="utf-8")))
    rows = [
        {
            "n_params": float(line["N"]),
            "n_tokens": float(line["D"]),
            "lr": float(line["lr"]),
            "batch_tokens": float(line["bs"]) * 2048,
            "loss": float(line["smooth loss"]),
        }
        for line in lines
    ]
    yield "step-law/all learning rates", RunTable.from_records(rows, source=path.name)


def _over_training(data: Path) -> Iterator[tuple[str, RunTable]]:
    path = data / "over-training" / "runs_table.csv"
    if not path.exists():
        return
    rows = [
        {
            "run": line["name"],
            "n_params": float(line["params"]),
            "n_params_non_embedding": float(line["params_no_embed"]),
            "n_tokens": float(line["tokens"]),
            "lr": float(line["lr"]),
            "dataset": line["dataset"],
            "loss": float(line["loss:eval_data/c4_val"]),
        }
        for line in csv.DictReader(path.open(encoding="utf-8"))
        if line["loss:eval_data/c4_val"]
    ]
    yield "over-training/all corpora on C4", RunTable.from_records(rows, source=path.name)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1] != "--json" else FOLDER
    for name, table in tables(folder):
        checkup = check_runs(table)
        print(f"\n## {name}: {checkup.n_runs} rows, {checkup.n_usable} fitted; {checkup.surface}")
        for found in checkup.findings:
            print(f"{found.severity:8}{found.code:26}{_price(found):52}{found.evidence}")


def _price(found: Diagnosis) -> str:
    change = found.shift
    if change is None:
        return ""
    return (
        f"a {change.exponent:.3f} -> {change.corrected:.3f}, N* x{change.ratio:.2f}, "
        f"waste {100 * change.waste:.1f} %"
    )


if __name__ == "__main__":
    main()
