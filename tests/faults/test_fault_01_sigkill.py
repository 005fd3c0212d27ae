"""Fault 1: SIGKILL at random moments of a ladder: nothing finished is lost, repeated or changed."""

import contextlib
import os
import random
import signal
import time
from pathlib import Path

import pytest
from faults.conftest import RecordFault
from faults.ladders import lasting_bytes, small_ladder

pytest.importorskip("torch")

from isoflop.lab.progress.progress import Silent
from isoflop.lab.training import prepare_study, run_ladder
from isoflop.store.journal import read_journal
from isoflop.store.leases.holding import read_holding
from isoflop.store.leases.process import known_dead
from isoflop.store.study import Study

BUDGETS = (8192, 32768, 98304)


@pytest.mark.parametrize(
    ("n_runs", "kills"), [(6, 2), pytest.param(24, 50, marks=pytest.mark.study)]
)
def test_killed_ladders_resume_to_the_bytes_of_an_uninterrupted_one(
    tmp_path: Path, record_fault: RecordFault, n_runs: int, kills: int
) -> None:
    ladder = small_ladder(n_runs, budgets=BUDGETS)
    whole = run_ladder(ladder, tmp_path / "whole", workers=2, progress=Silent())
    chance, done, studies = random.Random(0), 0, []
    worst = {"lost": 0, "rewritten": 0, "intervals": 0}
    while done < kills:
        study = prepare_study(ladder, tmp_path / f"killed{len(studies)}")
        studies.append(study)
        known: dict[str, tuple[int, int]] = {}
        while done < kills and kill_once(study, chance):
            done += 1
            found = identities(study)
            worst["lost"] += len(known.keys() - found.keys())
            worst["rewritten"] += sum(found[run] != known[run] for run in known.keys() & found)
            worst["intervals"] = max(worst["intervals"], intervals_lost(study))
            known = found
        run_ladder(ladder, study.path, workers=2, progress=Silent())
        found = identities(study)
        worst["rewritten"] += sum(found[run] != known[run] for run in known)
    equal = sum(lasting_bytes(study.path) == lasting_bytes(whole.path) for study in studies)
    record_fault(
        1,
        tried=f"{done} SIGKILLs of a ladder of {n_runs} runs, {len(studies)} ladders in all",
        expected="0 finished runs lost, 0 written again; weights and journals of the "
        "uninterrupted ladder; at most 1 checkpoint interval lost",
        found=f"{worst['lost']} lost, {worst['rewritten']} written again; {equal} of "
        f"{len(studies)} equal; {worst['intervals']} interval lost",
    )
    assert worst == {"lost": 0, "rewritten": 0, "intervals": worst["intervals"]}
    assert worst["intervals"] <= 1
    assert equal == len(studies)


def kill_once(study: Study, chance: random.Random) -> bool:
    """Run the ladder and kill its runner, a worker and the runner, or all; False if it ended."""
    runner = start_runner(study)
    while not (workers := at_work(study)) and not is_over(runner):
        time.sleep(0.01)
    time.sleep(chance.random() * 2.0)
    if is_over(runner):
        return False
    victims = chance.choice([[], workers[:1], workers])
    for pid in [*victims, runner]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        time.sleep(chance.random() * 0.05)
    os.waitpid(runner, 0)
    return True


def start_runner(study: Study) -> int:
    """Start a process that runs the ladder; forked, so that 50 of them import torch once."""
    pid = os.fork()
    if pid == 0:
        status = 1
        with contextlib.suppress(BaseException):
            run_ladder(study.ladder, study.path, workers=2, progress=Silent())
            status = 0
        os._exit(status)
    return pid


def is_over(pid: int) -> bool:
    """Whether a child has ended by itself; it is waited for if so."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] != 0
    except ChildProcessError:  # waited for before
        return True


def at_work(study: Study) -> list[int]:
    """Pids of the processes that hold a rung now."""
    holders = [read_holding(study.rung_folder(rung.name)).process for rung in study.ladder.rungs]
    return [holder.pid for holder in holders if holder is not None and not known_dead(holder)]


def identities(study: Study) -> dict[str, tuple[int, int]]:
    """Inode and time of the manifest of every finished run: one written again has others."""
    found = {run: (study.run_folder(run) / "run.json").stat() for run in study.manifests()}
    return {run: (stat.st_ino, stat.st_mtime_ns) for run, stat in found.items()}


def intervals_lost(study: Study) -> int:
    """Points of the learning curve on disk that the newest checkpoint is behind, at worst."""
    behind = [0]
    for rung in study.ladder.rungs:
        folder = study.rung_folder(rung.name)
        points = [row["step"] for row in read_journal(folder / "journal.jsonl").records]
        names = [path.stem.split("-")[1] for path in folder.glob("checkpoint-*.safetensors")]
        newest = max(map(int, names), default=0)
        behind.append(sum(point > newest for point in points))
    return max(behind)
