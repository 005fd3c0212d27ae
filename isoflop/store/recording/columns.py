"""What a recorded run was begun with: committed before its first row, checked when it resumes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from isoflop.base import strict_json
from isoflop.base.atomic import write_atomic
from isoflop.base.errors import InputError
from isoflop.store.document import FORMAT, read_document
from isoflop.store.recording.values import Value


def read_columns(folder: Path) -> dict[str, Any]:
    """Return what a recorded run was begun with.

    Raises:
        InputError: unreadable or damaged.
    """
    remedy = "restore it, or record the run again in another folder"
    document = read_document(folder / "columns.json", {"format": int, "columns": dict}, remedy)
    return document["columns"]


IS_OVER = "the run is over; record another under another name"


def is_over(folder: Path) -> bool:
    """Tell whether a run's row of the run table is committed."""
    return (folder / "run.json").exists()


def begin_run(folder: Path, given: Mapping[str, Value], *, resume: bool) -> None:
    """Commit the columns of a new run, or check that those of an unfinished one agree.

    Raises:
        InputError: the run is over or unfinished without `resume`, begun with other columns, or the
            folder holds something else.
    """
    if is_over(folder) and not resume:
        raise InputError(f"{folder}: {IS_OVER}")
    if not (folder / "columns.json").exists():
        if (folder / "journal.jsonl").exists() or (folder / "ladder.toml").exists():
            raise InputError(f"{folder}: not a recorded run; choose another folder")
        document = {"format": FORMAT, "columns": dict(given)}
        write_atomic(folder / "columns.json", strict_json.dumps(document, indent=1) + "\n")
        return
    if not resume:
        raise InputError(f"{folder}: an unfinished run; resume=True goes on after its last row")
    began = read_columns(folder)
    for name, value in given.items():
        if name not in began or began[name] != value:
            with_what = f"with {began[name]!r}" if name in began else "without it"
            raise InputError(
                f"{folder}: `{name}` is {value!r}, the run began {with_what}; leave it out, or "
                "record another run"
            )
