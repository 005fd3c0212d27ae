"""Points of studies' trunks as a run table: loss and gradient noise along training.

One row a point; only the constant-rate trunk, never a cooldown, so that curves compare. A trunk
serves every token budget of its rung and seed: it is listed once, as its longest run has it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from isoflop.base.errors import InputError
from isoflop.runs.table import RunTable
from isoflop.store.journal import read_journal
from isoflop.store.study import Study

_SHARED = (
    "n_params", "n_params_non_embedding", "n_params_with_head", "batch_tokens", "lr", "seed",
    "family", "dataset", "tokenizer", "loss_unit", "eval_set",
)  # fmt: skip
_OF_POINT = ("loss", "train_loss", "noise_scale", "grad_sq", "grad_trace")


def curve_points(studies: Sequence[Study]) -> RunTable:
    """Gather the trunks of studies, such as one study a batch size.

    Args:
        studies: at least one with a run that is over.

    Returns:
        One row a point: `run` (study, rung and seed), `steps`, `n_tokens`, `flops`, `loss`,
        `train_loss`, and `noise_scale` in tokens where the study measured it.

    Raises:
        InputError: no run is over, or two studies share a name.
    """
    names = [study.path.resolve().name for study in studies]
    if len(set(names)) < len(names):
        raise InputError("two studies have the same folder name; rename one, runs carry it")
    rows: list[dict[str, Any]] = []
    for name, study in zip(names, studies, strict=True):
        for row in _longest(study).values():
            rows += _rows(name, study, row)
    if not rows:
        raise InputError(f"{', '.join(names)}: no run is over yet, so there are no curves")
    return RunTable.from_records(rows, source=", ".join(str(study.path) for study in studies))


def _longest(study: Study) -> dict[tuple[str, int], Mapping[str, Any]]:
    """The run of every trunk that has most of it."""
    found: dict[tuple[str, int], Mapping[str, Any]] = {}
    for row in study.manifests().values():
        trunk = row["rung"], row["seed"]
        if trunk not in found or row["n_tokens"] > found[trunk]["n_tokens"]:
            found[trunk] = row
    return found


def _rows(name: str, study: Study, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    shared = {key: row[key] for key in _SHARED if row.get(key) is not None}
    shared["run"] = f"{name}/{row['rung']}-s{row['seed']}"
    per_token = row["flops"] / row["n_tokens"]
    points = read_journal(study.run_folder(row["run"]) / "journal.jsonl").records
    return [
        {
            **shared,
            "steps": point["step"],
            "n_tokens": point["tokens"],
            "flops": per_token * point["tokens"],
            **{key: point[key] for key in _OF_POINT if key in point},
        }
        for point in points
        if point["phase"] == "trunk"
    ]
