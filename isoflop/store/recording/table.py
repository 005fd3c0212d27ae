"""Recorded runs as a run table: what their loops stated, nothing derived."""

from pathlib import Path
from typing import Any

from isoflop.base.errors import InputError
from isoflop.runs.table import RunTable
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
    found = (read_run(folder / "runs" / name) for name in sorted(run_names(folder)))
    rows = [_row(run) for run in found if run is not None and run["status"] != UNFINISHED]
    if not rows:
        raise InputError(f"{folder}: no recorded run is over yet; Recorder.finish ends one")
    return RunTable.from_records(rows, source=str(folder))


def _row(run: Record) -> dict[str, Any]:
    return {name: value for name, value in run.items() if name not in _NOT_COLUMNS}
