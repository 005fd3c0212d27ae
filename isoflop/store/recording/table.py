"""Recorded runs as a run table: what their loops stated, nothing derived."""

from pathlib import Path
from typing import Any

from isoflop.base.errors import InputError
from isoflop.runs.table import RunTable
from isoflop.runs.unfinished import none_finished
from isoflop.store.index.run_files import UNFINISHED, read_run, run_names
from isoflop.store.journal import Record

_NOT_COLUMNS = ("format", "diverged_step", "journal_sha256", "weights_sha256")


def recorded_table(folder: Path) -> RunTable:
    """Return the recorded runs of a folder that are over, by name.

    Args:
        folder: with `runs/RUN/run.json`, as `isoflop.record` writes them.

    Raises:
        InputError: no run is over, or the file of one is damaged.
    """
    read = (read_run(folder / "runs" / name) for name in sorted(run_names(folder)))
    found = [run for run in read if run is not None]
    rows = [_row(run) for run in found if run["status"] != UNFINISHED]
    if not rows:
        raise InputError(none_finished(folder, [run["run"] for run in found]))
    return RunTable.from_records(rows, source=str(folder))


def _row(run: Record) -> dict[str, Any]:
    return {name: value for name, value in run.items() if name not in _NOT_COLUMNS}
