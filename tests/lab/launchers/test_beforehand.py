"""What a launcher cannot do is told before anything is made; torchrun's studies split no rung."""

import sys
import types
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")

from faults.ladders import small_ladder

from isoflop.base.errors import InputError, MissingExtraError
from isoflop.lab.distributed.share import Split, check_study
from isoflop.lab.engines.engine import usual_engine
from isoflop.lab.launchers.beforehand import check_launcher
from isoflop.lab.launchers.find import find_launcher
from isoflop.lab.launchers.slurm import SlurmLauncher
from isoflop.lab.launchers.torchrun import TorchrunLauncher
from isoflop.lab.progress.progress import Silent
from isoflop.lab.training import prepare_study, run_ladder
from isoflop.runs.ladders.ladder import Ladder

SMALL = small_ladder(1, seeds=1, budgets=(8192,))
LARGE = small_ladder(3, seeds=3, budgets=(65536,))
LARGE = replace(LARGE, recipe=replace(LARGE.recipe, batch_tokens=4096, precision="float32"))
"""Three models of 4,096 tokens a step: more than one pack holds on a CPU."""


@pytest.mark.parametrize(("name", "engine"), [("ray", "ray"), ("slurm", "submitit")])
def test_an_absent_extra_is_told_before_the_folder_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, engine: str
) -> None:
    monkeypatch.setitem(sys.modules, engine, None)  # what importing an absent package does
    with pytest.raises(MissingExtraError, match=rf"isoflop\[{name}\]"):
        run_ladder(SMALL, tmp_path / "s", progress=Silent(), launcher=find_launcher(name))
    assert not (tmp_path / "s").exists()


def test_a_machine_without_slurm_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "submitit", types.ModuleType("submitit"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="found no sbatch"):
        check_launcher(SlurmLauncher(), SMALL, tmp_path / "s", "cpu")
    assert check_launcher(SlurmLauncher(cluster="local"), SMALL, tmp_path / "s", "cpu") == "any"


def test_processes_that_do_not_divide_a_batch_are_told_before_the_folder_is_made(
    tmp_path: Path,
) -> None:
    launcher = TorchrunLauncher(processes=3)
    with pytest.raises(InputError, match="do not divide among 3 processes"):
        run_ladder(SMALL, tmp_path / "s", progress=Silent(), launcher=launcher)
    assert not (tmp_path / "s").exists()


def packs(ladder: Ladder, folder: Path, launcher: TorchrunLauncher) -> list[int]:
    asked = check_launcher(launcher, ladder, folder, "cpu")
    study = prepare_study(ladder, folder, packs=asked)
    return [engine["packs"] for engine in study.settings()["engines"].values()]


def test_a_study_that_torchrun_begins_splits_no_rung(tmp_path: Path) -> None:
    rung = LARGE.rungs[0]
    assert usual_engine(rung, LARGE.recipe, "cpu", "float32").packs == 2
    assert packs(LARGE, tmp_path / "s", TorchrunLauncher(processes=2)) == [1]
    study = prepare_study(LARGE, tmp_path / "s")  # begun so, it stays so
    assert check_study(study, rung.name, Split(2)).packs == 1


def test_a_study_that_local_workers_split_is_refused_at_once(tmp_path: Path) -> None:
    study = prepare_study(LARGE, tmp_path / "s")
    before = sorted(path.name for path in study.path.iterdir())
    with pytest.raises(InputError, match=r"splits its 3 models into 2 packs.*--launcher local"):
        run_ladder(LARGE, study.path, progress=Silent(), launcher=TorchrunLauncher(processes=2))
    assert sorted(path.name for path in study.path.iterdir()) == before
