"""Fault 6: two runners on one ladder, paused owners, pids used again, clocks that jump."""

import fcntl
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from faults.conftest import RecordFault
from faults.ladders import lasting_bytes, small_ladder

from isoflop.store.leases.holding import read_holding

pytest.importorskip("torch")

from isoflop.lab.launchers.local import LocalLauncher
from isoflop.lab.progress.progress import Silent
from isoflop.lab.training import prepare_study, run_ladder

CLAIMER = """
import os, random, sys, time
from pathlib import Path
from isoflop.base.errors import HeldError
from isoflop.store.leases.lease import Watch, claim
root, order, log = Path(sys.argv[1]), random.Random(int(sys.argv[2])), open(sys.argv[3], "a")
folders, watch = sorted(root.iterdir()), Watch()
order.shuffle(folders)
while missing := [folder for folder in folders if not (folder / "done").exists()]:
    for folder in missing:
        seen = watch.look(folder)
        if seen is None:
            continue
        try:
            lease = claim(folder, folder.name, seconds=5.0, seen=seen)
        except HeldError:
            continue
        with lease:
            if (folder / "done").exists():
                continue
            print(folder.name, lease.token, file=log, flush=True)
            time.sleep(order.random() * 0.01)
            with lease.guard():
                (folder / "done").touch()
"""
RUNNER = """
import sys
from isoflop.lab import run_ladder
from isoflop.lab.launchers.local import LocalLauncher
from isoflop.runs.ladders.toml import read_ladder
launcher = LocalLauncher(lease_seconds=float(sys.argv[3]))
run_ladder(read_ladder(sys.argv[1]), sys.argv[2], workers=1, launcher=launcher)
"""


def claims(root: Path, processes: int, folders: int, *, kills: int = 0) -> Counter[str]:
    """How often each folder was executed when many processes compete for all of them."""
    for index in range(folders):
        (root / "work" / f"f{index:03d}").mkdir(parents=True)
    logs = [root / f"log{index}" for index in range(processes)]
    started = [
        subprocess.Popen([sys.executable, "-c", CLAIMER, str(root / "work"), str(i), str(log)])
        for i, log in enumerate(logs)
    ]
    for victim in started[:kills]:
        wait_until(lambda: sum(1 for _ in root.glob("work/*/done")) > folders // 4)
        victim.kill()
    for process in started[kills:]:
        assert process.wait(timeout=600) == 0
    for victim in started[:kills]:
        victim.wait()
    lines = [line for log in logs if log.exists() for line in log.read_text().splitlines()]
    return Counter(line.split()[0] for line in lines)


@pytest.mark.parametrize(
    ("processes", "folders"), [(4, 40), pytest.param(8, 200, marks=pytest.mark.study)]
)
def test_every_claim_has_one_owner(
    tmp_path: Path, record_fault: RecordFault, processes: int, folders: int
) -> None:
    executed = claims(tmp_path, processes, folders)
    twice = sum(count > 1 for count in executed.values())
    record_fault(
        6,
        tried=f"{processes} processes compete for {folders} runs",
        expected=f"{folders} executed once",
        found=f"{len(executed)} executed, {twice} of them more than once",
    )
    assert executed == dict.fromkeys(executed, 1)
    assert len(executed) == folders


def test_two_runners_share_a_ladder_and_train_nothing_twice(
    tmp_path: Path, record_fault: RecordFault
) -> None:
    ladder = small_ladder(12, seeds=1)
    alone = run_ladder(ladder, tmp_path / "alone", workers=1, progress=Silent())
    study = prepare_study(ladder, tmp_path / "shared")
    command = runner(study.path)
    with subprocess.Popen(command) as first, subprocess.Popen(command) as second:
        codes = [first.wait(timeout=300), second.wait(timeout=300)]
    stretches, expected = segments(study.path), segments(alone.path)
    record_fault(
        6,
        tried="2 runners on one ladder of 12 runs",
        expected=f"exit 0, {sum(expected.values())} stretches of training, the bytes of one runner",
        found=f"exit {codes}, {sum(stretches.values())} stretches, "
        f"{'equal' if lasting_bytes(study.path) == lasting_bytes(alone.path) else 'other'} bytes",
    )
    assert codes == [0, 0]
    assert stretches == expected
    assert lasting_bytes(study.path) == lasting_bytes(alone.path)
    tokens = {read_holding(study.rung_folder(rung.name)).token for rung in ladder.rungs}
    assert tokens == {1}, "a rung was claimed twice"


def test_an_owner_paused_beyond_its_lease_is_fenced_off(
    tmp_path: Path, record_fault: RecordFault
) -> None:
    ladder = small_ladder(2, seeds=1, budgets=(8192, 131072))
    alone = run_ladder(ladder, tmp_path / "alone", workers=1, progress=Silent())
    study = prepare_study(ladder, tmp_path / "paused")
    folder = study.rung_folder("r0-d4")
    with subprocess.Popen(runner(study.path, 1.0), stderr=subprocess.PIPE) as owner:
        wait_until(lambda: len(study.manifests()) == 1)
        worker = read_holding(folder).process
        assert worker is not None
        pause_outside_the_locks(worker.pid, folder / "lock", study.path / "spent.lock")
        try:
            began = time.monotonic()
            run_ladder(ladder, study.path, progress=Silent(), launcher=LocalLauncher())
            waited, finished = time.monotonic() - began, lasting_bytes(study.path)
        finally:
            os.kill(worker.pid, signal.SIGCONT)
        assert owner.wait(timeout=300) == 0  # it sees that all is over, and writes nothing
    same = finished == lasting_bytes(study.path) == lasting_bytes(alone.path)
    record_fault(
        6,
        tried=f"owner stopped by SIGSTOP, taken over after {waited:.0f} s, then continued",
        expected="token 2, the bytes of one runner, the late owner writes nothing",
        found=f"token {read_holding(folder).token}, bytes {'equal' if same else 'other'}",
    )
    assert read_holding(folder).token == 2
    assert same


def test_a_pid_used_again_is_reclaimed_at_once(tmp_path: Path, record_fault: RecordFault) -> None:
    ladder = small_ladder(2, seeds=1, budgets=(8192, 16384))
    study = prepare_study(ladder, tmp_path / "s")
    folder = study.rung_folder("r0-d4")
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as other:
        plant(folder, pid=other.pid, started=1)  # a dead owner whose pid `other` now has
        began = time.monotonic()
        run_ladder(ladder, study.path, progress=Silent())
        seconds = time.monotonic() - began
        assert other.poll() is None
        other.kill()
    record_fault(
        6,
        tried="the pid of a dead owner belongs to another process",
        expected="reclaimed at once, not after its lease of 10000 s",
        found=f"all finished after {seconds:.0f} s, token {read_holding(folder).token}",
    )
    assert study.finished()
    assert read_holding(folder).token == 6


FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
WATCHER = """
import select, sys, time
from pathlib import Path
from isoflop.store.leases.lease import Watch
watch, folder, began = Watch(), Path(sys.argv[1]), time.monotonic()
while watch.look(folder) is None:
    print("held", time.time(), flush=True)
    select.select([], [], [], 0.05)  # faketime breaks time.sleep
print("lapsed", time.monotonic() - began, flush=True)
"""


@pytest.mark.skipif(FAKETIME is None, reason="needs faketime: apt-get install faketime")
@pytest.mark.parametrize("jump", ["-1d", "+1d"])
def test_a_clock_that_jumps_a_day_ends_no_lease_and_prolongs_none(
    tmp_path: Path, record_fault: RecordFault, jump: str
) -> None:
    plant(tmp_path, pid=1, started=1, host="elsewhere", seconds=3.0)
    clock = tmp_path / "clock"
    clock.write_text("+0\n")
    environment = {
        **os.environ,
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    command = [sys.executable, "-c", WATCHER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as watcher:
        assert watcher.stdout is not None
        times = [float(watcher.stdout.readline().split()[1])]
        clock.write_text(f"{jump}\n")
        *held, lapsed = watcher.communicate(timeout=120)[0].splitlines()
    times += [float(line.split()[1]) for line in held]
    jumped = max(abs(after - before) for before, after in itertools.pairwise(times))
    seconds = float(lapsed.split()[1])
    record_fault(
        6,
        tried=f"the watcher's clock jumps {jump} in a lease of 3 s (by {jumped:.0f} s)",
        expected="the lease ends after 3 s, no sooner and not much later",
        found=f"after {seconds:.1f} s",
    )
    assert jumped > 80000
    assert 3.0 <= seconds < 30.0


def runner(study: Path, lease_seconds: float = 60.0) -> list[str]:
    """The command of a runner with one worker."""
    return [
        sys.executable,
        "-c",
        RUNNER,
        str(study / "ladder.toml"),
        str(study),
        str(lease_seconds),
    ]


def segments(study: Path) -> Counter[tuple[str, int, int]]:
    """Stretches of training that were done, by rung."""
    rows = [
        (path.parent.name, json.loads(line))
        for path in study.rglob("timing.jsonl")
        for line in path.read_text().splitlines()
    ]
    return Counter((rung, row["first"], row["last"]) for rung, row in rows)


def pause_outside_the_locks(pid: int, *locks: Path) -> None:
    """Stop a process that is not in the midst of a commit: there it keeps a kernel lock."""
    while True:
        os.kill(pid, signal.SIGSTOP)
        while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            time.sleep(0.001)
        if all(is_free(lock) for lock in locks):
            return
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.01)


def is_free(lock: Path) -> bool:
    """Whether nobody holds a kernel lock."""
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True


def plant(
    folder: Path, *, pid: int, started: int, host: str | None = None, seconds: float = 10000.0
) -> None:
    """Write the lease of an owner of this machine, or another, under token 5."""
    from dataclasses import replace

    from isoflop.store.leases.holding import Holding, write_holding
    from isoflop.store.leases.process import this_process

    here = this_process()
    owner = replace(here, pid=pid, started=started, host=host or here.host)
    write_holding(folder, Holding(5, 3, "gone", owner, seconds))


def wait_until(condition: Callable[[], bool], seconds: float = 300.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
