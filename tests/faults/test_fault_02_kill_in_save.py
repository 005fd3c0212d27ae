"""Fault 2: SIGKILL before, in and after each step of a save; the old or the new always loads."""

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from isoflop.lab.weights.checkpoint import Checkpoint  # noqa: E402
from isoflop.lab.weights.pair import load_last, save_next  # noqa: E402
from isoflop.store.journal import read_journal  # noqa: E402
from isoflop.store.manifest import commit_run, journal_matches, read_manifest  # noqa: E402

EXPECTED = "the previous or the new loads"
CURVE = [{"phase": "trunk", "step": step, "tokens": step, "loss": 3.0} for step in range(1, 40)]
ROW = {
    "run": "d8-s0-t8192",
    "rung": "d8",
    "seed": 0,
    "n_params": 1000,
    "n_tokens": 8192,
    "flops": 1e9,
    "loss": 2.5,
}


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before(name: str, at: int = 1) -> Callable[[random.Random], None]:
    """Die when `os.<name>` is called for the `at`-th time, before it does anything."""

    def arm(chance: random.Random) -> None:
        real, calls = getattr(os, name), [0]

        def deadly(*given, **named):
            calls[0] += 1
            if calls[0] == at:
                die()
            return real(*given, **named)

        setattr(os, name, deadly)

    return arm


def in_write(chance: random.Random) -> None:
    """Die with a random part of the first file on the disk."""
    real = os.fdopen

    def deadly(handle, mode):
        file = real(handle, mode)
        if "w" not in mode:
            return file

        class Half:
            def __enter__(self):
                return self

            def __exit__(self, *_):
                file.close()

            def write(self, payload: bytes) -> None:
                file.write(payload[: chance.randrange(len(payload))])
                file.flush()
                die()

        return Half()

    os.fdopen = deadly


def after(chance: random.Random) -> None:
    """Let the save go through; the process dies behind it."""


# One commit: mkstemp opens the temporary file, write, fsync, chmod, replace, fsync of the folder.
COMMIT = {
    "before the file is made": before("open"),
    "in the write": in_write,
    "before its fsync": before("fsync"),
    "after its fsync": before("chmod"),
    "before the rename": before("replace"),
    "after the rename": before("open", at=2),
    "before the folder's fsync": before("fsync", at=2),
}
SAVE = {
    **COMMIT,
    "before an old one is removed": before("unlink"),
    "after an old one is removed": before("unlink", at=2),
    "behind the save": after,
}
RUN = {
    **COMMIT,
    "before the manifest": before("open", at=3),
    "before the manifest's fsync": before("fsync", at=3),
    "before the manifest's rename": before("replace", at=2),
    "after the manifest's rename": before("fsync", at=4),
    "behind the commit": after,
}


def kill_in(work: Callable[[], object], arm: Callable[[random.Random], None], seed: int) -> None:
    """Do the work in a child process that dies by SIGKILL where it is armed."""
    child = os.fork()
    if child == 0:
        try:
            arm(random.Random(seed))
            work()
            if arm is after:
                die()
        finally:
            os._exit(1)  # an idle case: what was armed never happened
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL


def checkpoint(step: int, size: int) -> Checkpoint:
    numbers = torch.arange(size, dtype=torch.float32) + step
    tensors = {"master": numbers, "first": numbers / 2, "second": numbers / 3}
    return Checkpoint(step, {0: step}, tensors, {"row": step})


def same(found: Checkpoint, step: int, size: int) -> bool:
    made = checkpoint(step, size)
    return (found.step, found.diverged, found.position) == (
        step,
        made.diverged,
        made.position,
    ) and (all(torch.equal(found.tensors[name], tensor) for name, tensor in made.tensors.items()))


def save_and_die(folder: Path, step: str, seed: int) -> str | None:
    """Kill one save; return what is wrong afterwards."""
    size = random.Random(seed).randrange(10, 20000)
    for kept in (64, 91):
        save_next(folder, checkpoint(kept, size))
    (folder / ".checkpoint-64.safetensors.x").write_bytes(b"of a writer that was killed before")
    kill_in(lambda: save_next(folder, checkpoint(128, size)), SAVE[step], seed)
    resumed = load_last(folder)
    found = resumed.checkpoint
    if found is None or resumed.notices:
        return f"seed {seed}: nothing loads, or a damaged file is under its name"
    if found.step not in (91, 128) or not same(found, found.step, size):
        return f"seed {seed}: step {found.step} is neither the previous nor the new"
    renamed = list(SAVE).index(step) > list(SAVE).index("before the rename")
    if renamed != (found.step == 128):
        return f"seed {seed}: step {found.step} loads after a kill {step}"
    save_next(folder, checkpoint(128, size))
    names = sorted(path.name for path in folder.iterdir())
    return None if names == NAMES else f"seed {seed}: {names} after the next save"


NAMES = ["checkpoint-128.safetensors", "checkpoint-91.safetensors"]


def commit_and_die(folder: Path, step: str, seed: int) -> str | None:
    """Kill one commit of a finished run; return what is wrong afterwards."""
    kill_in(lambda: commit_run(folder, ROW, CURVE, None), RUN[step], seed)
    manifest = read_manifest(folder)
    if manifest is not None and not journal_matches(folder, manifest):
        return f"seed {seed}: a manifest without its journal"
    if (manifest is not None) != (step in ("after the manifest's rename", "behind the commit")):
        return f"seed {seed}: {'over' if manifest else 'not over'} after a kill {step}"
    commit_run(folder, ROW, CURVE, None)
    whole = len(read_journal(folder / "journal.jsonl").records) == len(CURVE)
    return None if whole and read_manifest(folder) else f"seed {seed}: not committed again"


def try_all(tmp_path: Path, kill: Callable, steps: list[str], times: int) -> list[str]:
    found = []
    for number, step in enumerate(steps):
        for turn in range(times):
            folder = tmp_path / f"{number}-{turn}"
            folder.mkdir()
            wrong = kill(folder, step, 1000 * number + turn)
            if wrong:
                found.append(f"{step}: {wrong}")
    return found


def test_a_killed_save_leaves_the_previous_or_the_new(tmp_path: Path) -> None:
    assert try_all(tmp_path, save_and_die, list(SAVE), times=2) == []


def test_a_killed_commit_leaves_a_run_that_is_over_or_is_not(tmp_path: Path) -> None:
    assert try_all(tmp_path, commit_and_die, list(RUN), times=1) == []


@pytest.mark.study
@pytest.mark.parametrize(
    ("what", "kill", "steps"),
    [("checkpoint", save_and_die, list(SAVE)), ("finished run", commit_and_die, list(RUN))],
)
def test_twenty_kills_at_each_step(tmp_path: Path, record_fault, what, kill, steps) -> None:
    wrong = try_all(tmp_path, kill, steps, times=20)
    record_fault(
        2,
        tried=f"{20 * len(steps)} SIGKILLs, 20 at each of {len(steps)} steps of saving a {what}",
        expected=EXPECTED,
        found=f"{len(wrong)} where neither does" if wrong else "it does after every one",
    )
    assert wrong == []
