"""One `loss` column for training and held-out rows, told apart by a column that says which."""

import json
from pathlib import Path

import pytest

from isoflop.base.errors import InputError
from isoflop.exchange.export import export_runs
from isoflop.exchange.import_runs import import_runs
from isoflop.exchange.phases import find_phases
from isoflop.runs.table import RunTable


def write_log(path: Path, *, column: str, train: str, held: str) -> Path:
    """Two runs; at their common step 200 the training row is written last."""
    rows = []
    for name, n_params in (("a", 1e6), ("b", 2e6)):
        for step, phase, loss in (
            (100, train, 3.0), (200, held, 3.5), (200, train, 2.5), (250, train, 2.4),
        ):  # fmt: skip
            rows.append(
                {"run": name, column: phase, "step": step, "tokens": 10 * step}
                | {"n_params": n_params, "loss": loss}
            )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("column", "train", "held", "name"),
    [
        ("split", "train", "eval", "eval/loss"),
        ("phase", "Training", "validation", "val/loss"),
        ("kind", "train", "test", "test/loss"),
    ],
)
def test_the_held_out_loss_stands_for_a_run(tmp_path: Path, column, train, held, name) -> None:
    imported = import_runs(write_log(tmp_path / "t.jsonl", column=column, train=train, held=held))
    assert imported.table.numbers("loss").tolist() == [3.5, 3.5]
    assert imported.table.numbers("n_tokens").tolist() == [2000, 2000]  # those of the loss's step
    assert imported.table.numbers("train/loss").tolist() == [2.4, 2.4]
    assert imported.table.mapping["loss"] == name
    assert not imported.refused  # nothing was logged twice
    (said,) = [note for note in imported.notes if "tells losses" in note]
    assert said.startswith(f"{column!r} tells losses of training from held-out ones: 6 rows train")


def test_rows_of_two_held_out_sets_are_asked_about(tmp_path: Path) -> None:
    path = write_log(tmp_path / "t.jsonl", column="split", train="train", held="val")
    extra = {"run": "a", "split": "test", "step": 200, "n_params": 1e6, "loss": 3.7}
    path.write_text(path.read_text() + json.dumps(extra) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="'val/loss', 'test/loss'; say which with --columns loss="):
        import_runs(path)


def test_a_column_of_other_words_tells_no_phase() -> None:
    assert find_phases([{"kind": "train"}, {"kind": "train"}]) is None
    assert find_phases([{"kind": "train"}, {"kind": "eval"}, {"kind": "sleep"}]) is None
    assert find_phases([{"kind": 1.0}, {"kind": 2.0}]) is None


def test_neither_phases_nor_losses_are_offered_as_names(tmp_path: Path) -> None:
    rows = [
        {"split": split, "job": job, "step": step, "loss": 3.0 + step / 10}
        for job in ("x", "y") for split in ("train", "eval") for step in (1, 2)
    ]  # fmt: skip
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (note,) = [each for each in import_runs(path).notes if "points of curves" in each]
    assert "run=split" not in note
    assert "run=loss" not in note


@pytest.mark.parametrize("second", ["num_parameters", "parameter_count"])
def test_sizes_of_two_spellings_that_differ_are_asked_about(tmp_path: Path, second: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"run,params,{second},n_tokens,loss\na,1e7,1.25e7,1e9,3\nb,2e7,2.6e7,2e9,2.9\n")
    with pytest.raises(InputError, match=f"'params', '{second}'; say which"):
        import_runs(path)
    path.write_text(f"run,params,{second},n_tokens,loss\na,1e7,1e7,1e9,3\nb,2e7,2e7,2e9,2.9\n")
    assert import_runs(path).table.numbers("n_params").tolist() == [1e7, 2e7]
    path.write_text(f"run,n_params,{second},n_tokens,loss\na,1e7,2e7,1e9,3\nb,2e7,3e7,2e9,2.9\n")
    assert import_runs(path).table.numbers("n_params").tolist() == [1e7, 2e7]  # its own name


def test_what_is_written_as_wandb_reads_back_beside_a_training_loss(tmp_path: Path) -> None:
    rows = [{"run": "a", "n_params": 1e6, "n_tokens": 2e7, "loss": 3.0, "train/loss": 2.8}]
    path = export_runs(RunTable.from_records(rows), tmp_path / "t.wandb.csv")
    back = import_runs(path).table
    assert back.numbers("loss").tolist() == [3.0]
    assert back.numbers("train/loss").tolist() == [2.8]


def test_a_row_without_a_step_holds_what_its_run_was_set_to(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "run,step,n_params,tokens,val_loss\na,,1e7,,\na,1,,10,4\na,2,,20,3\n"
        "b,,2e7,,\nb,1,,10,3.9\nb,2,,20,2.9\nb,,,,2.5\nc,,3e7,,\n"
    )
    imported = import_runs(path)
    assert imported.table.numbers("n_params").tolist() == [1e7, 2e7]
    assert imported.table.numbers("loss").tolist() == [3.0, 2.9]
    assert [(each.where, each.why) for each in imported.refused] == [
        ("row 7 `step`", "not a step"),
        ("row 8 `step`", "not a step"),
    ]
