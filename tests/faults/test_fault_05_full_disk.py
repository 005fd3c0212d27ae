"""Fault 5: disk full at 20 points, and a read-only folder; nothing changes, all of it resumes."""

import hashlib
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from faults.big_studies import write_big_study  # noqa: E402
from faults.ladders import lasting_bytes, small_ladder  # noqa: E402

from isoflop.base.errors import IsoflopError  # noqa: E402
from isoflop.cli.main import run as run_cli  # noqa: E402
from isoflop.lab.launchers.station import open_station  # noqa: E402
from isoflop.lab.train_rung import train_rung  # noqa: E402
from isoflop.lab.training import prepare_study  # noqa: E402
from isoflop.lab.weights.checkpoint import Checkpoint  # noqa: E402
from isoflop.lab.weights.pair import load_last, save_next  # noqa: E402
from isoflop.store.journal import Journal, read_journal  # noqa: E402
from isoflop.store.manifest import commit_run, read_manifest  # noqa: E402
from isoflop.store.outcome import read_outcome, write_outcome  # noqa: E402
from isoflop.store.recording.record import record  # noqa: E402
from isoflop.store.study import Study  # noqa: E402

DISK_KB = 65536
ROW = {"run": "r", "rung": "d8", "seed": 0, "n_params": 9, "n_tokens": 8, "flops": 1e9, "loss": 2.5}
CURVE = [{"phase": "trunk", "step": step, "tokens": step, "loss": 3.0} for step in range(40)]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, 64 MiB large; skipped where this process may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mount("-t", "tmpfs", "-o", f"size={DISK_KB}k", "tmpfs", str(folder)):
        pytest.skip("mounting a small disk needs rights that this process has not")
    yield folder
    # Lazily: tokens are mapped into the memory of this process.
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def mount(*arguments: str) -> bool:
    done = subprocess.run(["mount", *arguments], capture_output=True, check=False)
    return done.returncode == 0


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# --- a limit on the size of a file, which every process may set for itself


def checkpoint(step: int) -> Checkpoint:
    return Checkpoint(step, {}, {"master": torch.full((3000,), float(step))}, {})


def prepare(folder: Path) -> None:
    for step in (64, 91):
        save_next(folder / "rung", checkpoint(step))
    with Journal(folder / "rung" / "journal.jsonl") as journal:
        for row in CURVE:
            journal.append(row)
    commit_run(folder / "run", ROW, CURVE, None)
    write_outcome(folder / "rung", "failed", "before")
    with record(folder / "recorded", n_params=9) as recorder:
        for step in range(1, 40):
            recorder.log(step=step, n_tokens=step, loss=1 / step)


def append_row(folder: Path) -> None:
    with Journal(folder / "rung" / "journal.jsonl") as journal:
        journal.append({"phase": "trunk", "step": 40, "loss": 3.0})


def log_row(folder: Path) -> None:
    with record(folder / "recorded", resume=True) as recorder:
        recorder.log(step=40, n_tokens=40, loss=0.1)


WRITES: dict[str, tuple[Callable[[Path], object], int]] = {
    # what is written, and the size of the file it makes or makes longer
    "checkpoint": (lambda folder: save_next(folder / "rung", checkpoint(128)), 12000),
    "journal row": (append_row, 2700),
    "finished run": (lambda folder: commit_run(folder / "new", ROW, [], None), 300),
    "outcome": (lambda folder: write_outcome(folder / "rung", "oom", "now"), 50),
    "recorded row": (log_row, 3000),
}


def refused(work: Callable[[], object], limit: int | None = None) -> str | None:
    """Do work in a child process, whose files may end at `limit` bytes.

    A process of its own as a worker is one: what it held when the disk refused is free once it is
    over. Returns its error, None if all went well.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if limit is not None:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            work()
        except (OSError, IsoflopError) as error:
            os.write(writer, f"{type(error).__name__}: {error}".encode())
            os._exit(1)
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as told:
        message = told.read().decode()
    return message if os.waitpid(child, 0)[1] else None


@pytest.mark.parametrize("what", WRITES)
def test_a_write_that_is_refused_changes_no_file_and_names_its_own(tmp_path: Path, what) -> None:
    write, size = WRITES[what]
    prepare(tmp_path)
    before = files(tmp_path)
    for point in range(4):  # 5 kinds of write, 4 points each
        message = refused(partial(write, tmp_path), size * point // 4)
        assert message is not None
        assert str(tmp_path) in message
        assert "File too large" in message
        after = files(tmp_path)
        # A lock names whoever asked for it last.
        kept = {name for name in before if not name.endswith("lock")}
        assert {name: after.get(name) for name in kept} == {name: before[name] for name in kept}
        assert read_manifest(tmp_path / "new") is None
    write(tmp_path)
    assert files(tmp_path) != before
    assert load_last(tmp_path / "rung").notices == ()
    assert len(read_journal(tmp_path / "rung" / "journal.jsonl").records) >= len(CURVE)
    assert read_outcome(tmp_path / "rung") is not None


# --- a small disk that is full, with a ladder in training on it


LADDER = small_ladder(4, budgets=(8192, 16384))


class Bench:
    """A ladder prepared once, and what it comes to when nothing goes wrong."""

    def __init__(self, folder: Path) -> None:
        self.prepared = folder / "prepared"
        prepare_study(LADDER, self.prepared)
        self.whole = self.copy(folder / "whole")
        assert self.train(self.whole) is None
        self.lasting = lasting_bytes(self.whole)

    def copy(self, folder: Path) -> Path:
        shutil.copytree(self.prepared, folder)
        return folder

    def train(self, folder: Path) -> str | None:
        """Train what is missing; return the error that ended it, None if all is over."""

        def work() -> None:
            station = open_station(folder)
            for rung in LADDER.rungs:
                train_rung(station.study, rung, station.data, station.placement, lambda event: None)

        return refused(work)

    def needed(self) -> int:
        """Bytes that training writes beside what was prepared."""
        return sum(
            path.stat().st_blocks * 512 for path in self.whole.rglob("*") if path.is_file()
        ) - sum(path.stat().st_blocks * 512 for path in self.prepared.rglob("*") if path.is_file())


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def fill_up(disk: Path, bench: Bench, share: float) -> str | None:
    """Train on a disk with room for a share of what is needed; return what is wrong afterwards."""
    study = bench.copy(disk / "study")
    before = files(study)
    filler = disk / "filler"
    free = shutil.disk_usage(disk).free
    filler.write_bytes(bytes(free - int(share * bench.needed()) // 4096 * 4096))
    message = bench.train(study)
    if message is None:
        return f"at {share:.0%} the disk was not full"
    if "No space left on device" not in message or str(study) not in message:
        return f"at {share:.0%}: {message}"
    after = files(study)
    # What was spent before the disk was full stays spent.
    kept = before.keys() - {"spent.json"}
    changed = [name for name in kept if after.get(name) != before[name]]
    if changed:
        return f"at {share:.0%}: {', '.join(changed)} changed"
    over = {name: digest for name, digest in after.items() if name.endswith("run.json")}
    if any(bench.lasting[name] != digest for name, digest in over.items()):
        return f"at {share:.0%}: a finished run is not that of the undisturbed ladder"
    if any(load_last(folder).notices for folder in (study / "rungs").iterdir()):
        return f"at {share:.0%}: a damaged checkpoint"
    filler.unlink()
    if bench.train(study) is not None or lasting_bytes(study) != bench.lasting:
        return f"at {share:.0%}: does not resume to the same bytes"
    return None


def try_shares(disk: Path, bench: Bench, shares: list[float]) -> list[str]:
    found = []
    for share in shares:
        wrong = fill_up(disk, bench, share)
        found += [wrong] if wrong else []
        for path in disk.iterdir():
            path.unlink() if path.is_file() else shutil.rmtree(path)
    return found


def test_a_full_disk_ends_training_and_room_resumes_it(disk: Path, bench: Bench) -> None:
    assert try_shares(disk, bench, [0.1, 0.6]) == []


@pytest.mark.study
def test_a_disk_full_at_twenty_points(disk: Path, bench: Bench, record_fault) -> None:
    wrong = try_shares(disk, bench, [point / 21 for point in range(20)])
    record_fault(
        5,
        tried="a disk full at 20 points of a ladder's training",
        expected="nothing existing changed, the path named, resumed to the same bytes",
        found="; ".join(wrong) or "so at all 20",
    )
    assert wrong == []


# --- a read-only folder


def test_a_read_only_study_is_read_and_never_written(disk: Path, bench: Bench, capsys) -> None:
    study = bench.copy(disk / "study")
    (study / "rungs").mkdir()
    big = write_big_study(disk / "big", 500, every=10)
    expected = Study.open(study).status()
    (big / "index.sqlite").unlink(missing_ok=True)
    assert mount("-o", "remount,ro", str(disk))
    try:
        before = files(disk)
        message = bench.train(study)
        assert message is not None
        assert "Read-only file system" in message
        assert str(study) in message
        assert run_cli(["ladder", "resume", str(study)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"error: {study}")
        assert "Read-only file system" in line
        assert Study.open(study).status() == expected
        assert len(Study.open(big).manifests()) == 50
        assert run_cli(["ladder", "list", str(disk), "--state", "finished"]) == 0
        assert files(disk) == before
    finally:
        assert mount("-o", "remount,rw", str(disk))
    assert bench.train(study) is None
    assert lasting_bytes(study) == bench.lasting


@pytest.mark.study
def test_a_read_only_folder_is_told(disk: Path, bench: Bench, record_fault, capsys) -> None:
    found = "so"
    try:
        test_a_read_only_study_is_read_and_never_written(disk, bench, capsys)
    except AssertionError as error:
        found = str(error).splitlines()[0]
    record_fault(
        5,
        tried="a study on a read-only file system: train, resume, status, list",
        expected="nothing changed, the path named in one line, read all the same, resumed later",
        found=found,
    )
    assert found == "so"
