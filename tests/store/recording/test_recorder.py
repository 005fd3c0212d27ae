"""What the recorder promises: rows and finished runs outlive SIGKILL, one writer, clear words."""

import hashlib
import json
import math
import random
import re
import signal
import subprocess
import sys
import time
import zlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import isoflop
from isoflop.base.errors import InputError, IsoflopError

KILLS = 20

LOOP = """
import sys, isoflop
with isoflop.record(sys.argv[1], resume=True, n_params=1000, seed=0) as run:
    print("begun", flush=True)
    step = run.last["step"] if run.last else 0
    for step in range(step + 1, step + int(sys.argv[2]) + 1):
        run.log(step=step, n_tokens=64 * step, loss=2 + 5 / step)
        print(step, flush=True)
    run.finish()
    print("finished", flush=True)
"""


def rows_of(folder: Path) -> list[dict[str, object]]:
    """Read a journal by its specification alone (docs/formats.md), without the project's reader."""
    rows = []
    for line in (folder / "journal.jsonl").read_bytes().splitlines(keepends=True):
        if line.endswith(b"\n"):
            start, _, tail = line[:-2].rpartition(b', "crc": ')
            body = start + b"}"
            assert tail == f'"{zlib.crc32(body):08x}"'.encode()
            rows.append(json.loads(body))
    return rows


def log_three(folder: Path) -> None:
    with isoflop.record(folder, n_params=1000) as run:
        for step in (1, 2, 3):
            run.log(step=step, n_tokens=64 * step, loss=1 / step)


def test_no_row_and_no_finished_run_is_lost_to_sigkill(tmp_path: Path) -> None:
    chance = random.Random(0)
    folder, acknowledged, finished = tmp_path / "run", 0, 0
    for _ in range(KILLS):
        arguments = [sys.executable, "-c", LOOP, str(folder), str(chance.choice([3, 1000000]))]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as loop:
            assert loop.stdout is not None
            said = [loop.stdout.readline().strip()]
            time.sleep(chance.uniform(0, 0.1))
            loop.send_signal(signal.SIGKILL)
            said += loop.stdout.read().split("\n")[:-1]
        assert said[0] == "begun"
        acknowledged = max([acknowledged, *(int(word) for word in said if word.isdigit())])
        steps = [row["step"] for row in rows_of(folder)]
        assert steps == list(range(1, len(steps) + 1))
        assert len(steps) in (acknowledged, acknowledged + 1)
        acknowledged = len(steps)
        if (folder / "run.json").exists():
            payload = (folder / "journal.jsonl").read_bytes()
            manifest = json.loads((folder / "run.json").read_bytes())
            assert manifest["journal_sha256"] == hashlib.sha256(payload).hexdigest()
            assert (manifest["status"], manifest["steps"]) == ("finished", len(steps))
            folder, acknowledged, finished = tmp_path / f"run{finished}", 0, finished + 1
        else:
            assert "finished" not in said
    assert 0 < finished < KILLS  # both ends were met


def test_a_tail_torn_at_any_byte_costs_that_row_only(tmp_path: Path) -> None:
    log_three(tmp_path / "run")
    path = tmp_path / "run/journal.jsonl"
    whole = path.read_bytes()
    last = len(whole.splitlines(keepends=True)[-1])
    for cut in range(1, last + 1):
        path.write_bytes(whole[: len(whole) - cut])
        with isoflop.record(tmp_path / "run", resume=True) as run:
            assert run.last is not None
            assert run.last["step"] == 2
            run.log(step=3, n_tokens=192, loss=1 / 3)
        assert path.read_bytes() == whole


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    with isoflop.record(tmp_path / "run") as run:
        run.log(step=1, n_tokens=64, loss=3.0)
        with pytest.raises(IsoflopError, match="another process"):
            isoflop.record(tmp_path / "run", resume=True)
        other = subprocess.run(
            [sys.executable, "-c", LOOP, str(tmp_path / "run"), "1"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert other.returncode == 1
        assert "is being written by another process" in other.stderr
    assert len(rows_of(tmp_path / "run")) == 1


def test_an_unfinished_run_is_resumed_and_the_result_is_that_of_one_go(tmp_path: Path) -> None:
    log_three(tmp_path / "cut/run")
    with pytest.raises(InputError, match="resume=True"):
        isoflop.record(tmp_path / "cut/run")
    assert not (tmp_path / "cut/run/run.json").exists()
    with isoflop.record(tmp_path / "cut/run", resume=True, n_params=1000) as run:
        run.rewind(2)
        assert run.last is not None
        assert run.last["tokens"] == 128
        run.log(step=3, n_tokens=192, loss=1 / 3)
    run.finish()
    log_three(tmp_path / "whole/run")
    with isoflop.record(tmp_path / "whole/run", resume=True) as run:
        run.finish()
    for name in ("columns.json", "journal.jsonl", "run.json"):
        one, other = tmp_path / "cut/run" / name, tmp_path / "whole/run" / name
        assert one.read_bytes() == other.read_bytes()


def test_a_finished_run_is_never_written_again(tmp_path: Path) -> None:
    log_three(tmp_path / "run")
    run = isoflop.record(tmp_path / "run", resume=True)
    run.finish(loss=0.25, flops=1e9)
    row = json.loads((tmp_path / "run/run.json").read_bytes())
    assert {name: row[name] for name in ("run", "n_params", "n_tokens", "steps", "flops")} == {
        "run": "run", "n_params": 1000, "n_tokens": 192, "steps": 3, "flops": 1e9,
    }  # fmt: skip
    assert (row["loss"], row["status"], row["diverged_step"]) == (0.25, "finished", None)
    with pytest.raises(InputError, match="the run is over; record another under another name"):
        isoflop.record(tmp_path / "run")
    with pytest.raises(InputError, match="over"):
        run.finish()
    with pytest.raises(InputError, match="the run is over; record another under another name"):
        run.log(step=4, n_tokens=256, loss=0.2)


def test_a_job_started_once_more_after_its_run_was_over_changes_nothing(tmp_path: Path) -> None:
    log_three(tmp_path / "run")
    isoflop.record(tmp_path / "run", resume=True).finish()
    kept = {path.name: path.read_bytes() for path in (tmp_path / "run").glob("*.json*")}
    with isoflop.record(tmp_path / "run", resume=True, n_params=1000) as run:
        assert run.last is not None
        assert run.last["step"] == 3
        for change in (lambda: run.log(step=4, n_tokens=256, loss=0.2), lambda: run.rewind(1)):
            with pytest.raises(InputError, match="the run is over"):
                change()
        run.finish(loss=0.1)
    assert kept == {path.name: path.read_bytes() for path in (tmp_path / "run").glob("*.json*")}
    with pytest.raises(InputError, match="`n_params` is 5, the run began with 1000"):
        isoflop.record(tmp_path / "run", resume=True, n_params=5)


@pytest.mark.parametrize("name", ["", "."])
def test_a_run_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="expected its folder, such as"):
        isoflop.record(name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("bad", [math.nan, math.inf, np.float32("nan")])
def test_a_loss_that_is_no_number_marks_the_run_diverged(tmp_path: Path, bad: float) -> None:
    with isoflop.record(tmp_path / "run") as run:
        run.log(step=1, n_tokens=64, loss=3.0)
        run.log(step=2, n_tokens=128, loss=bad)
    with isoflop.record(tmp_path / "run", resume=True) as run:
        run.log(step=3, n_tokens=192, loss=bad)
        run.finish()
    row = json.loads((tmp_path / "run/run.json").read_bytes())
    assert (row["status"], row["diverged_step"], row["loss"]) == ("diverged", 2, None)
    assert [r["loss"] for r in rows_of(tmp_path / "run")] == [3.0, None, None]


def test_a_final_loss_that_is_no_number_marks_it_too(tmp_path: Path) -> None:
    log_three(tmp_path / "run")
    with isoflop.record(tmp_path / "run", resume=True) as run:
        run.finish(loss=math.nan)
    row = json.loads((tmp_path / "run/run.json").read_bytes())
    assert (row["status"], row["diverged_step"], row["loss"]) == ("diverged", 3, None)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"n_params": "1M"}, "`n_params` is '1M', expected a number"),
        ({"n_params": -5}, "above zero"),
        ({"lr": math.nan}, "`lr` is nan, expected a finite number"),
        ({"family": 3}, "`family` is 3, expected text"),
        ({"mine": [1, 2]}, "`mine` is a list"),
        ({"mine": np.zeros(3)}, "of several values"),
        ({"loss_unit": "nat"}, "expected one of nats/token"),
        ({"status": "finished"}, "written by the recorder itself"),
    ],
)
def test_wrong_columns_are_refused_before_anything_is_written(
    tmp_path: Path, columns: dict[str, object], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        isoflop.record(tmp_path / "run", **columns)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"n_tokens": -1}, "`n_tokens` is -1"),
        ({"n_tokens": 63}, "does not follow"),
        ({"step": 1}, "does not follow"),
        ({"step": 2.5}, "`step` is 2.5"),
        ({"step": True}, "`step` is True"),
        ({"loss": "low"}, "`loss` is 'low', expected a number"),
        ({"loss": None}, "`loss` is a NoneType"),
        ({"extra": {}}, "`extra` is a dict"),
        ({"phase": "x"}, "journal's own"),
    ],
)
def test_wrong_rows_are_refused_and_leave_the_journal(
    tmp_path: Path, values: dict[str, object], words: str
) -> None:
    with isoflop.record(tmp_path / "run") as run:
        run.log(step=1, n_tokens=64, loss=3.0)
        before = (tmp_path / "run/journal.jsonl").read_bytes()
        row: dict[str, object] = {"step": 2, "n_tokens": 128, "loss": 2.0, **values}
        with pytest.raises(InputError, match=words):
            run.log(**row)  # pyright: ignore[reportArgumentType]
        assert (tmp_path / "run/journal.jsonl").read_bytes() == before


def test_scalars_of_other_libraries_are_numbers(tmp_path: Path) -> None:
    with isoflop.record(tmp_path / "run", n_params=np.int64(7), share=Fraction(1, 4)) as run:
        run.log(step=np.int32(1), n_tokens=64, loss=np.array(2.5), train_loss=np.float32(0.5))  # pyright: ignore[reportArgumentType]
    assert rows_of(tmp_path / "run") == [
        {"phase": "trunk", "step": 1, "tokens": 64, "loss": 2.5, "train_loss": 0.5}
    ]


def test_columns_other_than_it_began_with_and_foreign_folders_are_refused(tmp_path: Path) -> None:
    log_three(tmp_path / "run")
    with pytest.raises(InputError, match="`n_params` is 5, the run began with 1000"):
        isoflop.record(tmp_path / "run", resume=True, n_params=5)
    with pytest.raises(InputError, match=r"`lr` is 0\.1, the run began without it; leave it out"):
        isoflop.record(tmp_path / "run", resume=True, lr=0.1)
    (tmp_path / "study").mkdir()
    (tmp_path / "study/ladder.toml").write_text("")
    with pytest.raises(InputError, match="not a recorded run"):
        isoflop.record(tmp_path / "study")
    with isoflop.record(tmp_path / "empty") as run, pytest.raises(InputError, match="nothing was"):
        run.finish()
    (tmp_path / "file").write_text("")
    with pytest.raises(IsoflopError, match="cannot be written"):
        isoflop.record(tmp_path / "file/run")


def test_a_disk_that_refuses_a_row_closes_the_recorder_and_keeps_the_rows(tmp_path: Path) -> None:
    script = (
        "import resource, signal, sys, isoflop\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "run = isoflop.record(sys.argv[1])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        "    for step in range(1, 100): run.log(step=step, n_tokens=step, loss=1.0)\n"
        "except isoflop.IsoflopError as error: print(step, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "run")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    failed = int(done.stdout.split()[0])
    assert f"row of step {failed} not written (File too large)" in done.stdout
    with isoflop.record(tmp_path / "run", resume=True) as run:
        assert run.last is not None
        assert run.last["step"] == failed - 1


def test_recording_imports_no_numpy(tmp_path: Path) -> None:
    script = LOOP + "\nprint({'numpy', 'torch', 'scipy'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "run"), "1"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["begun", "1", "finished", "set()"]


def test_recorded_runs_are_imported(tmp_path: Path) -> None:
    for name, loss in (("a", 3.0), ("b", math.nan), ("c", 2.0)):
        with isoflop.record(tmp_path / "study/runs" / name, n_params=1000, mine="x") as run:
            run.log(step=1, n_tokens=64, loss=loss)
            if name != "c":
                run.finish()
    imported = isoflop.import_runs(tmp_path / "study")
    assert "not over yet: 1 run" in imported.notes
    table = [
        [row[name] for name in ("run", "status", "n_params", "n_tokens", "loss", "mine")]
        for row in imported.table.records()
    ]
    assert table == [
        ["a", "finished", 1000, 64, 3.0, "x"],
        ["b", "diverged", 1000, 64, None, "x"],
    ]


def test_the_snippet_of_the_documentation_runs(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs/import.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```python\n(.*?isoflop\.record.*?)```", page, re.S)
    done = subprocess.run(
        [sys.executable, "-c", snippet], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[2.05]"  # 2 + 5/100
