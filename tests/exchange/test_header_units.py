"""Units that a header tells: applied where plain, refused where the values speak against."""

from pathlib import Path

import pytest

from isoflop.base.errors import InputError
from isoflop.exchange.import_runs import import_runs


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("column", "name", "multiple"),
    [
        ("n_tokens", "tokens (M)", 1e6),
        ("n_tokens", "Training Tokens [billions]", 1e9),
        ("n_tokens", "tokens (B tokens)", 1e9),
        ("n_params", "params_M", 1e6),
        ("n_params", "Model Size (in millions)", 1e6),
        ("n_params", "N (K)", 1e3),
        ("flops", "flops (1e18)", 1e18),
        ("flops", "C (x10^15)", 1e15),
    ],
)
@pytest.mark.parametrize("named", [False, True])
def test_a_multiple_in_a_name_is_applied_and_said(
    column: str, name: str, multiple: float, named: bool, tmp_path: Path
) -> None:
    names = {"n_params": "n_params", "n_tokens": "n_tokens", "loss": "loss", column: name}
    path = write(
        tmp_path / "r.csv", f"{','.join(names.values())}\n{','.join(['7.5'] * len(names))}"
    )
    imported = import_runs(path, columns={column: name} if named else None)
    assert imported.table.numbers(column).tolist() == [7.5 * multiple]
    assert f"{column} = {name!r} · {multiple:g}, as its name tells" in imported.notes


@pytest.mark.parametrize("name", ["D", "tokens", "tokens_t", "tokens (seen)", "b"])
def test_names_that_tell_no_multiple_are_left_alone(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", f"N,{name},loss\n7,8,3\n")
    imported = import_runs(path, columns={"n_tokens": name})
    assert imported.table.numbers("n_tokens").tolist() == [8.0]


def test_values_that_are_no_millions_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", "N,tokens (M),loss\n7e6,2e9,3\n")
    with pytest.raises(InputError, match=r"'tokens \(M\)' tells multiples of 1e\+06, but holds 2e"):
        import_runs(path)


def test_a_unit_nobody_knows_is_said(tmp_path: Path) -> None:
    notes = import_runs(write(tmp_path / "r.csv", "N,compute (PF-days),loss\n7e6,2,3\n")).notes
    assert (
        "'compute (PF-days)' could be `flops`, but the unit PF-days is not known here: not "
        + ("converted")
        in notes
    )


@pytest.mark.parametrize(
    ("header", "cells", "unit"),
    [
        ("loss (bits/byte)", "1", "bits/byte"),
        ("val_loss [bpb]", "1", "bits/byte"),
        ("loss,loss_unit", "1,bpb", "bits/byte"),
        ("loss,loss_unit", "1,Nats per token", "nats/token"),
    ],
)
def test_the_unit_of_the_loss_is_read_from_its_name_or_cell(
    header: str, cells: str, unit: str, tmp_path: Path
) -> None:
    imported = import_runs(write(tmp_path / "r.csv", f"N,{header}\n7e6,{cells}\n"))
    table = imported.table
    said = any(note.startswith(f"loss_unit = {unit}, as the name ") for note in imported.notes)
    assert said == ("loss_unit" not in header)
    assert table.numbers("loss").tolist() == [1.0]
    assert table.text("loss_unit") == [unit]


def test_bits_of_nothing_named_are_said(tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", "N,loss (bits)\n7e6,1\n")
    assert "'loss (bits)' could be `loss`" in "".join(import_runs(path).notes)
    told = import_runs(path, columns={"loss": "loss (bits)"})
    assert any("add a column loss_unit that says bits/token" in note for note in told.notes)


def test_multiples_leave_no_dust_of_binary_fractions(tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", "params_B,tokens_T,loss\n1.1,1.13,3\n0.007,2e-3,3\n")
    table = import_runs(path).table
    assert table.numbers("n_params").tolist() == [1.1e9, 7e6]
    assert table.numbers("n_tokens").tolist() == [1.13e12, 2e9]


def test_accuracies_that_are_percentages_are_said(tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", "N,loss,accuracy\n7e6,3,0.4\n8e6,2.9,45\n")
    said = "accuracy is a share, 0 to 1, but 1 runs hold others (as 45); divide percentages by 100"
    assert said in import_runs(path).notes
    write(path, "N,loss,accuracy\n7e6,3,0.4\n8e6,2.9,1\n")
    assert not any("accuracy" in note for note in import_runs(path).notes)


def test_tokens_that_are_not_what_was_told_are_said(tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", "N,steps,tokens,loss\n7e6,10,10240,3\n8e6,10,5120,2.9\n")
    told = "n_tokens is recorded; --tokens-per-step was not needed"
    notes = import_runs(path, tokens_per_step=1024).notes
    assert f"{told}, and 1 runs hold others than 1024 (as 512)" in notes
    write(path, "N,steps,tokens,loss\n7e6,10,10240,3\n")
    assert told in import_runs(path, tokens_per_step=1024).notes
