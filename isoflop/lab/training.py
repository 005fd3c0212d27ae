"""Train a ladder into a study: prepare, launch, resume."""

from pathlib import Path

from isoflop.lab.data.prepare import prepare_data
from isoflop.lab.engines.choose import Packs
from isoflop.lab.engines.placement import check_device
from isoflop.lab.engines.probe import Probe, count_cores, default_workers, probe_machine
from isoflop.lab.launchers.beforehand import check_launcher
from isoflop.lab.launchers.launcher import Launcher
from isoflop.lab.launchers.local import LocalLauncher
from isoflop.lab.limits.budget import check_limits, open_sums
from isoflop.lab.limits.first_run import check_reach
from isoflop.lab.limits.stopping import stoppable
from isoflop.lab.measures.test_sets import prepare_test_sets
from isoflop.lab.progress.progress import Progress, default_progress
from isoflop.lab.ready import check_ready
from isoflop.lab.settings import forget_other_corpus, open_study, settle, verify_identity
from isoflop.lab.work import Work
from isoflop.runs.ladders.ladder import Ladder
from isoflop.store.layout import migrate_held
from isoflop.store.leases.lock import exclusive
from isoflop.store.spent import Limits, write_limits
from isoflop.store.study import Study

PATIENCE_SECONDS = 10.0
"""How long to wait for another runner to prepare the study."""


def run_ladder(
    ladder: Ladder,
    study_path: Path | str,
    *,
    device: str = "cpu",
    workers: int | None = None,
    progress: Progress | None = None,
    probe: Probe | None = None,
    limits: Limits | None = None,
    launcher: Launcher | None = None,
    force: bool = False,
) -> Study:
    """Train a ladder into a folder; run it again to resume, nothing finished is trained twice.

    Args:
        ladder: what to train.
        study_path: a new folder, or one that holds this very ladder.
        device: `cpu` or `cuda`; ignored when the study has begun on another.
        workers: rungs in work at once. On this machine one a core by default and at most, four
            on a GPU; elsewhere as many as there is room for. Results do not depend on it.
        progress: told of events; bars or lines on standard error by default.
        probe: what is known of the machine; measured if not given.
        limits: what the study may spend in all; those of the last time by default.
        launcher: what starts the workers; processes of this machine by default.
        force: go on though ladder, code, data, torch or threads are not what the study was begun
            with; recorded in study.json.

    Returns:
        The study, every run over.

    Raises:
        InputError: the folder holds something else, the corpus cannot serve, the device is absent,
            or the launcher cannot train it; a new folder is then not made. Or the study was begun
            with something else.
        MissingExtraError: the launcher's engine is absent; likewise.
        BudgetError: the limits reach no further; what is finished stays finished. Of limits that
            reach no run at all no folder is made.
        IsoflopError: the study is being written by another process, or some rung failed; what
            is finished stays finished.
        KeyboardInterrupt: on SIGINT or SIGTERM; run it again to go on.
    """
    if limits is not None:
        check_limits(limits)
    alone = launcher is None and not (Path(study_path) / "study.json").exists()
    launcher = launcher or LocalLauncher()
    packs = check_launcher(launcher, ladder, Path(study_path), device)
    study = prepare_study(
        ladder,
        study_path,
        device=device,
        probe=probe,
        limits=limits,
        force=force,
        packs=packs,
        workers=(workers or default_workers(device)) if alone else None,
    )
    if study.finished():
        return study
    device = study.settings()["device"]
    probe = probe or probe_machine(device)
    if launcher.name == "local":
        workers = _local_workers(workers, device)
    work = Work(
        study, progress or default_progress(), workers or len(ladder.rungs), probe.flop_per_s
    )
    with stoppable():
        work.train(launcher)
    return study


def prepare_study(
    ladder: Ladder,
    study_path: Path | str,
    *,
    device: str = "cpu",
    probe: Probe | None = None,
    limits: Limits | None = None,
    force: bool = False,
    packs: Packs = "any",
    workers: int | None = None,
) -> Study:
    """Make a study that workers may train: ladder, settings, data and limits on disk.

    Args and Raises as `run_ladder`; nothing is trained. `packs="one"` where torchrun will train
    it: ranks take the models of a rung as one pack. `workers`, where it is given, must fit into
    this machine's memory side by side.
    """
    if not (Path(study_path) / "study.json").exists():
        check_device(device)
        check_reach(ladder, limits or Limits())
    check_ready(ladder, device=device, workers=workers)
    study = open_study(ladder, study_path, force=force)
    with exclusive(study.path / "lock", f"study {study.path}", wait_seconds=PATIENCE_SECONDS):
        migrate_held(study.path)
        settle(study, device, probe, packs)
        if force:
            forget_other_corpus(study)
        data = prepare_data(ladder, study.path / "data")
        prepare_test_sets(ladder, study.path / "data")
        if not study.finished():
            verify_identity(study, data, force=force)
            open_sums(study)
            if limits is not None:
                write_limits(study.path, limits)
    return study


def _local_workers(workers: int | None, device: str) -> int:
    """Never more than cores: workers that share one are slower together than one after another."""
    wanted = workers or default_workers(device)
    return wanted if device == "cuda" else min(wanted, count_cores())
