"""Train one rung of a prepared study: what every line of `isoflop ladder commands` does."""

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.lab.data.prepare import prepare_data
from isoflop.lab.engines.placement import check_device
from isoflop.lab.engines.probe import probe_machine
from isoflop.lab.launchers.local import LocalLauncher
from isoflop.lab.limits.stopping import stoppable
from isoflop.lab.progress.progress import Progress, default_progress
from isoflop.lab.settings import verify_identity
from isoflop.lab.work import Work
from isoflop.store.study import Study


def train_one_rung(study: Study, rung: str, *, progress: Progress | None = None) -> None:
    """Train what is missing of one rung, with the limits and the identity of its study.

    Args:
        study: prepared by `prepare_study`, on this machine or another that shares the folder.
        rung: its name.
        progress: told of events; bars or lines on standard error by default.

    Raises:
        UnknownNameError: the ladder has no such rung.
        InputError: the study is not prepared, or this machine is not like the one it was begun on.
        BudgetError: the limits of the study reach no further.
        IsoflopError: the rung failed.
        KeyboardInterrupt: on SIGINT or SIGTERM; run it again to go on.
    """
    names = [each.name for each in study.ladder.rungs]
    if rung not in names:
        raise UnknownNameError("rung", rung, names)
    settings = study.settings()
    if not settings or not (study.path / "data" / "data.json").exists():
        raise InputError(
            f"{study.path} is not prepared for training; isoflop ladder commands prepares it"
        )
    if study.rung_finished(rung):
        return
    check_device(settings["device"])
    verify_identity(study, prepare_data(study.ladder, study.path / "data"))
    rate = probe_machine(settings["device"]).flop_per_s
    work = Work(study, progress or default_progress(), 1, rate, only=rung)
    with stoppable():
        work.train(LocalLauncher())
