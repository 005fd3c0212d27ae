"""A process that trains one rung, watched by nobody: it keeps its own limits of time."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

from faults.ladders import small_ladder

from isoflop.lab.training import prepare_study
from isoflop.store.leases.holding import read_holding
from isoflop.store.outcome import read_outcome
from isoflop.store.spent import Limits


def test_a_rung_that_takes_too_long_is_given_up_and_can_be_resumed(tmp_path: Path) -> None:
    ladder = small_ladder(2, seeds=1, budgets=(8192, 65536))
    study = prepare_study(ladder, tmp_path / "s", limits=Limits(rung_seconds=0.05))
    command = [sys.executable, "-m", "isoflop.lab.launchers.worker", str(study.path)]
    command += ["--rung", "r0-d4"]
    late = subprocess.run(command, capture_output=True, text=True, check=False)
    assert late.returncode == 1
    assert read_outcome(study.rung_folder("r0-d4")) == {
        "state": "timeout",
        "message": "not over after 0.05 seconds, so it was stopped",
    }
    assert read_holding(study.rung_folder("r0-d4")).free
    prepare_study(ladder, study.path, limits=Limits(rung_seconds=600.0))
    subprocess.run(command, capture_output=True, check=True)
    assert study.rung_finished("r0-d4")


HANGS = """
import sys, time
from isoflop.lab.launchers import station, worker

def hang(study, rung, data, placement, emit, make_trainer, lease):
    emit({"event": "steps", "rung": rung.name, "steps": 1})
    time.sleep(120)

station.train_rung = hang
sys.exit(worker.main())
"""


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(silence_seconds=1.0), "no step for 1 second, so it was stopped"),
        (Limits(rung_seconds=0.5), "not over after 0.5 seconds, so it was stopped"),
    ],
)
def test_a_rung_that_hangs_ends_its_process_and_says_why(
    tmp_path: Path, limits: Limits, message: str
) -> None:
    study = prepare_study(small_ladder(1, seeds=1, budgets=(8192,)), tmp_path / "s", limits=limits)
    command = [sys.executable, "-c", HANGS, str(study.path), "--rung", "r0-d4"]
    hung = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (hung.returncode, hung.stderr) == (1, "")
    outcome = read_outcome(study.rung_folder("r0-d4"))
    assert outcome == {"state": "timeout", "message": message}
    prepare_study(study.ladder, study.path, limits=Limits())
    again = [sys.executable, "-m", "isoflop.lab.launchers.worker", str(study.path), *command[-2:]]
    subprocess.run(again, capture_output=True, check=True)
    assert study.rung_finished("r0-d4")
