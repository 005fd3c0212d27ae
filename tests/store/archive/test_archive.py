import hashlib
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

fsspec = pytest.importorskip("fsspec")

from isoflop.accounting.architecture import Architecture  # noqa: E402
from isoflop.base.errors import InputError, IsoflopError  # noqa: E402
from isoflop.cli.main import run as run_cli  # noqa: E402
from isoflop.runs.ladders.ladder import Evaluation, Ladder, Recipe, Rung  # noqa: E402
from isoflop.store.archive.archive import archive_study  # noqa: E402
from isoflop.store.archive.remote import Remote  # noqa: E402
from isoflop.store.archive.restore import restore_study  # noqa: E402
from isoflop.store.manifest import commit_run, describe_run  # noqa: E402
from isoflop.store.recording.record import record  # noqa: E402
from isoflop.store.study import Study  # noqa: E402

SHAPE = Architecture(n_layer=1, d_model=8, n_head=1, n_ctx=32, n_vocab=256, tied=False)
LADDER = Ladder(
    "demo", "sotu", "bytes", (Rung("d8", SHAPE, 3, (8192, 16384)),), Recipe(), Evaluation()
)


def finish(study: Study, number: int) -> None:
    run = list(LADDER.runs())[number]
    curve = [{"phase": "trunk", "step": 1, "tokens": 64, "loss": 3.0 + number}]
    commit_run(study.run_folder(run.id), describe_run(run, LADDER) | {"loss": 2.5}, curve, None)
    (study.run_folder(run.id) / "weights.safetensors").write_bytes(bytes([number]) * 5_000_000)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Four of six runs are over."""
    study = Study.create(tmp_path / "study", LADDER)
    study.write_settings({"device": "cpu", "precision": "float32", "torch": "1"})
    for number in range(4):
        finish(study, number)
    study.run_folder(list(LADDER.runs())[4].id).mkdir()
    return study


@pytest.fixture(params=["memory", "file", "plain"])
def url(request: pytest.FixtureRequest, tmp_path: Path):
    if request.param == "memory":
        yield "memory://archive/study"
        fsspec.filesystem("memory").rm("/archive", recursive=True)
    else:
        yield ("file://" if request.param == "file" else "") + str(tmp_path / "archive")


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_finished_runs_go_there_and_come_back_the_same(study: Study, url, tmp_path) -> None:
    before = contents(study.path)
    moved = archive_study(study.path, url)
    assert (moved.copied, moved.kept, moved.left) == (4, 0, 2)  # one has no folder yet
    assert contents(study.path) == before
    back = restore_study(url, tmp_path / "back")
    assert (back.copied, back.kept, back.left) == (4, 0, 0)
    assert contents(tmp_path / "back") == before
    assert Study.open(tmp_path / "back").manifests() == study.manifests()
    assert Study.open(tmp_path / "back").curves()[0].run == study.curves()[0].run


def test_again_copies_only_what_is_new(study: Study, url, tmp_path, monkeypatch) -> None:
    archive_study(study.path, url)
    restore_study(url, tmp_path / "back")
    sent = []
    real = Remote.put
    monkeypatch.setattr(
        Remote, "put", lambda self, path, name: (sent.append(name), real(self, path, name))
    )
    assert archive_study(study.path, url).copied == 0
    assert sent == []
    finish(study, 5)
    assert (archive_study(study.path, url).copied, len(sent)) == (1, 3)
    again = restore_study(url, tmp_path / "back")
    assert (again.copied, again.kept) == (1, 4)
    assert contents(tmp_path / "back") == contents(study.path)


def test_recorded_runs_are_archived_too(url, tmp_path) -> None:
    for name in ("a", "b"):
        with record(tmp_path / "mine" / "runs" / name, n_params=1000) as run:
            run.log(step=1, n_tokens=64, loss=3.0)
            if name == "a":
                run.finish()
    moved = archive_study(tmp_path / "mine", url)
    assert (moved.copied, moved.left) == (1, 1)
    restore_study(url, tmp_path / "back")
    kept = {k: v for k, v in contents(tmp_path / "mine").items() if "/a/" in k and "lock" not in k}
    assert contents(tmp_path / "back") == kept


def test_another_study_or_another_content_is_not_overwritten(study, tmp_path) -> None:
    url = str(tmp_path / "archive")
    archive_study(study.path, url)
    before = contents(tmp_path / "archive")
    other = Study.create(tmp_path / "other", Ladder("else", "sotu", "bytes", LADDER.rungs))
    finish(other, 0)
    with pytest.raises(InputError, match=r"ladder\.toml: another content is archived there"):
        archive_study(other.path, url)
    first = next(LADDER.runs())
    row = describe_run(first, LADDER) | {"loss": 9.0}
    commit_run(study.run_folder(first.id), row, [], None)
    with pytest.raises(InputError, match=r"journal\.jsonl|run\.json"):
        archive_study(study.path, url)
    assert contents(tmp_path / "archive") == before
    with pytest.raises(InputError, match="restore elsewhere"):
        restore_study(url, study.path)
    assert study.manifests()[first.id]["loss"] == 9.0


def test_a_damaged_run_is_not_archived(study: Study, tmp_path) -> None:
    journal = study.run_folder(next(LADDER.runs()).id) / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b"3.0", b"2.9"))
    with pytest.raises(InputError, match=r"not the one run\.json was committed with"):
        archive_study(study.path, str(tmp_path / "archive"))


def test_what_is_damaged_in_the_archive_is_named_and_all_else_restored(study, tmp_path) -> None:
    archive_study(study.path, str(tmp_path / "archive"))
    first = next(LADDER.runs()).id
    weights = tmp_path / "archive" / "runs" / first / "weights.safetensors"
    raw = bytearray(weights.read_bytes())
    raw[1000] ^= 1
    weights.write_bytes(bytes(raw))
    with pytest.raises(
        IsoflopError, match=rf"{first}/weights\.safetensors: damaged in the archive"
    ):
        restore_study(str(tmp_path / "archive"), tmp_path / "back")
    over = Study.open(tmp_path / "back").manifests()
    assert set(over) == set(study.manifests()) - {first}
    (tmp_path / "archive" / "runs" / first / "archived.json").write_bytes(b'{"half')
    assert archive_study(study.path, str(tmp_path / "archive")).copied == 1
    assert restore_study(str(tmp_path / "archive"), tmp_path / "back").copied == 1
    assert contents(tmp_path / "back") == contents(study.path)


def test_names_that_leave_the_folder_are_refused(study, tmp_path) -> None:
    from isoflop.store.journal import format_line

    archive_study(study.path, str(tmp_path / "archive"))
    run = tmp_path / "archive" / "runs" / next(LADDER.runs()).id
    mark = {"format": 1, "files": {"../../../evil": {"sha256": "0" * 64, "bytes": 1}}}
    (run / "archived.json").write_bytes(format_line(mark))
    with pytest.raises(InputError, match="no name of a file"):
        restore_study(str(tmp_path / "archive"), tmp_path / "a" / "b" / "back")
    assert not (tmp_path / "a" / "evil").exists()


def test_later_formats_absent_archives_and_strange_urls_are_one_error(study, tmp_path) -> None:
    from isoflop.store.journal import format_line

    with pytest.raises(InputError, match="no archive of a study there"):
        restore_study(str(tmp_path / "none"), tmp_path / "back")
    with pytest.raises(InputError, match=r"strange://x: fsspec reaches .*; expected one as file:"):
        archive_study(study.path, "strange://x")
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "archived.json").write_bytes(format_line({"format": 2, "files": {}}))
    with pytest.raises(InputError, match="format 2, expected 1"):
        archive_study(study.path, str(tmp_path / "archive"))
    with pytest.raises(InputError, match="no run there"):
        archive_study(tmp_path / "none", str(tmp_path / "archive"))


def killed(work, chance: random.Random) -> None:
    """Do the work in a child that SIGKILL ends in the middle of a random write."""
    left = [chance.randrange(1, 12)]

    def deadly(real):
        def write(*given, **named):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*given, **named)

        return write

    child = os.fork()
    if child == 0:
        try:
            Remote.put = deadly(Remote.put)
            Remote.write = half(deadly, chance)
            os.replace, os.fsync = deadly(os.replace), deadly(os.fsync)
            work()
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def half(deadly, chance: random.Random):
    """Write a part of the mark first: a kill leaves a torn one."""
    real = Remote.write
    whole = deadly(real)

    def write(self, name: str, payload: bytes) -> None:
        real(self, name, payload[: chance.randrange(len(payload))])
        whole(self, name, payload)

    return write


def test_killed_in_the_middle_nothing_is_lost_and_again_completes_it(study, tmp_path) -> None:
    chance, before = random.Random(0), contents(study.path)
    url = str(tmp_path / "archive")
    for _ in range(8):
        killed(lambda: archive_study(study.path, url), chance)
        assert contents(study.path) == before
    archive_study(study.path, url)
    for _ in range(8):
        killed(lambda: restore_study(url, tmp_path / "back"), chance)
        for run in (tmp_path / "back").glob("runs/*/run.json"):
            assert (
                contents(run.parent)["journal.jsonl"]
                == before[f"runs/{run.parent.name}/journal.jsonl"]
            )
    restore_study(url, tmp_path / "back")
    assert contents(tmp_path / "back") == before


def test_the_commands_say_what_they_did(study, tmp_path, capsys) -> None:
    url = f"file://{tmp_path}/archive"
    assert run_cli(["ladder", "archive", str(study.path), url]) == 0
    assert capsys.readouterr().out == "4 runs copied, 0 there already, 2 not over yet\n"
    assert run_cli(["ladder", "restore", url, "-o", str(tmp_path / "back"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["copied"] == 4


def test_without_fsspec_one_sentence_names_the_extra(study, tmp_path) -> None:
    code = (
        "import sys; sys.modules['fsspec'] = None\n"
        "from isoflop.cli.main import main; main(sys.argv[1:])"
    )
    command = [sys.executable, "-c", code, "ladder", "archive", str(study.path), "memory://x"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "error: archives need fsspec: pip install 'isoflop[archive]'\n"


def test_an_archive_is_no_study_of_a_list_and_nothing_is_written_into_it(
    study, tmp_path, capsys, monkeypatch
) -> None:
    archive = tmp_path / "backup"
    archive_study(study.path, str(archive))
    before = contents(archive)
    assert run_cli(["ladder", "list", str(tmp_path), "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["runs"]
    assert {row["study"] for row in listed} == {str(study.path)}
    assert run_cli(["ladder", "list", str(archive)]) == 2
    told = capsys.readouterr().err
    assert told == (
        f"error: {archive} is an archive; restore it: isoflop ladder restore {archive} -o STUDY\n"
    )
    monkeypatch.setattr("isoflop.store.study.INDEX_FROM", 1)
    assert len(Study.open(archive).status()) == 6
    assert contents(archive) == before
