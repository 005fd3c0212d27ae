"""Bring the runs of an archive back into a study's folder, checked by their hashes."""

import hashlib
import os
from pathlib import Path

from isoflop.base.atomic import naming, sync_folder
from isoflop.base.errors import InputError, IsoflopError
from isoflop.store.archive.archive import CHANGING, Hashes, Moved, is_safe, read_mark
from isoflop.store.archive.remote import Remote, hash_file, open_remote

_LAST = "run.json"
"""Its being there says that a run is over: it is the last file to come."""


def restore_study(url: str, study: Path | str) -> Moved:
    """Copy the runs of an archive into a folder; do it again to go on where it was cut off.

    Args:
        url: what `archive_study` was given.
        study: a new folder, or one with runs of the same study; what it has is kept.

    Returns:
        How many runs were copied, were there already, or are not whole in the archive.

    Raises:
        InputError: no archive there, or the folder holds something else under the same name.
        IsoflopError: files of the archive are damaged; all others are restored.
    """
    remote, folder = open_remote(url), Path(study)
    mark = read_mark(remote, "")
    if mark is None:
        raise InputError(f"{url}: no archive of a study there, or its first archiving was cut off")
    damaged = _fetch(remote, "", mark, folder)[1]
    copied = kept = left = 0
    for name in remote.names("runs"):
        mark = read_mark(remote, f"runs/{name}/") if is_safe(name) else None
        if mark is None:
            left += 1
            continue
        came, wrong = _fetch(remote, f"runs/{name}/", mark, folder / "runs" / name)
        damaged += wrong
        copied, kept = copied + (came and not wrong), kept + (not came and not wrong)
    if damaged:
        raise IsoflopError(
            f"{', '.join(damaged)}: damaged in the archive; all other files are restored"
        )
    return Moved(url, str(folder), copied, kept, left)


def _fetch(remote: Remote, place: str, files: Hashes, folder: Path) -> tuple[bool, list[str]]:
    """Copy the files of a place; return whether any had to come, and those that are damaged."""
    came, damaged = False, []
    for name in sorted(files, key=lambda name: (name == _LAST, name)):
        expected, path = files[name]["sha256"], folder / name
        if not is_safe(name):
            raise InputError(f"{remote.url}/{place}{name}: no name of a file; nothing is written")
        if path.exists():
            if name not in CHANGING and hash_file(path) != expected:
                raise InputError(
                    f"{path}: not what {remote.url} has under this name; restore elsewhere"
                )
            continue
        came = True
        if damaged or not _fetch_file(remote, place + name, path, expected):
            damaged.append(f"{remote.url}/{place}{name}")
            break
    return came, damaged


def _fetch_file(remote: Remote, name: str, path: Path, expected: str) -> bool:
    """Copy one file, whole or not at all; False if it is not what its hash says."""
    temporary, digest = path.parent / f".{path.name}.restored", hashlib.sha256()
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as file:
                for chunk in remote.chunks(name):
                    digest.update(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            if digest.hexdigest() == expected:
                os.replace(temporary, path)
                sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)
    return digest.hexdigest() == expected
