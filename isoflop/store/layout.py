"""The layout of a study's folder: its version, and how an older one becomes this one.

`format` of study.json is the layout's version; single files have their own. Layout 1 had one
`checkpoint.safetensors` a trunk; layout 2 has the last two, named by their steps.

A migration copies every file that it touches to `STUDY/backup-format-1/` (a folder committed by
one rename) before it touches any, and writes study.json last: killed anywhere, it is done again.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from isoflop.base import strict_json
from isoflop.base.atomic import sync_folder, write_atomic
from isoflop.base.errors import InputError
from isoflop.store.leases.lock import exclusive

LAYOUT = 2
ARCHIVED = "archived.json"
"""Hashes of what `archive_study` copied: beside ladder.toml it says that a folder is an archive."""

_OLD_CHECKPOINT = "checkpoint.safetensors"


@dataclass(frozen=True)
class Migrated:
    """What a migration did.

    Args:
        found: layout the study had.
        backup: folder with the files as they were, None if the study was of this layout already.
        renamed: checkpoints under their new names.
    """

    found: int
    backup: Path | None
    renamed: tuple[Path, ...] = ()


def is_archive(folder: Path) -> bool:
    """Tell whether a folder is an archive of a study, which isoflop reads and never writes."""
    return (folder / ARCHIVED).is_file()


def read_layout(study: Path) -> int:
    """Return the layout of a study; that of this release where training has not begun.

    Raises:
        InputError: a later release wrote it.
    """
    try:
        text = (study / "study.json").read_text(encoding="utf-8")
        document = strict_json.loads(text)
    except (FileNotFoundError, UnicodeDecodeError, InputError):
        return LAYOUT  # absent, or damaged: whoever needs its content says so
    found = document.get("format") if isinstance(document, dict) else None
    if not isinstance(found, int) or isinstance(found, bool):
        return LAYOUT
    if found > LAYOUT:
        raise InputError(
            f"{study}: a study of format {found}, this release reads up to {LAYOUT}; "
            "use the isoflop version that wrote it"
        )
    return found


def migrate_study(study: Path | str) -> Migrated:
    """Bring a study to the layout of this release, under its lock; nothing to do is fine.

    Training does so itself before it begins; reading needs no migration.

    Args:
        study: the folder.

    Raises:
        InputError: no study there, or a later release wrote it.
        IsoflopError: another process is writing the study.
    """
    study = Path(study)
    if not (study / "ladder.toml").is_file():
        raise InputError(f"{study} is not a study: it has no ladder.toml")
    if read_layout(study) == LAYOUT:
        return Migrated(LAYOUT, None)
    with exclusive(study / "lock", f"study {study}"):
        return migrate_held(study)


def migrate_held(study: Path) -> Migrated:
    """Do what `migrate_study` does for a caller that holds the study's lock."""
    found = read_layout(study)
    if found == LAYOUT:
        return Migrated(found, None)
    backup = study / f"backup-format-{found}"
    old = sorted((study / "rungs").rglob(_OLD_CHECKPOINT))
    if not backup.exists():
        _back_up(study, [study / "study.json", *old], backup)
    renamed = tuple(path for each in old if (path := _rename(each)) is not None)
    path = study / "study.json"
    document = strict_json.loads(path.read_text(encoding="utf-8"), source=str(path))
    write_atomic(path, strict_json.dumps({**document, "format": LAYOUT}, indent=1) + "\n")
    return Migrated(found, backup, renamed)


def _back_up(study: Path, files: list[Path], backup: Path) -> None:
    unfinished = backup.with_name(f".{backup.name}")
    shutil.rmtree(unfinished, ignore_errors=True)
    for path in files:
        copy = unfinished / path.relative_to(study)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)
        with copy.open("rb") as file:
            os.fsync(file.fileno())
        sync_folder(copy.parent)
    os.replace(unfinished, backup)
    sync_folder(study)


def _rename(checkpoint: Path) -> Path | None:
    """Name a checkpoint by its step; None if its header cannot be read, then it stays as it is."""
    with checkpoint.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = file.read(min(length, 1 << 20))
    try:
        metadata = strict_json.loads(header.decode())["__metadata__"]
        step = int(strict_json.loads(metadata["isoflop"])["step"])
    except (InputError, UnicodeDecodeError, KeyError, TypeError, ValueError):
        return None
    target = checkpoint.with_name(f"checkpoint-{step}.safetensors")
    os.replace(checkpoint, target)
    sync_folder(checkpoint.parent)
    return target
