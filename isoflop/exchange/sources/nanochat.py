"""nanochat's `results.csv`, of its miniseries and of its scaling-law grid.

Columns as runs/miniseries.sh and runs/scaling_laws.sh write them. Losses are bits per byte; a
CORE score of 0.0 is what the scripts write when they found none in the log.
"""

from pathlib import Path

from isoflop.exchange.foreign_json import Scalar, number
from isoflop.exchange.found import Found, SourceRun
from isoflop.exchange.sources.csv_rows import read_csv

MARKS = frozenset({"depth", "num_iterations", "tokens_trained", "val_bpb"})
_NON_EMBEDDING = ("params_transformer", "params_scalars")
_NOTES = (
    "loss is val_bpb, bits per byte",
    "flops is the budget asked for, by nanochat's own count per token",
    "n_params_non_embedding = params_transformer + params_scalars; with the head, + params_lm_head",
    "num_scaling_params is kept under its own name: what it counts has changed between versions",
)


def is_results(header: list[str]) -> bool:
    """Tell whether a header is that of nanochat's results."""
    return set(header) >= MARKS


def read(path: Path) -> Found:
    """Read a results file, a row a run."""
    rows = read_csv(path)
    runs = tuple(SourceRun("", _settings(row)) for row in rows.rows)
    header = set(rows.header)
    no_score = sum(number(row.get("core_score", "")) == 0 for row in rows.rows)
    notes = [_NOTES[0]]
    notes += [_NOTES[1]] if "flops_budget" in header else []
    notes += [_NOTES[2]] if set(_NON_EMBEDDING) <= header else []
    notes += [_NOTES[3]] if "num_scaling_params" in header else []
    if no_score:
        notes.append(f"core_score 0.0 of {no_score} runs means that none was found; left empty")
    known = {
        "run": "name",
        "loss": "val_bpb",
        "n_tokens": "tokens_trained",
        "n_params": "params_total" if "params_total" in header else "num_params",
        "steps": "num_iterations",
        "flops": "flops_budget",
        "n_params_non_embedding": "params_non_embedding",
        "n_params_with_head": "params_with_head",
    }
    units = {"val_bpb": "bits/byte"}
    return Found(
        "nanochat results.csv", runs, rows.n_read, "rows", rows.refused, tuple(notes), known, units
    )


def _settings(row: dict[str, str]) -> dict[str, Scalar]:
    depth, budget = row["depth"], row.get("flops_budget", "")
    cells: dict[str, Scalar] = {"name": f"d{depth}" + (f" {budget} FLOPs" if budget else ""), **row}
    body = [number(row.get(name, "")) for name in _NON_EMBEDDING]
    head = number(row.get("params_lm_head", ""))
    if body[0] is not None and body[1] is not None:
        cells["params_non_embedding"] = body[0] + body[1]
        if head is not None:
            cells["params_with_head"] = body[0] + body[1] + head
    if number(row.get("core_score", "")) == 0:
        cells["core_score"] = None
    return cells
