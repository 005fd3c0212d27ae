"""The local pool keeps the contract; what is its own: cores, sharing, deadlines."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

from isoflop.lab.launchers.local import LocalLauncher
from isoflop.testing.launcher_contract import LauncherContract


class TestLocalLauncher(LauncherContract):
    def make_launcher(self) -> LocalLauncher:
        return LocalLauncher()

    def leftovers(self) -> list[str]:
        return children_of(os.getpid())


def children_of(pid: int) -> list[str]:
    """Workers of a process that still run."""
    found = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [line for line in found.stdout.splitlines() if "launchers.worker" in line]


PINNING = """
import os, sys, time
from isoflop.lab.launchers.cores import claim_core
print(claim_core(), sorted(os.sched_getaffinity(0)), flush=True)
sys.stdin.readline()
"""


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system cannot pin")
def test_every_worker_has_a_core_of_its_own_and_gives_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    cores = sorted(os.sched_getaffinity(0))
    for _ in range(2):  # the second time after the first was killed
        workers = [
            subprocess.Popen(
                [sys.executable, "-c", PINNING],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(len(cores) + 1)
        ]
        said = [worker.stdout.readline().strip() for worker in workers if worker.stdout]
        for worker in workers:
            worker.kill()
            worker.communicate()
        pinned = [f"{core} [{core}]" for core in cores]
        assert sorted(said) == sorted([*pinned, f"None {cores}"])
