"""Fault 4: truncated and flipped checkpoints are all seen; a torn journal keeps its other rows."""

import json
import os
import random
import shutil
import zlib
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from faults.ladders import lasting_bytes, small_ladder  # noqa: E402

from isoflop.lab import run_ladder  # noqa: E402
from isoflop.lab.progress.progress import Silent  # noqa: E402
from isoflop.lab.weights.checkpoint import Checkpoint  # noqa: E402
from isoflop.lab.weights.pair import load_last, save_next  # noqa: E402
from isoflop.store.journal import Journal, read_journal  # noqa: E402
from isoflop.store.recording.record import record  # noqa: E402
from isoflop.store.study import Study  # noqa: E402


def make_pair(folder: Path) -> Path:
    """Save two checkpoints; return the newest."""
    generator = torch.Generator().manual_seed(0)
    for step in (64, 91):
        names = ("master", "first", "second")
        tensors = {name: torch.randn(2000, generator=generator) for name in names}
        newest = save_next(folder, Checkpoint(step, {}, tensors, {"row": step}))
    return newest


def truncate(raw: bytes, chance: random.Random) -> bytes:
    return raw[: chance.randrange(len(raw))]


def flip(raw: bytes, chance: random.Random) -> bytes:
    # Every second one in the header, which is a fiftieth of the file.
    end = 8 + int.from_bytes(raw[:8], "little") if chance.random() < 0.5 else len(raw)
    damaged = bytearray(raw)
    damaged[chance.randrange(end)] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def count_silent(folder: Path, damage, times: int) -> int:
    """Return how many damaged checkpoints were not passed over for the one before, with a word."""
    newest = make_pair(folder)
    raw, chance, silent = newest.read_bytes(), random.Random(0), 0
    for _ in range(times):
        newest.write_bytes(damage(raw, chance))
        resumed = load_last(folder)
        seen = resumed.notices == (f"{newest}: damaged; going on from step 64",)
        silent += not (seen and resumed.checkpoint and resumed.checkpoint.step == 64)
    newest.write_bytes(raw)
    assert load_last(folder).checkpoint.step == 91
    return silent


@pytest.mark.parametrize("damage", [truncate, flip])
def test_damage_is_seen_and_the_one_before_is_taken(tmp_path: Path, damage) -> None:
    assert count_silent(tmp_path, damage, 40) == 0


@pytest.mark.study
def test_two_hundred_of_each_are_seen(tmp_path: Path, record_fault) -> None:
    for name, damage in (("truncations", truncate), ("bit flips", flip)):
        (tmp_path / name).mkdir()
        silent = count_silent(tmp_path / name, damage, 200)
        record_fault(
            4,
            tried=f"200 {name} of a checkpoint",
            expected="200 seen, the one before taken, 0 silent",
            found=f"{200 - silent} seen, the one before taken, {silent} silent",
        )
        assert silent == 0


def rows_by_the_page(raw: bytes) -> list[dict]:
    """Read a journal by docs/formats.md alone."""
    rows = []
    for line in raw.splitlines():
        start, _, tail = line[:-1].rpartition(b', "crc": ')
        body = start + b"}"
        assert tail == f'"{zlib.crc32(body):08x}"'.encode()
        rows.append(json.loads(body))
    return rows


def write_lab_row(folder: Path, step: int) -> None:
    with Journal(folder / "journal.jsonl") as journal:
        journal.append({"phase": "trunk", "step": step, "loss": [1 / step, None]})


def write_recorded_row(folder: Path, step: int) -> None:
    with record(folder, resume=True) as run:
        run.log(step=step, n_tokens=64 * step, loss=1 / step)


def lost_at_any_byte(folder: Path, write_row) -> tuple[int, int]:
    """Tear the last line at every byte; return (tears, those after which a row was missing)."""
    for step in (1, 2, 3):
        write_row(folder, step)
    path = folder / "journal.jsonl"
    whole = path.read_bytes()
    rows = rows_by_the_page(whole)
    last, lost = len(whole.splitlines(keepends=True)[-1]), 0
    for cut in range(1, last + 1):
        path.write_bytes(whole[: len(whole) - cut])
        content = read_journal(path)
        kept = list(content.records) == rows[:2] and content.torn == last - cut
        write_row(folder, 3)
        lost += not (kept and path.read_bytes() == whole)
    return last, lost


@pytest.mark.parametrize("write_row", [write_lab_row, write_recorded_row])
def test_a_tail_torn_at_every_byte_keeps_all_earlier_rows(
    tmp_path: Path, write_row, record_fault
) -> None:
    tears, lost = lost_at_any_byte(tmp_path, write_row)
    assert (tears > 40, lost) == (True, 0)


@pytest.mark.study
def test_torn_tails_are_told(tmp_path: Path, record_fault) -> None:
    for name, write_row in (("lab's", write_lab_row), ("recorder's", write_recorded_row)):
        tears, lost = lost_at_any_byte(tmp_path / name, write_row)
        record_fault(
            4,
            tried=f"the {name} journal torn at each of the {tears} bytes of its last line",
            expected="all earlier rows kept",
            found=f"{lost} tears that lost more" if lost else "all earlier rows kept",
        )
        assert lost == 0


@pytest.mark.study
def test_a_ladder_resumes_over_damage_to_the_same_bytes(tmp_path: Path, record_fault) -> None:
    ladder = small_ladder(6)
    whole = run_ladder(ladder, tmp_path / "whole", workers=1, progress=Silent())
    expected, chance, other = lasting_bytes(whole.path), random.Random(1), 0
    for turn in range(10):
        study = Study(tmp_path / f"{turn}", ladder)
        shutil.copytree(whole.path, study.path)
        newest = max(study.path.rglob("checkpoint-*.safetensors"), key=os.path.getmtime)
        newest.write_bytes((truncate, flip)[turn % 2](newest.read_bytes(), chance))
        for run in chance.sample([run.id for run in ladder.runs()], 2):
            (study.run_folder(run) / "run.json").unlink()
        run_ladder(ladder, study.path, workers=1, progress=Silent())
        other += lasting_bytes(study.path) != expected
    record_fault(
        4,
        tried="10 ladders resumed with a damaged newest checkpoint",
        expected="journals, manifests and weights of the undamaged ladder",
        found=f"{other} that differ" if other else "the same bytes",
    )
    assert other == 0
