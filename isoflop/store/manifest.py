"""The manifest of a run: its row of the run table, committed atomically when it is over."""

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isoflop.accounting.families import take_inventory
from isoflop.accounting.flops import flops_per_token
from isoflop.accounting.params import ParamCount, count_params
from isoflop.base import strict_json
from isoflop.base.atomic import write_atomic
from isoflop.runs.ladders.ladder import Ladder, PlannedRun, Rung, runs_of
from isoflop.runs.ladders.shapes import model_label
from isoflop.runs.recipes.recipe import SCHEDULES
from isoflop.store.document import FORMAT, Kinds, read_document
from isoflop.store.journal import Record, rewrite_journal

FINISHED = "finished"
DIVERGED = "diverged"

_NEEDED: Kinds = {
    "format": int,
    "run": str,
    "rung": str,
    "status": str,
    "seed": int,
    "n_params": int,
    "n_tokens": int,
    "flops": (int, float),
    "loss": (int, float, type(None)),
    "journal_sha256": str,
}


def commit_run(
    folder: Path, row: Mapping[str, Any], curve: Iterable[Record], diverged_step: int | None
) -> None:
    """Write the journal of a run that is over, then its manifest: from then on it is finished.

    Args:
        folder: the run's folder.
        row: its row of the run table without its status.
        curve: its learning curve, the journal's records.
        diverged_step: step of the first loss that was not a number, None if all were.
    """
    payload = rewrite_journal(folder / "journal.jsonl", curve)
    loss = row["loss"]
    document = {
        "format": FORMAT,
        **row,
        "loss": loss if loss is not None and math.isfinite(loss) else None,
        "status": FINISHED if diverged_step is None else DIVERGED,
        "diverged_step": diverged_step,
        "journal_sha256": hashlib.sha256(payload).hexdigest(),
    }
    write_atomic(folder / "run.json", strict_json.dumps(document, indent=1) + "\n")


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Return a run's manifest, None while the run is not over.

    Raises:
        InputError: unreadable, damaged, or of another format.
    """
    path = folder / "run.json"
    if not path.exists():
        return None
    return read_document(path, _NEEDED, "delete it and resume the study to train the run again")


def journal_matches(folder: Path, manifest: Mapping[str, Any]) -> bool:
    """Tell whether a run's journal is the one its manifest was committed with."""
    path = folder / "journal.jsonl"
    if not path.is_file():
        return False
    return hashlib.sha256(path.read_bytes()).hexdigest() == manifest["journal_sha256"]


def describe_run(run: PlannedRun, ladder: Ladder) -> dict[str, Any]:
    """Return what is known of a run before it is trained, in run-table columns.

    `n_params` is the total; the other counts stand beside it, since at small sizes the choice
    moves the optimum's exponent.
    """
    return _describe(run, ladder, _Shape.of(run.rung, ladder))


def describe_runs(ladder: Ladder) -> Iterator[dict[str, Any]]:
    """Yield `describe_run` of every run of a ladder; the parameters of a rung are counted once."""
    for rung in ladder.rungs:
        shape = _Shape.of(rung, ladder)
        for run in runs_of(rung, ladder.recipe):
            yield _describe(run, ladder, shape)


@dataclass(frozen=True)
class _Shape:
    """What the runs of a rung share."""

    params: ParamCount
    n_params_with_head: int
    flops_per_token: float
    family: str

    @staticmethod
    def of(rung: Rung, ladder: Ladder) -> "_Shape":
        model = rung.architecture
        params = count_params(model)
        head = model.n_vocab * take_inventory(model).d_out
        family = f"{ladder.name}-{model_label(model)}"
        return _Shape(params, params.non_embedding + head, flops_per_token(model).matmul, family)


def _describe(run: PlannedRun, ladder: Ladder, shape: _Shape) -> dict[str, Any]:
    return {
        "run": run.id,
        "n_params": shape.params.total,
        "n_params_non_embedding": shape.params.non_embedding,
        "n_params_with_head": shape.n_params_with_head,
        "n_tokens": run.n_tokens,
        "flops": shape.flops_per_token * run.n_tokens,
        "batch_tokens": run.batch_tokens,
        "steps": run.steps,
        "lr": run.lr,
        "seed": run.seed,
        "family": shape.family,
        "dataset": ladder.corpus,
        "tokenizer": ladder.tokenizer,
        "schedule": SCHEDULES[ladder.recipe.schedule],
        "schedule_tokens": run.schedule_tokens(ladder.recipe),
        "rung": run.rung.name,
    }
