import hashlib
import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from isoflop.accounting.architecture import Architecture
from isoflop.base.errors import InputError, IsoflopError
from isoflop.cli.main import run as run_cli
from isoflop.runs.ladders.ladder import Evaluation, Ladder, Recipe, Rung
from isoflop.store import layout
from isoflop.store.layout import LAYOUT, migrate_study, read_layout
from isoflop.store.study import Study

SHAPE = Architecture(n_layer=1, d_model=8, n_head=1, n_ctx=32, n_vocab=256, tied=False)
LADDER = Ladder("demo", "sotu", "bytes", (Rung("d8", SHAPE, 1, (8192,)),), Recipe(), Evaluation())
OLD_SETTINGS = {"format": 1, "device": "cpu", "precision": "float32", "torch": "2.0"}


def old_checkpoint(step: int) -> bytes:
    """The beginning of a safetensors file of the first release; its tensors are not looked at."""
    header = json.dumps({"step": step, "diverged": {}, "sha256": "0" * 64})
    raw = json.dumps({"__metadata__": {"isoflop": header}}).encode()
    return len(raw).to_bytes(8, "little") + raw + bytes(step)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A study as the first release left it, killed in training."""
    study = Study.create(tmp_path / "s", LADDER).path
    (study / "study.json").write_text(json.dumps(OLD_SETTINGS, indent=1))
    for trunk, step in (("d8", 64), ("d16/t8192", 91)):
        (study / "rungs" / trunk).mkdir(parents=True)
        (study / "rungs" / trunk / "checkpoint.safetensors").write_bytes(old_checkpoint(step))
        (study / "rungs" / trunk / "journal.jsonl").write_bytes(b"")
    return study


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "lock" and path.name[0] != "."  # of killed writers
    }


NEW_NAMES = [
    "rungs/d16/t8192/checkpoint-91.safetensors",
    "rungs/d8/checkpoint-64.safetensors",
]


def test_an_older_study_is_migrated_and_its_backup_is_as_it_was(old: Path) -> None:
    before = contents(old)
    done = migrate_study(old)
    assert (done.found, done.backup) == (1, old / "backup-format-1")
    assert [str(path.relative_to(old)) for path in done.renamed] == NEW_NAMES
    touched = {k: v for k, v in before.items() if k == "study.json" or "safetensors" in k}
    assert contents(old / "backup-format-1") == touched
    after = contents(old)
    for name in NEW_NAMES:
        assert after[name] == before[f"{Path(name).parent}/checkpoint.safetensors"]
    assert not list((old / "rungs").rglob("checkpoint.safetensors"))
    assert json.loads((old / "study.json").read_bytes()) == {**OLD_SETTINGS, "format": LAYOUT}
    assert Study.open(old).settings()["torch"] == "2.0"


def test_again_it_does_nothing(old: Path) -> None:
    migrate_study(old)
    before = contents(old)
    assert migrate_study(old).backup is None
    assert contents(old) == before


def test_reading_an_older_study_changes_nothing(old: Path) -> None:
    before = contents(old)
    assert Study.open(old).status()[0]["state"] == "interrupted"
    assert Study.open(old).settings()["format"] == 1
    assert contents(old) == before


def test_killed_at_any_step_it_is_completed(old: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(old, whole)
    migrate_study(whole)
    kills = 0
    for at in range(1, 20):
        study = tmp_path / f"at{at}"
        shutil.copytree(old, study)
        kills += killed_at(at, study)
        migrate_study(study)
        assert contents(study) == contents(whole)
        shutil.rmtree(study)
    assert kills > 12  # fsyncs and renames of one migration


def killed_at(at: int, study: Path) -> bool:
    """Migrate in a child that dies before its `at`-th fsync or rename."""
    child = os.fork()
    if child == 0:
        try:
            left = [at]
            for name in ("fsync", "replace"):
                setattr(os, name, deadly(getattr(os, name), left))
            migrate_study(study)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def deadly(real, left: list[int]):
    def call(*given, **named):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*given, **named)

    return call


def test_a_later_layout_is_refused_in_one_sentence_by_all_who_open_it(old: Path, capsys) -> None:
    later = {**OLD_SETTINGS, "format": LAYOUT + 1}
    (old / "study.json").write_text(json.dumps(later))
    before = contents(old)
    sentence = f"a study of format 3, this release reads up to {LAYOUT}; use the isoflop version"
    for act in (Study.open, migrate_study, lambda path: Study.create(path, LADDER)):
        with pytest.raises(InputError, match=sentence):
            act(old)
    for command in ("status", "migrate", "resume", "list"):
        assert run_cli(["ladder", command, str(old)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert sentence in line
    assert contents(old) == before


def test_a_checkpoint_whose_header_is_damaged_stays_where_it_is(old: Path) -> None:
    damaged = old / "rungs" / "d8" / "checkpoint.safetensors"
    damaged.write_bytes(b"\xff" * 100)
    assert len(migrate_study(old).renamed) == 1
    assert damaged.exists()
    assert read_layout(old) == LAYOUT


def test_while_another_process_writes_it_nothing_is_migrated(old: Path) -> None:
    before = contents(old)
    with Study.open(old).writing(), pytest.raises(IsoflopError, match="being written"):
        migrate_study(old)
    assert contents(old) == before


def test_the_command_says_where_the_backup_is(old: Path, capsys) -> None:
    assert run_cli(["ladder", "migrate", str(old)]) == 0
    assert "format 1 → 2, 2 checkpoints renamed; as it was: " in capsys.readouterr().out
    assert run_cli(["ladder", "migrate", str(old), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["backup"] is None
    assert run_cli(["ladder", "migrate", str(old / "data")]) == 2


def test_a_new_study_is_of_the_layout_of_this_release(tmp_path: Path) -> None:
    study = Study.create(tmp_path / "s", LADDER)
    study.write_settings(OLD_SETTINGS)
    assert json.loads((study.path / "study.json").read_bytes())["format"] == LAYOUT
    assert layout.migrate_study(study.path).backup is None
