"""Runs that go wrong: the right state, the ladder goes on, exit code 1, no fit takes them."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from faults.ladders import small_ladder

import isoflop
from isoflop.base.errors import IsoflopError
from isoflop.lab.launchers import local
from isoflop.lab.launchers.worker_process import WorkerProcess
from isoflop.lab.progress.progress import Silent
from isoflop.lab.training import prepare_study, run_ladder
from isoflop.runs.table import RunTable
from isoflop.store.spent import Limits
from isoflop.store.study import Study

STATES = {
    "nan": "diverged",
    "inf": "diverged",
    "MemoryError": "oom",
    "RLIMIT_AS": "oom",
    "abort": "crashed",
    "SIGKILL": "crashed",
    "sleep": "timeout",
    "hold": "timeout",
    "": "finished",
}
SICK_WORKER = Path(__file__).with_name("sick_worker.py")


@pytest.fixture(autouse=True)
def sick_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(study, lease_seconds, events):
        return WorkerProcess(study, lease_seconds, events, (str(SICK_WORKER), str(study.path)))

    monkeypatch.setattr(local, "WorkerProcess", make)


def sick_study(path: Path, sicknesses: list[str]) -> tuple[Study, dict[str, str]]:
    """A study with a rung for every sickness."""
    ladder = small_ladder(len(sicknesses), seeds=1, budgets=(16384,))
    sick = {rung.name: ill for rung, ill in zip(ladder.rungs, sicknesses, strict=True)}
    study = prepare_study(ladder, path)
    (path / "sick.json").write_text(json.dumps(sick))
    return study, sick


def states_of(study: Study) -> dict[str, str]:
    return {run["rung"]: run["state"] for run in study.status()}


def train(study: Study, workers: int = 2) -> str:
    """Train; return the error that ends it, empty if none does."""
    limits = Limits(silence_seconds=6)
    try:
        run_ladder(study.ladder, study.path, workers=workers, progress=Silent(), limits=limits)
    except IsoflopError as error:
        return str(error)
    return ""


def test_every_sickness_gets_its_state_and_the_others_finish(tmp_path: Path, record_fault) -> None:
    sicknesses = ["nan", "MemoryError", "RLIMIT_AS", "abort", "hold", ""]
    study, sick = sick_study(tmp_path / "s", sicknesses)
    message = train(study)
    expected = {rung: STATES[ill] for rung, ill in sick.items()}
    found = states_of(study)
    wrong = {rung for rung in sick if found[rung] != expected[rung]}
    record_fault(7, tried=f"{len(sick)} sicknesses", expected="0 wrong states", found=len(wrong))
    assert found == expected
    for rung, ill in sick.items():
        assert (f"rung {rung}:" in message) == (STATES[ill] not in ("finished", "diverged"))
    told = {run["rung"]: run.get("message", "") for run in study.status()}
    assert all(told[rung] for rung, ill in sick.items() if rung in message)
    assert children() == []
    assert set(study.run_table().text("status")) == {"finished", "diverged"}
    (tmp_path / "s" / "sick.json").write_text("{}")
    assert train(study) == ""
    assert {run["state"] for run in study.status()} == {"finished", "diverged"}


def test_a_diverged_run_is_kept_out_of_fits_and_listed() -> None:
    """Whatever number a diverged run left behind: the fit is that of the others."""
    N, D = np.meshgrid(np.geomspace(1e5, 1e7, 5), np.geomspace(1e7, 1e9, 5))
    rows = [
        {"n_params": n, "n_tokens": d, "loss": 1.8 + 400 / n**0.34 + 410 / d**0.28, "status": ok}
        for n, d, ok in zip(N.ravel(), D.ravel(), ["finished"] * 24 + ["diverged"], strict=True)
    ]
    clean = RunTable.from_records(rows[:-1])
    spoiled = RunTable.from_records([*rows[:-1], {**rows[-1], "loss": 9.0}])
    assert isoflop.fit(spoiled, "chinchilla").n_runs == 24
    assert isoflop.fit(spoiled, "chinchilla").params == isoflop.fit(clean, "chinchilla").params
    assert "diverged" in " ".join(f.evidence for f in isoflop.check_runs(spoiled).findings)


def children() -> list[str]:
    import os

    found = subprocess.run(
        ["ps", "-o", "args=", "--ppid", str(os.getpid())],
        capture_output=True,
        text=True,
        check=False,
    )
    return [line for line in found.stdout.splitlines() if "sick_worker" in line]


@pytest.mark.study
@pytest.mark.parametrize("workers", [1, 2])
def test_every_sickness_many_times(tmp_path: Path, record_fault, workers: int) -> None:
    sicknesses = [*STATES, *reversed(STATES), *STATES]
    study, sick = sick_study(tmp_path / "s", sicknesses)
    train(study, workers)
    found = states_of(study)
    wrong = {rung for rung in sick if found[rung] != STATES[sick[rung]]}
    record_fault(
        7,
        tried=f"{len(sick)} rungs, 8 sicknesses and none, {workers} workers",
        expected="0 wrong states",
        found=f"{len(wrong)} wrong states",
    )
    assert wrong == set()
