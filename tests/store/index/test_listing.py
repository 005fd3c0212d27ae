import pytest
from faults.big_studies import write_big_study

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.cli.main import run as run_cli
from isoflop.store.index.listing import find_studies, list_runs
from isoflop.store.outcome import STATES, write_outcome
from isoflop.store.recording.record import record


@pytest.fixture
def folder(tmp_path):
    write_big_study(tmp_path / "lab" / "one", 200, every=2)
    with record(tmp_path / "lab" / "mine" / "runs" / "a", family="lstm", n_params=7) as run:
        run.log(step=1, n_tokens=64, loss=3.0)
    (tmp_path / "lab" / "notes").mkdir()
    return tmp_path


def test_studies_are_found_below_a_folder_and_not_inside_one_another(folder) -> None:
    write_big_study(folder / "lab" / "one" / "copy", 100)
    found = [str(study.relative_to(folder)) for study in find_studies(folder)]
    assert found == ["lab/mine", "lab/one"]


def test_every_run_is_listed_with_its_state(folder) -> None:
    rows = list_runs([folder])
    assert len(rows) == 201
    assert rows[0] == {
        "study": str(folder / "lab" / "mine"),
        "run": "a",
        "state": "unfinished",
        "rung": None,
        "seed": None,
        "lr": None,
        "family": "lstm",
        "n_params": 7,
        "n_tokens": None,
        "flops": None,
        "loss": None,
    }
    assert [row["state"] for row in rows[1:3]] == ["finished", "pending"]
    write_outcome(folder / "lab" / "one" / "rungs" / "r0", "oom", "no room")
    assert {row["state"] for row in list_runs([folder]) if row["rung"] == "r0"} == {
        "finished",
        "oom",
    }


def test_filters_keep_what_they_name(folder) -> None:
    study = folder / "lab" / "one"
    assert {row["state"] for row in list_runs([study], state="pending")} == {"pending"}
    assert len(list_runs([study], state="pending")) == 100
    assert len(list_runs([study], match="r0-s3-*")) == 10
    assert [row["run"] for row in list_runs([folder], family="*lstm*")] == ["a"]
    assert list_runs([folder], match="no such run") == []


def test_a_folder_without_studies_is_one_error(folder) -> None:
    with pytest.raises(InputError, match="notes: no study there or below"):
        list_runs([folder / "lab" / "notes"])
    with pytest.raises(InputError, match="no study there"):
        list_runs([folder / "absent"])


def test_an_unknown_state_is_an_error_that_names_the_states(folder) -> None:
    with pytest.raises(UnknownNameError) as caught:
        list_runs([folder], state="bogus")
    for state in ("finished", "diverged", "unfinished", "running", "pending", *STATES):
        assert state in str(caught.value)
    with pytest.raises(UnknownNameError, match="did you mean finished"):
        list_runs([folder], state="finish")


def test_filters_that_no_run_passes_say_what_there_is(folder, capsys) -> None:
    assert run_cli(["ladder", "list", str(folder), "--match", "zz*"]) == 0
    assert capsys.readouterr().err == (
        "no run matches --match 'zz*'; "
        "there are 201 runs: 100 finished, 100 pending, 1 unfinished\n"
    )
    assert run_cli(["ladder", "list", str(folder), "--state", "oom", "--family", "l*"]) == 0
    assert "no run matches --state 'oom' and --family 'l*'; there" in capsys.readouterr().err
    assert run_cli(["ladder", "list", str(folder), "--state", "bogus"]) == 2
    assert capsys.readouterr().err.startswith("error: unknown state 'bogus'; known: budget, crash")
