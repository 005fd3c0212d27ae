"""Loss, tokens, FLOPs and steps of one row are of one step, or it is said that they are not."""

import json
from pathlib import Path

import pytest

from isoflop.exchange.import_runs import import_runs


def write_log(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def test_tokens_are_those_at_the_step_of_the_loss(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = []
    for step in range(0, 121, 10):
        rows.append({"run": "a", "step": step, "tokens": 1000 * (step + 1), "n_params": 7})
        if step % 50 == 0:  # the last loss is of step 100, the last tokens are of 120
            rows.append({"run": "a", "step": step, "eval/loss": 4 - step / 100})
    imported = import_runs(write_log(tmp_path / "r.jsonl", rows))
    table = imported.table
    assert table.numbers("loss").tolist() == [3.0]
    assert table.numbers("n_tokens").tolist() == [101_000]
    assert table.numbers("steps").tolist() == [100]
    assert (
        "the loss of 1 runs ends before their log does (a: step 100 of 120); tokens, FLOPs and "
        "steps are read at the step of the loss"
    ) in imported.notes
    assert not any("was not logged at the step" in note for note in imported.notes)


@pytest.mark.parametrize(
    ("token_steps", "read", "at"), [((40, 90, 140), 90_000, 90), ((120, 140), 120_000, 120)]
)
def test_tokens_of_another_step_are_carried_by_the_rule_and_said(
    token_steps: tuple[int, ...], read: int, at: int, tmp_path: Path
) -> None:
    rows: list[dict[str, object]] = [{"run": "a", "step": s, "loss": 3.0} for s in (50, 100)]
    rows += [{"run": "a", "step": s, "tokens": 1000 * s} for s in token_steps]
    imported = import_runs(write_log(tmp_path / "r.jsonl", rows))
    assert imported.table.numbers("n_tokens").tolist() == [read]
    (note,) = [n for n in imported.notes if "was not logged at the step of the loss" in n]
    assert note.endswith(f"(a: step {at} for 100)")


def test_steps_times_tokens_is_of_the_step_of_the_loss(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"run": "a", "step": s, "loss": 3.0} for s in (50, 100)]
    rows.append({"run": "a", "step": 120, "grad_norm": 1.0})
    imported = import_runs(write_log(tmp_path / "r.jsonl", rows), tokens_per_step=512)
    assert imported.table.numbers("n_tokens").tolist() == [51_200]


def test_the_axis_of_wandb_rows_is_read(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"name": run, "_step": s, "_timestamp": 1.5, "val_loss": 4 - s / 100}
        for run in ("a", "b")
        for s in (50, 100)
    ]
    imported = import_runs(write_log(tmp_path / "r.jsonl", rows))
    assert imported.table.names() == ["a", "b"]
    assert imported.table.numbers("loss").tolist() == [3.0, 3.0]
    assert imported.table.numbers("steps").tolist() == [100, 100]


def test_rows_without_the_name_of_a_run_are_refused(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"run": "a", "step": s, "val_loss": 3.0} for s in (50, 100)]
    rows.insert(1, {"step": 70, "val_loss": 9.0})
    imported = import_runs(write_log(tmp_path / "r.jsonl", rows))
    assert imported.table.names() == ["a"]
    assert [(r.where, r.why) for r in imported.refused] == [("row 2 `run`", "no name of a run")]


def test_a_plain_loss_of_a_table_of_curves_is_not_called_a_training_loss(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"run": "a", "step": s, "loss": 3.0} for s in (50, 100)]
    notes = import_runs(write_log(tmp_path / "r.jsonl", rows)).notes
    assert "loss is 'loss': held-out or of training, its name does not say" in notes
    rows = [{"run": "a", "step": s, "train_loss": 3.0} for s in (50, 100)]
    notes = import_runs(write_log(tmp_path / "r.jsonl", rows)).notes
    assert "loss is 'train_loss', a training loss: no held-out loss was found" in notes
