"""Fault 10: the same seed gives the same bytes, whatever trains it and with how many workers."""

from pathlib import Path

import pytest
from faults.conftest import RecordFault
from faults.ladders import lasting_bytes, small_ladder

pytest.importorskip("torch")

from isoflop.lab.launchers.local import LocalLauncher
from isoflop.lab.progress.progress import Silent
from isoflop.lab.training import run_ladder


@pytest.mark.parametrize(
    ("n_runs", "repeats"), [(4, 1), pytest.param(24, 5, marks=pytest.mark.study)]
)
def test_the_same_seed_gives_the_same_bytes_with_one_worker_or_two(
    tmp_path: Path, record_fault: RecordFault, n_runs: int, repeats: int
) -> None:
    ladder = small_ladder(n_runs, seeds=2, budgets=(8192,) if n_runs == 4 else (8192, 16384, 32768))
    bytes_of = []
    for repeat in range(repeats):
        for workers in (1, 2):
            folder = tmp_path / f"{repeat}-{workers}"
            study = run_ladder(
                ladder, folder, workers=workers, progress=Silent(), launcher=LocalLauncher()
            )
            bytes_of.append(lasting_bytes(study.path))
    different = sum(found != bytes_of[0] for found in bytes_of[1:])
    record_fault(
        10,
        tried=f"a ladder of {n_runs} runs {2 * repeats} times, half of them with 2 workers",
        expected=f"{len(bytes_of[0])} files with the same bytes",
        found=f"{different} of {2 * repeats - 1} repetitions differ",
    )
    assert different == 0
    assert len(bytes_of[0]) >= 2 * n_runs
