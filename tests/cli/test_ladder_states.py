"""`isoflop ladder status`: every state has its mark, its reason and its row; --watch ends."""

from pathlib import Path

import pytest

pytest.importorskip("torch")

from faults.ladders import small_ladder

from isoflop.lab.progress.progress import Silent
from isoflop.lab.training import prepare_study, run_ladder
from isoflop.store.leases.lease import claim
from isoflop.store.outcome import STATES, write_outcome
from isoflop.store.study import Study

MARKS = {"interrupted": "⚠", "budget": "⚠", "running": "▶", "pending": "·"}


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Nine rungs: one a way to stop, one running, one that ended without a word, one pending."""
    study = prepare_study(small_ladder(9, seeds=1, budgets=(8192,)), tmp_path / "study")
    names = [rung.name for rung in study.ladder.rungs]
    for state, name in zip(STATES, names, strict=False):
        write_outcome(study.rung_folder(name), state, f"it was {state}")
    (study.rung_folder(names[7])).mkdir(parents=True)
    (study.rung_folder(names[7]) / "journal.jsonl").write_text("")
    return study


def test_every_state_has_its_mark_and_its_reason(isoflop, study: Study) -> None:
    names = [rung.name for rung in study.ladder.rungs]
    with claim(study.rung_folder(names[6]), "rung"):
        result = isoflop("ladder", "status", str(study.path))
        document = isoflop("ladder", "status", str(study.path), "--json").document
    states = {run["rung"]: run["state"] for run in document["runs"]}
    expected = [*STATES, "running", "interrupted", "pending"]
    assert states == dict(zip(names, expected, strict=True))
    for run, line in zip(document["runs"], result.out.splitlines()[1:], strict=True):
        assert line.startswith(f"{MARKS.get(run['state'], '✘')} {run['id']} ")
        assert f" {run['state']} " in line
    for state, name in zip(STATES, names, strict=False):
        assert f"{name} {state}: it was {state}" in result.err
    assert "4 runs marked ✘: no fit takes them" in result.err


def test_a_live_view_off_a_terminal_is_a_line_a_rung_and_ends(isoflop, study: Study) -> None:
    result = isoflop("ladder", "status", str(study.path), "--watch", "--every", "0.1")
    lines = [line for line in result.err.splitlines() if "runs over" in line]
    assert len(lines) == len(study.ladder.rungs)
    assert any(" oom, 0 of 1 runs over: it was oom" in line for line in lines)
    both = isoflop("ladder", "status", str(study.path), "--watch", "--json")
    assert both.code == 2


def test_one_line_a_rung_that_is_not_over_quoted_for_a_shell(isoflop, tmp_path: Path) -> None:
    import shlex

    from isoflop.runs.ladders.print import print_ladder

    ladder = small_ladder(2, seeds=1, budgets=(8192,))
    Path("l.toml").write_text(print_ladder(ladder))
    folder = tmp_path / "a $(b) 'c'"
    result = isoflop("ladder", "commands", "l.toml", "-o", str(folder))
    lines = [shlex.split(line) for line in result.out.splitlines()]
    names = [rung.name for rung in ladder.rungs]
    expected = ["isoflop", "ladder", "train-rung", str(folder.resolve())]
    assert lines == [[*expected, name] for name in names]
    assert isoflop(*lines[0][1:]).code == 0
    study = Study.open(folder)
    assert {run["rung"]: run["state"] for run in study.status()} == {
        names[0]: "finished",
        names[1]: "pending",
    }
    again = isoflop("ladder", "commands", "l.toml", "-o", str(folder), "--json").document
    assert [line.split()[-1] for line in again["commands"]] == names[1:]
    run_ladder(ladder, folder, workers=1, progress=Silent())
    assert isoflop("ladder", "commands", "l.toml", "-o", str(folder)).out.strip() == ""


def test_a_run_out_of_budget_shows_its_table_and_exits_with_1(isoflop) -> None:
    from isoflop.runs.ladders.print import print_ladder

    Path("l.toml").write_text(print_ladder(small_ladder(1, seeds=1, budgets=(8192,))))
    result = isoflop("ladder", "run", "l.toml", "-o", "s", "--max-flops", "10")
    assert result.code == 1
    assert "budget" in result.out
    assert result.err.splitlines()[-1].startswith("error: s: ")
    assert "--max-flops" in result.err


def test_rungs_that_share_a_reason_share_a_line(isoflop, study: Study) -> None:
    names = [rung.name for rung in study.ladder.rungs]
    for name in names[:8]:
        write_outcome(study.rung_folder(name), "budget", "no time is left")
    result = isoflop("ladder", "status", str(study.path))
    told = [line for line in result.err.splitlines() if "no time is left" in line]
    assert told == [f"⚠ {', '.join(names[:6])} and 2 more budget: no time is left"]
