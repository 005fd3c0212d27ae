"""SIGTERM, SIGINT and Ctrl+C twice: out within five seconds, `interrupted`, and resumable."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("torch")

from faults.ladders import lasting_bytes, small_ladder

from isoflop.lab.progress.progress import Silent
from isoflop.lab.training import run_ladder
from isoflop.runs.ladders.ladder import Ladder
from isoflop.runs.ladders.print import print_ladder
from isoflop.store.study import Study

SIGNALS = {
    "SIGTERM": [signal.SIGTERM],
    "SIGINT": [signal.SIGINT],
    "Ctrl+C twice": [signal.SIGINT, signal.SIGINT],
    "SIGINT then SIGTERM": [signal.SIGINT, signal.SIGTERM],
}
SECONDS = 5.0
BUDGETS = (8192, 16384, 262144)


def start(study: Path, ladder: Ladder) -> subprocess.Popen[str]:
    spec = study.with_suffix(".toml")
    spec.write_text(print_ladder(ladder))
    command = [sys.executable, "-m", "isoflop.cli.main", "ladder", "run", str(spec)]
    return subprocess.Popen(
        [*command, "-o", str(study)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for_training(study: Path, runner: subprocess.Popen[str], seconds: float = 120.0) -> None:
    """Wait until every worker has something on disk."""
    until = time.monotonic() + seconds
    while len(list(study.glob("rungs/*/timing.jsonl"))) < 2:
        assert time.monotonic() < until
        assert runner.poll() is None, runner.communicate()[1]
        time.sleep(0.02)


def stop(runner: subprocess.Popen[str], signals: list[signal.Signals]) -> tuple[float, str]:
    """Send signals; return the seconds until it is gone, and what it said."""
    begun = time.monotonic()
    for each in signals:
        if runner.poll() is None:
            os.kill(runner.pid, each)
        time.sleep(0.05)
    runner.wait(timeout=60)
    return time.monotonic() - begun, runner.communicate()[1]


def workers_of(study: Path) -> list[str]:
    found = subprocess.run(["ps", "-eo", "args="], capture_output=True, text=True, check=True)
    return [x for x in found.stdout.splitlines() if "launchers.worker" in x and str(study) in x]


def check_interrupted(study: Path, said: str, code: int | None) -> None:
    assert code == 130, said
    assert "error: interrupted" in said
    assert f"isoflop ladder resume {study}" in said
    assert "Traceback" not in said
    assert workers_of(study) == []
    states = {run["state"] for run in Study.open(study).status()}
    assert "interrupted" in states
    assert states <= {"finished", "interrupted", "pending"}


TWICE = """
import os, signal
from isoflop.cli import main
def first(*given, **named):
    os.kill(os.getpid(), signal.SIGINT)
complain = main._complain
def second(message, code):
    complain(message, code)
    os.kill(os.getpid(), signal.SIGINT)
main.app.main, main._complain = first, second
main.main(["ladder"])
"""


def test_a_second_interrupt_while_the_first_is_told_leaves_no_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TWICE], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (130, "error: interrupted\n")


@pytest.mark.parametrize("name", ["SIGTERM", "Ctrl+C twice"])
def test_a_signal_ends_a_ladder_at_once_as_interrupted(
    tmp_path: Path, record_fault, name: str
) -> None:
    ladder = small_ladder(6, seeds=1, budgets=BUDGETS)
    study = tmp_path / "study"
    with start(study, ladder) as runner:
        wait_for_training(study, runner)
        seconds, said = stop(runner, SIGNALS[name])
    record_fault(3, tried=name, expected="out in 5 s", found=f"{seconds:.2f} s")
    check_interrupted(study, said, runner.returncode)
    assert seconds < SECONDS


@pytest.mark.study
@pytest.mark.parametrize("name", SIGNALS)
def test_interrupted_ladders_resume_to_the_same_bytes(
    tmp_path: Path, record_fault, name: str
) -> None:
    ladder = small_ladder(6, seeds=1, budgets=(8192, 16384, 65536))
    whole = run_ladder(ladder, tmp_path / "whole", workers=2, progress=Silent())
    study, rng, times = tmp_path / "study", random.Random(name), []
    for _ in range(10):
        if (study / "study.json").exists() and Study.open(study).finished():
            break
        with start(study, ladder) as runner:
            time.sleep(rng.uniform(0.0, 0.1))
            if not times:
                wait_for_training(study, runner)
            else:
                time.sleep(rng.uniform(3.0, 8.0))
            seconds, said = stop(runner, SIGNALS[name])
        times.append(seconds)
        assert "Traceback" not in said
        assert workers_of(study) == []
    run_ladder(ladder, study, workers=2, progress=Silent())
    same = lasting_bytes(study) == lasting_bytes(whole.path)
    record_fault(
        3,
        tried=f"{len(times)} × {name}",
        expected="out in 5 s, resumed to the same bytes",
        found=f"out in {max(times):.2f} s, {'the same bytes' if same else 'other bytes'}",
    )
    assert max(times) < SECONDS
    assert same
