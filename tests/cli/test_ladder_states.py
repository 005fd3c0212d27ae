"""`isoflop ladder status`: every state has its mark, its reason and its row; --watch ends."""

import re
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("torch")

from faults.ladders import small_ladder

from isoflop.lab.launchers.local import overdue
from isoflop.lab.progress.progress import Silent
from isoflop.lab.training import prepare_study, run_ladder
from isoflop.runs.ladders.ladder import Recipe, rung_flops
from isoflop.runs.ladders.print import print_ladder
from isoflop.store.leases.lease import claim
from isoflop.store.outcome import STATES, write_outcome
from isoflop.store.spent import Limits, Spent, add_spent
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
    Path("l.toml").write_text(print_ladder(small_ladder(1, seeds=1, budgets=(8192,))))
    plan = rung_flops(small_ladder(1, seeds=1, budgets=(8192,)).rungs[0], Recipe())
    begun = isoflop("ladder", "commands", "l.toml", "-o", "s", "--max-flops", str(plan))
    assert begun.code == 0
    add_spent(Path("s"), Spent(flops=plan / 2))
    result = isoflop("ladder", "resume", "s")
    assert result.code == 1
    assert "budget" in result.out
    assert "stopped by the budget\n" in result.err  # no time left behind it
    assert result.err.splitlines()[-1].startswith("error: s: ")
    assert result.err.count("FLOPs are spent") == 1
    assert result.err.endswith("go on with a larger --max-flops\n")


def test_of_several_rungs_out_of_budget_each_reason_is_told_once(isoflop) -> None:
    ladder = small_ladder(2, seeds=1, budgets=(8192,))
    Path("l.toml").write_text(print_ladder(ladder))
    plan = min(rung_flops(rung, Recipe()) for rung in ladder.rungs)
    isoflop("ladder", "commands", "l.toml", "-o", "s", "--max-flops", str(2 * plan))
    add_spent(Path("s"), Spent(flops=1.5 * plan))
    result = isoflop("ladder", "resume", "s")
    assert re.fullmatch(
        r"error: s: the budget stopped 2 rungs \((r0-d4, r1-d6|r1-d6, r0-d4)\); go on with a "
        r"larger --max-flops",
        result.err.splitlines()[-1],
    )
    told = [line for line in result.err.splitlines() if "FLOPs are spent" in line]
    assert [line[:15] for line in told] == ["⚠ r0-d4 budget:", "⚠ r1-d6 budget:"]


def test_a_limit_that_reaches_no_run_is_told_before_anything_is_made(isoflop) -> None:
    Path("l.toml").write_text(print_ladder(small_ladder(2, seeds=1, budgets=(8192,))))
    for command in ("run", "commands"):
        result = isoflop("ladder", command, "l.toml", "-o", "s", "--max-flops", "1e6")
        assert result.code == 1
        assert result.error.startswith("--max-flops 1.00e6 reaches no run: the first of r0-d4 ")
        assert result.err.count("\n") == 1
    dollars = ("--max-dollars", "0.001", "--dollars-per-hour", "1.2")
    for limit, seconds in ((("--max-seconds", "0.5"), "0.5"), (dollars, "3")):
        result = isoflop("ladder", "run", "l.toml", "-o", "s", *limit)
        assert result.code == 1
        assert result.error.startswith(f"{limit[0]} allows {seconds} seconds and reaches no run: ")
    assert not Path("s").exists()


def test_a_deadline_of_one_second_is_in_the_singular() -> None:
    worker = SimpleNamespace(rung="a", rung_seconds=2.0, silent_seconds=2.0)
    assert overdue(worker, Limits(rung_seconds=1.0)) == (  # pyright: ignore[reportArgumentType]
        "not over after 1 second, so its worker was stopped"
    )
    assert overdue(worker, Limits(silence_seconds=1.5)) == (  # pyright: ignore[reportArgumentType]
        "no step for 1.5 seconds, so its worker was stopped"
    )


def test_a_view_waits_for_a_study_that_is_yet_to_be_made(isoflop, monkeypatch) -> None:
    monkeypatch.setattr("isoflop.cli.ladder_status._QUIET_SECONDS", 0.6)
    waited = isoflop("ladder", "status", "s", "--watch")
    assert waited.err.splitlines() == [
        "waiting 0.6 seconds for s to be made",
        "error: s is not a study: it has no ladder.toml",
    ]
    ladder = small_ladder(1, seeds=1, budgets=(8192,))
    maker = threading.Timer(0.2, lambda: Study.create("s", ladder))
    maker.start()
    seen = isoflop("ladder", "status", "s", "--watch", "--every", "0.1")
    maker.join()
    assert (seen.code, "pending" in seen.out) == (0, True)


def test_rungs_that_share_a_reason_share_a_line(isoflop, study: Study) -> None:
    names = [rung.name for rung in study.ladder.rungs]
    for name in names[:8]:
        write_outcome(study.rung_folder(name), "budget", "no time is left")
    result = isoflop("ladder", "status", str(study.path))
    told = [line for line in result.err.splitlines() if "no time is left" in line]
    assert told == [f"⚠ {', '.join(names[:6])} and 2 more budget: no time is left"]
