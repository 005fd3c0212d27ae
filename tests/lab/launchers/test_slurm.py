"""Slurm keeps the contract on a real slurmctld and slurmd; tasks that are requeued go on."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from slurm.start_slurm import slurm, why_not

pytest.importorskip("torch")
pytest.importorskip("submitit", reason="needs the extra `slurm`: pip install 'isoflop[slurm]'")

from isoflop.lab.launchers.slurm import SlurmLauncher
from isoflop.store.leases.holding import read_holding
from isoflop.store.study import Study
from isoflop.testing.launcher_contract import (
    SLOW,
    LauncherContract,
    file_identities,
    lasting_bytes,
    make_study,
    wait_until,
)

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]
PATIENCE = 300.0
LONG = (8192, 1_572_864)
"""Some 20 s: a driver looks once a second, and Slurm takes its time to requeue."""
"""Long enough to be requeued in."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Slurm of this machine, its commands configured through the environment."""
    if (reason := why_not()) is not None:
        pytest.skip(reason)
    with slurm(tmp_path_factory.mktemp("slurm")) as environment, pytest.MonkeyPatch.context() as it:
        for name, value in environment.items():
            it.setenv(name, value)
        yield


@pytest.mark.usefixtures("cluster")
class TestSlurmLauncher(LauncherContract):
    patience_seconds = PATIENCE
    slow = LONG

    def make_launcher(self) -> SlurmLauncher:
        return SlurmLauncher()

    def leftovers(self) -> list[str]:
        # A cancelled task is completing until its last process is gone.
        wait_until(lambda: squeue() == [], PATIENCE)
        return squeue()


class TestSubmititsOwnProcesses(LauncherContract):
    def make_launcher(self) -> SlurmLauncher:
        return SlurmLauncher(cluster="local")


def squeue() -> list[str]:
    """Tasks that wait, run or complete."""
    command = ["squeue", "--noheader", "--array", "--format=%i %T %r"]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    return found.stdout.splitlines()


@pytest.mark.usefixtures("cluster")
def test_a_running_task_that_is_requeued_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    study = make_study(tmp_path, LONG)
    checkpoints = study.rung_folder("d8")
    seen: dict[str, tuple[int, int]] = {}
    requeued: list[str] = []

    def watch(event: Any) -> None:
        seen.update({k: v for k, v in file_identities(study).items() if k not in seen})
        if not requeued and len(list(checkpoints.glob("checkpoint-*"))) == 2:
            running = [line.split()[0] for line in squeue() if "RUNNING" in line]
            subprocess.run(["scontrol", "requeue", running[0]], check=True)
            requeued.append(running[0])
        elif requeued:  # Slurm keeps a requeued task back for two minutes
            subprocess.run(
                ["scontrol", "update", f"JobId={requeued[0]}", "StartTime=now"],
                check=False,
                capture_output=True,
            )

    assert SlurmLauncher().launch(study, ["d8"], 1, watch) == []
    assert requeued
    assert study.rung_finished("d8")
    assert read_holding(study.rung_folder("d8")).token == 2
    assert file_identities(study).items() >= seen.items()
    whole = LauncherContract._reference(LONG)
    assert lasting_bytes(study) == {name: whole[name] for name in whole if "d8" in name}


@pytest.mark.usefixtures("cluster")
def test_a_task_told_that_its_time_is_over_requeues_itself(tmp_path: Path) -> None:
    study = make_study(tmp_path, LONG)
    told: list[str] = []

    def watch(event: Any) -> None:
        if not told and len(list(study.rung_folder("d8").glob("checkpoint-*"))) == 2:
            running = [line.split()[0] for line in squeue() if "RUNNING" in line]
            subprocess.run(["scancel", "--signal=USR2", running[0]], check=True)
            told.append(running[0])
        elif told:
            subprocess.run(
                ["scontrol", "update", f"JobId={told[0]}", "StartTime=now"],
                check=False,
                capture_output=True,
            )

    assert SlurmLauncher().launch(study, ["d8"], 1, watch) == []
    assert told
    assert read_holding(study.rung_folder("d8")).token == 2
    whole = LauncherContract._reference(LONG)
    assert lasting_bytes(study) == {name: whole[name] for name in whole if "d8" in name}


DRIVER = """
import sys
from isoflop.lab.launchers.slurm import SlurmLauncher
from isoflop.store.study import Study
SlurmLauncher().launch(Study.open(sys.argv[1]), ["d8", "d4"], 2, lambda event: None)
"""


@pytest.mark.usefixtures("cluster")
def test_the_tasks_of_a_killed_driver_are_adopted_by_the_next(tmp_path: Path) -> None:
    study = make_study(tmp_path, SLOW)
    with subprocess.Popen([sys.executable, "-c", DRIVER, str(study.path)]) as driver:
        wait_until((study.path / "slurm" / "jobs.json").exists, PATIENCE)
        os.kill(driver.pid, signal.SIGKILL)
    left, events = squeue(), []
    assert len(left) == 2
    assert SlurmLauncher().launch(study, ["d8", "d4"], 2, events.append) == []
    adopted = [event["rung"] for event in events if event["event"] == "notice"]
    assert sorted(adopted) == ["d4", "d8"]
    assert Study.open(study.path).finished()
    assert [read_holding(study.rung_folder(name)).token for name in ("d4", "d8")] == [1, 1]
    assert lasting_bytes(study) == LauncherContract._reference(SLOW)
