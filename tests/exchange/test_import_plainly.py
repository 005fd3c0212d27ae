"""What `isoflop import` says of files that are almost runs, and what it reads back of its own."""

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
