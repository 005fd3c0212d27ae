"""The last two checkpoints of a trunk: the newest, and the one before should it be damaged.

`checkpoint-<step>.safetensors` in the trunk's folder. The new one is committed (written, synced,
renamed, folder synced) before an older one is removed, so that at every moment of a save a whole
one is there. `checkpoint.safetensors` of earlier releases is read as the last resort.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from isoflop.base.atomic import sync_folder
from isoflop.lab.weights.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

Objection = Callable[[Checkpoint], str | None]
"""Why an intact checkpoint will not do, None if it will."""

_NAME = re.compile(r"checkpoint-(\d+)\.safetensors")
_OLD_NAME = "checkpoint.safetensors"


@dataclass(frozen=True)
class Resumed:
    """What a trunk goes on from.

    Args:
        checkpoint: the newest that will do, None to start over.
        notices: a sentence for each newer one passed over.
    """

    checkpoint: Checkpoint | None
    notices: tuple[str, ...]


def save_next(folder: Path, checkpoint: Checkpoint) -> Path:
    """Commit a checkpoint and remove all but the one before it."""
    path = folder / f"checkpoint-{checkpoint.step}.safetensors"
    save_checkpoint(path, checkpoint)
    # Those of later steps were found wanting when the trunk was resumed, or it would be there.
    earlier = [kept for kept in _kept(folder) if _step(kept) < checkpoint.step]
    wanted = {path, *earlier[:1]}
    removed = [kept for kept in _kept(folder) if kept not in wanted]
    removed += folder.glob(".checkpoint*")  # of writers that were killed
    if earlier:
        removed += folder.glob(_OLD_NAME)
    for kept in removed:
        kept.unlink(missing_ok=True)
    if removed:
        sync_folder(folder)
    return path


def load_last(folder: Path, objection: Objection = lambda checkpoint: None) -> Resumed:
    """Return the newest checkpoint that is intact and will do.

    Args:
        folder: of the trunk.
        objection: asked of every intact one, newest first.

    Raises:
        InputError: a checkpoint of a later release.
    """
    notices = []
    for path in [*_kept(folder), *folder.glob(_OLD_NAME)]:
        checkpoint = load_checkpoint(path)
        reason = "damaged" if checkpoint is None else objection(checkpoint)
        if checkpoint is not None and reason is None:
            return Resumed(checkpoint, _so(notices, f"going on from step {checkpoint.step}"))
        notices.append(f"{path}: {reason}")
    return Resumed(None, _so(notices, "its trunk starts over"))


def _so(notices: list[str], remedy: str) -> tuple[str, ...]:
    return tuple(f"{notice}; {remedy}" for notice in notices)


def _kept(folder: Path) -> list[Path]:
    """The checkpoints of a folder, newest first."""
    found = [path for path in folder.glob("checkpoint-*") if _NAME.fullmatch(path.name)]
    return sorted(found, key=_step, reverse=True)


def _step(path: Path) -> int:
    matched = _NAME.fullmatch(path.name)
    assert matched is not None
    return int(matched[1])
