"""The main job as a user runs it, on the smallest design: train, fit, plan, report, resume."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

TOUR = [sys.executable, "-m", "isoflop.cli.main", "tour", "--minutes", "0.05", "--json", "-o"]


def run_tour(folder: Path) -> dict:
    done = subprocess.run([*TOUR, folder.name], cwd=folder.parent, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A tour that nobody interrupted, and what it printed."""
    folder = tmp_path_factory.mktemp("whole") / "study"
    return folder, run_tour(folder)


def journals(folder: Path) -> dict[str, str]:
    return {
        path.parent.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((folder / "runs").glob("*/journal.jsonl"))
    }


def finished(folder: Path) -> dict[str, int]:
    return {
        path.parent.name: path.stat().st_mtime_ns
        for path in sorted((folder / "runs").glob("*/run.json"))
    }


def test_the_tour_ends_with_an_answer_of_six_lines_and_a_report(whole):
    folder, printed = whole
    assert len(printed["answer"]) == 6
    assert (folder / "report.html").stat().st_size < 1_000_000
    assert set(printed["by_count"]) <= {"non-embedding", "non-embedding + head", "total"}
    assert printed["backtest"]["n_test"] >= 5
    assert all(plan["n_params"]["value"] > 0 for plan in printed["plans"])


def test_the_report_is_self_contained_and_names_no_folder_of_the_machine(whole):
    folder, _ = whole
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert not re.search(r"(?:src|href)=\"(?!data:|#)", page)
    assert str(folder.parent) not in page
    assert str(Path.home()) not in page


def test_the_study_holds_runs_laws_and_figures_that_open_again(whole):
    from isoflop.exchange.run_tables import read_runs
    from isoflop.fitting.saved import read_fit

    folder, _ = whole
    table = read_runs(folder / "runs.csv")
    assert len(table) == len(finished(folder)) >= 15
    assert read_fit(folder / "laws/chinchilla.json").n_runs == len(table)
    names = {path.name for path in (folder / "report_figures").iterdir()}
    assert {"isoflop-valleys.png", "isoflop-valleys.svg", "contours.png"} <= names


def test_running_the_tour_again_trains_nothing_and_writes_the_same_report(whole):
    folder, printed = whole
    before, report = finished(folder), (folder / "report.html").read_bytes()
    assert run_tour(folder) == printed
    assert finished(folder) == before
    assert (folder / "report.html").read_bytes() == report


def test_killed_in_mid_tour_and_run_again_nothing_is_lost_and_the_report_is_identical(
    whole, tmp_path
):
    folder = tmp_path / "study"
    process = subprocess.Popen(
        [*TOUR, "study"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while len(finished(folder)) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = finished(folder)
    assert 3 <= len(kept) < len(finished(whole[0]))
    run_tour(folder)
    after = finished(folder)
    assert {run: after[run] for run in kept} == kept
    assert journals(folder) == journals(whole[0])
    assert (folder / "report.html").read_bytes() == (whole[0] / "report.html").read_bytes()


def test_the_ladder_commands_price_and_show_the_study(whole, capsys, monkeypatch):
    from isoflop.cli.main import run

    folder, _ = whole
    monkeypatch.chdir(folder.parent)
    assert run(["ladder", "plan", "study/ladder.toml", "--json"]) == 0
    price = json.loads(capsys.readouterr().out)
    assert run(["ladder", "status", "study", "--json"]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    for command in ("status", "resume"):
        assert run(["ladder", command, "study/ladder.toml", "-o", "study", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["runs"] == runs
    assert {run["state"] for run in runs} == {"finished"}
    assert price["n_runs"] == len(runs)
    assert {"id", "state", "n_params", "n_tokens", "flops", "loss"} <= set(runs[0])
    assert price["flops"] > max(run["flops"] for run in runs)


def test_another_ladder_in_the_same_folder_is_refused(whole, capsys, monkeypatch):
    from isoflop.cli.main import run

    folder, _ = whole
    monkeypatch.chdir(folder.parent)
    text = (folder / "ladder.toml").read_text(encoding="utf-8")
    Path("other.toml").write_text(text.replace("seed = 0", "seed = 1", 1), encoding="utf-8")
    assert run(["ladder", "run", "other.toml", "-o", "study"]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: study was begun with another ladder: seed 0, now 1; ")
    assert run(["ladder", "resume", "other.toml", "-o", "study"]) == 2
    assert "study was begun with another ladder: seed 0, now 1; " in capsys.readouterr().err
    assert run(["ladder", "status", "other.toml", "-o", "study"]) == 2
    assert "study holds another ladder than other.toml: seed 0, now 1" in capsys.readouterr().err


def test_a_ladder_file_with_mistakes_has_them_all_at_once_a_line_each(tmp_path, capsys):
    from isoflop.cli.main import run

    path = tmp_path / "bad.toml"
    path.write_text('name = "x"\ncorpus = "sotu"\ntokenizer = "bytes"\nsed = 1\nrungs = 3\n')
    assert run(["ladder", "plan", str(path)]) == 2
    first, *mistakes = capsys.readouterr().err.strip().splitlines()
    assert first == f"error: {path}: 2 mistakes"
    assert ["sed" in mistakes[0], "rungs" in mistakes[1], len(mistakes)] == [True, True, 2]
