"""Begin to record a run of any training loop, or go on with one."""

from contextlib import ExitStack
from pathlib import Path

from isoflop.base.atomic import sync_folder
from isoflop.base.errors import InputError
from isoflop.store.journal import Journal
from isoflop.store.leases.lock import exclusive
from isoflop.store.recording.columns import begin_run
from isoflop.store.recording.recorder import Recorder, naming_folder
from isoflop.store.recording.values import Value, check_columns


def record(run: Path | str, *, resume: bool = False, **columns: Value) -> Recorder:
    """Record a run of any training loop, crash-safe, in the format of docs/formats.md.

    `log` keeps a row as training goes on; `finish`, once and last, writes the run's row of the run
    table, by which it is over. A run closed without it stays `unfinished`: nothing logged is lost
    and `resume=True` goes on after the last row, but run tables, reports and fits leave it out;
    `isoflop ladder list` shows it. Leaving the `with` block does not finish a run, since a loop
    that was stopped leaves it too.

    Args:
        run: its folder; the last part of the path is its name.
        resume: go on after the last whole row of an unfinished run; a run that does not exist yet
            begins, and one that is over is left as it is: a job that is started once more finds
            its last row, and its `finish` changes nothing.
        columns: what is known of the run, in columns of the run table (`n_params`, `lr`, `seed`,
            `loss_unit`, …) or of your own.

    Returns:
        An open recorder; use it in a `with` block, or close it.

    Raises:
        InputError: no name, a column of the wrong kind, a run that is over or unfinished without
            `resume`, or columns other than it began with.
        IsoflopError: another process is recording it, or its folder cannot be written.

    >>> import tempfile
    >>> with record(f"{tempfile.mkdtemp()}/runs/width-64", n_params=1_000_000, lr=0.004) as run:
    ...     run.log(step=1, n_tokens=4096, loss=3.25)
    >>> (run.folder / "run.json").exists()  # unfinished
    False
    >>> run.finish()
    >>> (run.folder / "run.json").exists()
    True
    """
    given = check_columns(columns)
    if not Path(run).name:
        raise InputError(f"run is {str(run)!r}, expected its folder, such as 'mine/runs/width-64'")
    folder = Path(run).absolute()
    with naming_folder(folder), ExitStack() as stack:
        stack.enter_context(exclusive(folder / "lock", f"run {folder}"))
        begin_run(folder, given, resume=resume)
        journal = stack.enter_context(Journal(folder / "journal.jsonl"))
        sync_folder(folder)
        sync_folder(folder.parent)
        return Recorder(folder, journal, stack.pop_all())
