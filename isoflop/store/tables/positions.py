"""Losses by position in the context, L(T), of finished runs as a run table."""

from collections.abc import Sequence
from typing import Any

from isoflop.base.errors import InputError
from isoflop.runs.table import RunTable
from isoflop.store.journal import read_journal
from isoflop.store.study import Study

_SHARED = (
    "run", "n_params", "n_params_non_embedding", "n_params_with_head", "n_tokens", "flops",
    "batch_tokens", "steps", "lr", "seed", "family", "dataset", "tokenizer", "loss_unit",
    "eval_set", "status",
)  # fmt: skip


def position_table(studies: Sequence[Study]) -> RunTable:
    """Gather the losses by position of finished runs; fit one with `--law per-token`.

    Args:
        studies: at least one whose runs have them; studies trained before they were measured do
            not.

    Returns:
        One row for each run and position: `position` T is the number of tokens of context that
        the prediction sees, 1 to n_ctx; `loss` is L(T).

    Raises:
        InputError: no run of the studies has losses by position.
    """
    rows: list[dict[str, Any]] = []
    for study in studies:
        for row in study.manifests().values():
            points = read_journal(study.run_folder(row["run"]) / "journal.jsonl").records
            losses = points[-1].get("loss_by_position", []) if points else []
            shared = {key: row[key] for key in _SHARED if row.get(key) is not None}
            rows += [
                {**shared, "position": T, "loss": loss}
                for T, loss in enumerate(losses, start=1)
                if loss is not None
            ]
    names = ", ".join(str(study.path) for study in studies)
    if not rows:
        raise InputError(f"{names}: no run has losses by position; train it with this release")
    return RunTable.from_records(rows, source=names)
