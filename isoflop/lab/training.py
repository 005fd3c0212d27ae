"""Train a ladder into a study: prepare, launch, resume."""

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from isoflop.base.errors import InputError, IsoflopError
from isoflop.lab.cost import rung_seconds, rung_steps
from isoflop.lab.data.prepare import check_corpus, prepare_data
from isoflop.lab.launchers.local import LocalLauncher
from isoflop.lab.placement import check_device
from isoflop.lab.probe import GPU_WORKERS, Probe, count_cores, probe_machine
from isoflop.lab.progress import Progress, default_progress
from isoflop.lab.test_sets import check_test_sets, prepare_test_sets
from isoflop.runs.ladder import Ladder, Rung
from isoflop.store.study import Study


def run_ladder(
    ladder: Ladder,
    study_path: Path | str,
    *,
    device: str = "cpu",
    workers: int | None = None,
    progress: Progress | None = None,
    probe: Probe | None = None,
) -> Study:
    """Train a ladder into a folder; run it again to resume, nothing finished is trained twice.

    Args:
        ladder: what to train.
        study_path: a new folder, or one that holds this very ladder.
        device: `cpu` or `cuda`; ignored when the study has begun on another.
        workers: processes; one a core by default, four on a GPU. Results do not depend on it.
        progress: told of events; bars or lines on standard error by default.
        probe: what is known of the machine; measured if not given.

    Returns:
        The study, every run over.

    Raises:
        InputError: the folder holds something else, the corpus cannot serve, or the device is
            absent; a new folder is then not made.
        IsoflopError: the study is being written by another process, or some rung failed; what
            is finished stays finished.
    """
    if not (Path(study_path) / "study.json").exists():
        check_device(device)
    check_corpus(ladder)
    check_test_sets(ladder)
    study = Study.create(study_path, ladder)
    with study.writing():
        settings = _settle(study, device, probe)
        prepare_data(ladder, study.path / "data")
        prepare_test_sets(ladder, study.path / "data")
        if not study.finished():
            _check_same_torch(study, settings)
            probe = probe or probe_machine(settings["device"])
            workers = workers or _default_workers(settings["device"])
            _train(study, workers, probe.flop_per_s, progress or default_progress())
    return study


def _settle(study: Study, device: str, probe: Probe | None) -> dict[str, Any]:
    """Choose device and precision once; a study keeps what it began with."""
    settings = study.settings()
    check_device(settings.get("device", device))
    if settings:
        return settings
    wanted = study.ladder.recipe.precision
    if wanted == "auto":
        wanted = (probe or probe_machine(device)).precision
    study.write_settings(
        {
            "device": device,
            "precision": wanted,
            "torch": torch.__version__,
            "machine": platform.machine(),
            "threads_per_worker": 1,
        }
    )
    return study.settings()


def _check_same_torch(study: Study, settings: Mapping[str, Any]) -> None:
    """Refuse to mix releases: their losses differ in the last bits."""
    if settings["torch"] != torch.__version__:
        raise InputError(
            f"{study.path} was begun with torch {settings['torch']}, this is "
            f"{torch.__version__}; install that release or start a new study"
        )


def _missing_rungs(study: Study, flop_per_s: float) -> list[Rung]:
    """Return the rungs with a run that is not over, longest first."""
    over = study.manifests()
    names = {run.rung.name for run in study.ladder.runs() if run.id not in over}
    rungs = [rung for rung in study.ladder.rungs if rung.name in names]
    return sorted(rungs, key=lambda r: -rung_seconds(r, study.ladder, flop_per_s))


def _train(study: Study, workers: int, flop_per_s: float, progress: Progress) -> None:
    rungs = _missing_rungs(study, flop_per_s)
    workers = min(workers, len(rungs))
    steps = {rung.name: rung_steps(rung, study.ladder) for rung in rungs}
    seconds = {rung.name: rung_seconds(rung, study.ladder, flop_per_s) for rung in rungs}
    progress.start(steps, seconds, workers)
    try:
        launcher = LocalLauncher()
        failures = launcher.launch(study, [rung.name for rung in rungs], workers, progress.event)
    finally:
        progress.stop()
    if failures:
        raise IsoflopError(f"{study.path}: " + "; ".join(failures))


def _default_workers(device: str) -> int:
    return min(GPU_WORKERS, count_cores()) if device == "cuda" else count_cores()
