import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from on_ranks import losses_of, make_ladder, prepare, train_alone  # noqa: E402

from isoflop.lab.launchers.launcher import Launcher  # noqa: E402
from isoflop.lab.launchers.torchrun import TorchrunLauncher  # noqa: E402
from isoflop.store.leases.holding import read_holding  # noqa: E402
from isoflop.store.leases.process import known_dead  # noqa: E402
from isoflop.store.outcome import read_outcome  # noqa: E402
from isoflop.testing.launcher_contract import LauncherContract  # noqa: E402

LONG = make_ladder(budgets=(1536, 12800))


def ranks_of(study: Path) -> dict[int, int]:
    """Return rank → pid of the processes that train a study now."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            environment = dict(
                entry.split(b"=", 1)
                for entry in (folder / "environ").read_bytes().split(b"\0")
                if b"=" in entry
            )
        except OSError:
            continue
        if str(study).encode() in words and b"RANK" in environment:
            found[int(environment[b"RANK"])] = int(folder.name)
    return found


def test_a_rank_that_dies_ends_the_others_in_seconds_and_one_process_goes_on(
    tmp_path: Path,
) -> None:
    study, events = prepare(tmp_path / "study", LONG), []
    killed: list[float] = []

    def listen(event: Mapping[str, Any]) -> None:
        events.append(event)
        if event["event"] == "run":
            os.kill(ranks_of(study.path)[1], signal.SIGKILL)
            killed.append(time.monotonic())

    failures = TorchrunLauncher(processes=2).launch(study, ["big"], 1, listen)
    assert killed
    assert time.monotonic() - killed[0] < 30  # 2 s on an idle machine
    assert len(failures) == 1
    assert "big" in failures[0]
    assert ranks_of(study.path) == {}
    holder = read_holding(study.rung_folder("big")).process
    assert holder is None or known_dead(holder)
    assert read_outcome(study.rung_folder("big")) is not None
    assert list(study.manifests()) == ["big-s0-t1536"]
    assert {"event": "ready", "rung": "big", "processes": 2, "sharded": False} in events

    alone = train_alone(prepare(tmp_path / "alone", LONG))
    train_alone(study)
    for run, expected in losses_of(alone).items():
        # Workers ask for quicker float32 products than tests do, and rounding grows with steps.
        np.testing.assert_allclose(losses_of(study)[run], expected, rtol=1e-2)


def test_processes_that_do_not_divide_a_batch_are_refused_before_any_starts(
    tmp_path: Path,
) -> None:
    study, events = prepare(tmp_path / "study", make_ladder()), []
    failures = TorchrunLauncher(processes=3).launch(study, ["big"], 1, events.append)
    assert [failure.split(";")[0] for failure in failures] == [
        "rung big: 4 rows a step (64 tokens of contexts of 16) do not divide among 3 processes"
    ]
    assert [(event["event"], event["rung"]) for event in events] == [("failed", "big")]
    assert not (study.path / "workers.log").exists()


@pytest.mark.study
class TestTorchrun(LauncherContract):
    """One rank: its numbers are those of a lone worker to the last bit."""

    def make_launcher(self) -> Launcher:
        return TorchrunLauncher(processes=1)
