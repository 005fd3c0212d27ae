"""What a run's folder says of it, and whether that has changed since it was last read."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from isoflop.store.document import Kinds, read_document

UNFINISHED = "unfinished"
"""A recorded run without run.json."""

_NEEDED: Kinds = {"format": int, "run": str, "status": str}


def run_names(folder: Path) -> Iterator[str]:
    """Yield the names of the runs on disk below `folder/runs`, unsorted."""
    try:
        with os.scandir(folder / "runs") as entries:
            yield from (entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return


def run_signatures(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Return, of each run, what changes whenever its file does: time, size and inode; "" without.

    Files of a run are replaced, never written in place: a changed file is another inode.
    """
    try:
        runs = os.open(folder / "runs", os.O_RDONLY)
    except FileNotFoundError:
        return dict.fromkeys(names, "")
    try:
        return {name: _signature(name, runs) for name in names}
    finally:
        os.close(runs)


def _signature(run: str, runs: int) -> str:
    for name, mark in (("/run.json", ""), ("/columns.json", "columns ")):
        try:
            found = os.stat(run + name, dir_fd=runs)
        except OSError:
            continue
        return f"{mark}{found.st_mtime_ns} {found.st_size} {found.st_ino}"
    return ""


def read_run(folder: Path) -> Mapping[str, Any] | None:
    """Return run.json, or of a recorded run that is unfinished its columns; None without either.

    Raises:
        InputError: unreadable, damaged, or of another format.
    """
    if (folder / "run.json").exists():
        remedy = "delete it and resume the study to train the run again"
        return read_document(folder / "run.json", _NEEDED, remedy)
    if (folder / "columns.json").exists():
        needed: Kinds = {"format": int, "columns": dict}
        begun = read_document(folder / "columns.json", needed, "record the run again")
        return {"run": folder.name, "status": UNFINISHED, **begun["columns"]}
    return None
