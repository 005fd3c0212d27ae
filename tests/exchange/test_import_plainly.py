"""What `isoflop import` says of files that are almost runs, and what it reads back of its own."""

import json
from pathlib import Path

import pytest

from isoflop.exchange.export import export_runs
from isoflop.exchange.import_runs import import_runs
from isoflop.exchange.run_tables import read_runs

OURS = (
    "run,n_params,n_tokens,loss,loss_unit,status\n"
    "a,1e6,2e7,3.5,bits/token,finished\n"
    "b,2e6,4e7,3.25,bits/token,running\n"
    "c,4e6,8e7,,bits/token,diverged\n"
)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["back.db", "back.wandb.csv", "back.csv", "back.jsonl"])
def test_what_was_exported_comes_back_with_its_unit_and_status(name: str, tmp_path: Path) -> None:
    table = read_runs(write(tmp_path / "r.csv", OURS))
    imported = import_runs(export_runs(table, tmp_path / name))
    back = {record["run"]: record for record in imported.table.records()}
    assert {n: r["status"] for n, r in back.items()} == {
        "a": "finished", "b": "running", "c": "diverged",
    }  # fmt: skip
    assert {r["loss_unit"] for r in back.values()} == {"bits/token"}
    assert {n: r["loss"] for n, r in back.items()} == {"a": 3.5, "b": 3.25, "c": None}
    assert "status_as_read" not in imported.table.columns


CURVES = "experiment_id,step,n_params,loss\n" + "".join(
    f"{name},{step},{n},{4 - step / 100}\n"
    for name, n in (("x", 1000), ("y", 2000), ("z", 2000))
    for step in (50, 100)
)


def test_points_of_curves_that_no_name_tells_apart_are_noted(tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", CURVES)
    imported = import_runs(path)
    assert len(imported.table) == 6
    (note,) = [n for n in imported.notes if "points of curves" in n]
    assert "no column names the runs, so each of 6 rows is one" in note
    assert note.endswith("--columns run=experiment_id")
    told = import_runs(path, columns={"run": "experiment_id"})
    assert told.table.numbers("loss").tolist() == [3.0, 3.0, 3.0]
    assert not any("no column names" in n for n in told.notes)


def test_a_table_of_runs_with_one_step_count_is_not_doubted(tmp_path: Path) -> None:
    text = "step,n_params,loss\n100,1000,3\n100,2000,2.9\n100,4000,2.8\n"
    imported = import_runs(write(tmp_path / "r.csv", text))
    assert not any("points of curves" in n for n in imported.notes)


def test_the_log_of_one_run_without_its_name_is_noted(tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", "step,n_params,loss\n10,1000,3\n20,1000,2.9\n30,1000,2.8\n")
    (note,) = [n for n in import_runs(path).notes if "points of curves" in n]
    assert note.endswith("over 'step', say whose with --columns run=n_params")
    assert import_runs(path, columns={"run": "n_params"}).table.numbers("loss").tolist() == [2.8]


def test_names_that_runs_share_are_noted(tmp_path: Path) -> None:
    text = "run,N,loss\na,1000,3\nb,2000,2.9\na,4000,2.8\n"
    notes = import_runs(write(tmp_path / "r.csv", text)).notes
    assert any("not unique: 'a' (2 rows);" in n for n in notes)
    text = "run,epoch,n_params,loss\na,1,1e6,3\na,2,1e6,2.9\nb,1,2e6,3\nb,2,2e6,2.8\n"
    path = write(tmp_path / "r.csv", text)
    (note,) = [n for n in import_runs(path).notes if "not unique" in n]
    assert note.endswith("if they are points of curves, name the axis with --columns steps=NAME")
    curves = import_runs(path, columns={"steps": "epoch"})
    assert curves.table.numbers("loss").tolist() == [2.9, 2.8]


def test_columns_that_some_rows_lack_are_not_offered_as_names(tmp_path: Path) -> None:
    rows = [{"step": s, name: 1 + s} for s in (10, 20) for name in ("loss", "tokens")]
    path = write(tmp_path / "r.jsonl", "\n".join(map(json.dumps, rows)))
    (note,) = [n for n in import_runs(path).notes if "points of curves" in n]
    assert note.endswith("over 'step', add a column `run`")
