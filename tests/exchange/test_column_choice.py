"""Which column is which: what the user says holds, and what cannot be meant is refused."""

from pathlib import Path

import pytest

from isoflop.base.errors import InputError
from isoflop.exchange.import_runs import import_runs

WANDB = "Name,State,Runtime,ID,n_params,eval/loss\na,finished,9,x1,1e6,3.25\nb,crashed,9,x2,2e6,3\n"
CURVES = "run,team,step,n_params,loss\n" + "".join(
    f"{run},{team},{step},1e6,{4 - step / 100 - (run == 'b')}\n"
    for run, team in (("a", "x"), ("b", "y"))
    for step in (50, 100)
)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "name", "names"),
    [
        (CURVES, "run", ["a", "b"]),
        (CURVES, "team", ["x", "y"]),
        (WANDB, "Name", ["a", "b"]),
        (WANDB, "ID", ["x1", "x2"]),
    ],
)
def test_any_column_of_the_source_can_be_named_as_the_run(
    text: str, name: str, names: list[str], tmp_path: Path
) -> None:
    imported = import_runs(write(tmp_path / "r.csv", text), columns={"run": name})
    assert imported.table.names() == names
    assert len(imported.table.numbers("loss")) == 2


def test_the_state_of_a_wandb_run_can_be_named_as_its_status(tmp_path: Path) -> None:
    imported = import_runs(write(tmp_path / "r.csv", WANDB), columns={"status": "State"})
    assert imported.table.text("status") == ["finished", "crashed"]


def test_a_key_nobody_knows_does_not_settle_which_column_is_meant(tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", "N,params,eval/loss\n1e6,3e6,3\n2e6,5e6,2.9\n")
    with pytest.raises(InputError, match=r"`nonsense` is no column .* 'N' reads as `n_params`"):
        import_runs(path, columns={"nonsense": "N"})
    with pytest.raises(InputError, match="'eval/loss' reads as `loss`"):
        import_runs(path, columns={"n_params": "N", "nonsense": "eval/loss"})
    with pytest.raises(InputError, match="names 'N' as `n_params` and as `n_tokens`"):
        import_runs(path, columns={"n_params": "N", "n_tokens": "N"})


def test_two_held_out_losses_are_asked_about_in_a_table_too(tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", "N,val_loss,eval/loss\n1e6,3,3.1\n2e6,2.9,3.0\n")
    with pytest.raises(InputError, match="2 columns could be `loss`: 'val_loss', 'eval/loss'"):
        import_runs(path)
    told = import_runs(path, columns={"loss": "eval/loss"}).table
    assert told.numbers("loss").tolist() == [3.1, 3.0]
    named = write(tmp_path / "r.csv", "N,loss,eval/c4/loss\n1e6,3,3.1\n2e6,2.9,3.0\n")
    assert import_runs(named).table.numbers("loss").tolist() == [3.0, 2.9]  # as we write tables
