"""Spoiled files of every format: a table or a line of refusal, no traceback, no hang."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from foreign_files import lay, seeds, spoil

from isoflop.base.errors import IsoflopError
from isoflop.exchange.import_runs import import_runs
from isoflop.exchange.run_tables import read_runs

SEEDS = seeds()
LIMIT = 2.0
"""Seconds of processor time a spoiled file may take."""


def try_import(kind: str, seed: int, folder: Path) -> tuple[bool, float]:
    """Import one spoiled file; return whether it came in, and the seconds it took."""
    name, content = SEEDS[kind]
    source = lay(folder, kind, name, spoil(kind, content, seed))
    begun = time.process_time()
    imported, refusal = None, ""
    try:
        imported = import_runs(source)
    except IsoflopError as error:
        refusal = str(error)
    seconds = time.process_time() - begun
    if imported is None:
        assert refusal, f"{kind} {seed}: an empty message"
    else:
        assert len(imported.table) > 0
        assert str(imported)
    return imported is not None, seconds


@pytest.mark.parametrize("kind", SEEDS)
def test_the_files_that_are_spoiled_are_good_to_begin_with(kind: str, tmp_path: Path) -> None:
    name, content = SEEDS[kind]
    imported = import_runs(lay(tmp_path, kind, name, content))
    assert imported.n_refused == 0
    assert len(imported.table) >= 1
    assert (imported.table.mapping.get("loss") or "acc") is not None
    assert "loss" in imported.table or kind == "lm-eval"


@pytest.mark.parametrize("kind", SEEDS)
def test_a_spoiled_file_is_a_table_or_a_refusal(kind: str, tmp_path: Path) -> None:
    tried = [try_import(kind, seed, tmp_path) for seed in range(60)]
    assert max(seconds for _, seconds in tried) < LIMIT
    assert not all(came_in for came_in, _ in tried)


ABORTED = 583
"""Of the spoiled Parquet files, one whose damaged counts made pyarrow end the whole process."""


def test_a_parquet_file_that_ended_the_process_is_refused_or_read(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    name, content = SEEDS["parquet"]
    path = lay(tmp_path, "parquet", name, spoil("parquet", content, ABORTED))
    for command in ("import", "check"):
        script = (
            f"from isoflop.cli.main import run; raise SystemExit(run([{command!r}, {str(path)!r}]))"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
        assert done.returncode in (0, 1, 2), done.stderr
        assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_spoiled_run_tables_are_read_or_refused(kind: str, tmp_path: Path) -> None:
    """`read_runs`, the strict door of fit, check and plan."""
    name, content = SEEDS.get(kind, ("", b""))
    if not name:
        pytest.skip("pyarrow is not installed")
    refusals = []
    for seed in range(200):
        path = lay(tmp_path, kind, name, spoil(kind, content, seed))
        try:
            assert len(read_runs(path)) > 0
        except IsoflopError as error:
            refusals.append(str(error))
    assert len(refusals) > 50
    assert not any("\n" in refusal for refusal in refusals)


@pytest.mark.study
@pytest.mark.parametrize("kind", SEEDS)
def test_ten_thousand_spoiled_files_of_each_format(kind: str, tmp_path: Path) -> None:
    tried = [try_import(kind, seed, tmp_path) for seed in range(10_000)]
    slowest = max(seconds for _, seconds in tried)
    print(f"{kind}: {sum(ok for ok, _ in tried)} of 10,000 came in, slowest {slowest:.3f} s")
    assert slowest < LIMIT
