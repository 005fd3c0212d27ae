"""Why a rung stopped before its runs were over: one small file beside its checkpoint.

Written when training stops, removed when it resumes; a finished rung has none. It is news for
`isoflop ladder status`, never a reason not to train: what is over is said by run.json alone.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from isoflop.base import strict_json
from isoflop.base.atomic import sync_folder, write_atomic
from isoflop.base.errors import InputError
from isoflop.store.document import FORMAT, read_document

STATES: Mapping[str, str] = {
    "oom": "memory ran out",
    "crashed": "the process died",
    "timeout": "the deadline passed",
    "failed": "an error ended it",
    "interrupted": "it was asked to stop",
    "budget": "the budget does not reach further",
}
"""What can end a rung early, each as a sentence's end."""

_NAME = "outcome.json"


def write_outcome(folder: Path, state: str, message: str) -> None:
    """Commit why the rung of a folder stopped.

    Args:
        folder: the rung's folder, created if absent.
        state: one of `STATES`.
        message: one line for the user; longer text is cut at its first line.

    Raises:
        InputError: no such state.
    """
    if state not in STATES:
        raise InputError(f"outcome {state!r} is none of {', '.join(STATES)}")
    line = (message.strip().splitlines() or [STATES[state]])[0]
    document = {"format": FORMAT, "state": state, "message": line}
    write_atomic(folder / _NAME, strict_json.dumps(document, indent=1) + "\n")


def note_outcome(folder: Path, state: str, message: str) -> None:
    """Write an outcome if the disk lets it: a full one is why training stopped, and told anyway."""
    with suppress(OSError):
        write_outcome(folder, state, message)


def read_outcome(folder: Path) -> dict[str, Any] | None:
    """Return `state` and `message` of a rung that stopped early, None of any other.

    Raises:
        InputError: unreadable, damaged, or of another format.
    """
    path = folder / _NAME
    if not path.exists():
        return None
    needed = {"format": int, "state": str, "message": str}
    document = read_document(path, needed, "delete it; it is news only")
    if document["state"] not in STATES:
        raise InputError(
            f"{path}: `state` is {document['state']!r:.40}; delete it; it is news only"
        )
    return {"state": document["state"], "message": document["message"]}


def clear_outcome(folder: Path) -> None:
    """Remove the outcome of a rung that trains again; nothing if there is none."""
    path = folder / _NAME
    if path.exists():
        path.unlink(missing_ok=True)
        sync_folder(folder)
