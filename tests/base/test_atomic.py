"""A file is the old one or the new one, whatever happens in between."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from isoflop.base.atomic import write_atomic


def test_a_file_is_written_where_there_was_no_folder(tmp_path: Path) -> None:
    path = write_atomic(tmp_path / "a" / "b" / "law.json", "näts")
    assert path.read_bytes() == "näts".encode()


def test_a_file_keeps_the_permissions_a_plain_write_would_give(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("")
    written = write_atomic(tmp_path / "written", "")
    assert stat.S_IMODE(written.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
def test_a_crash_in_the_middle_leaves_the_old_file_and_no_litter(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_atomic(tmp_path / "law.json", "old")

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, step, crash)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(path, "new, much longer")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["law.json"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_kill_in_the_middle_leaves_the_old_file(step: str, tmp_path: Path) -> None:
    path = write_atomic(tmp_path / "law.json", "old")
    script = (
        "import os, signal, sys; from isoflop.base.atomic import write_atomic\n"
        f"os.{step} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_atomic(sys.argv[1], 'new' * 100000)"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
