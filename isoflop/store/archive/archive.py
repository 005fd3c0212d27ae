"""An archive of a study's finished runs at any path that fsspec reaches; and back again.

::

    URL/ladder.toml, study.json, …      of the study
    URL/archived.json                   their hashes, written last
    URL/runs/<run>/journal.jsonl, …     of every run that is over
    URL/runs/<run>/archived.json        their hashes, written last: the run is in the archive

Every file is read back before its `archived.json` is written, so that a run is in the archive
whole or not at all; archiving again copies only what is missing. Nothing is removed on either
side, and nothing of another content is overwritten.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from isoflop.base.errors import InputError
from isoflop.runs.ladders.toml import read_ladder
from isoflop.store.archive.remote import Remote, hash_file, open_remote
from isoflop.store.index.run_files import UNFINISHED, read_run, run_names
from isoflop.store.journal import format_line, parse_line
from isoflop.store.layout import ARCHIVED
from isoflop.store.manifest import journal_matches

FORMAT = 1
CHANGING = ("study.json", "spent.json", "budget.json")
"""Files of a study that training goes on to write: the latest is archived, the local one kept."""

Hashes = Mapping[str, Mapping[str, Any]]
"""File → its `sha256` and `bytes`."""

_SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+=@-]{0,120}")


@dataclass(frozen=True)
class Moved:
    """What archiving or restoring did.

    Args:
        source: where from.
        target: where to.
        copied: runs copied now.
        kept: runs that were there already.
        left: runs left alone: not over yet, or not whole in the archive.
    """

    source: str
    target: str
    copied: int
    kept: int
    left: int

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON object."""
        return asdict(self)


def archive_study(study: Path | str, url: str) -> Moved:
    """Copy the runs of a study that are over into an archive; do it again to add new ones.

    Args:
        study: a folder with a ladder, or with recorded runs.
        url: any fsspec path: `file:///…`, `s3://…`, `gs://…`, or a plain path.

    Returns:
        How many runs were copied, were there already, or are not over yet.

    Raises:
        InputError: no runs there, a damaged run, or the archive is of another study.
        IsoflopError: the archive cannot be written; what is in it is kept.
    """
    folder, remote = Path(study), open_remote(url)
    names = sorted(run_names(folder))
    if not names:
        raise InputError(f"{folder}: no run there to archive")
    _put(remote, "", _study_files(folder))
    copied = kept = 0
    for name in names:
        files = _run_files(folder / "runs" / name)
        if not files:
            continue
        if _put(remote, f"runs/{name}/", files):
            copied += 1
        else:
            kept += 1
    left = max(len(names), _planned(folder)) - copied - kept
    return Moved(str(folder), url, copied, kept, left)


def _planned(folder: Path) -> int:
    """Runs of the ladder, those too that have no folder yet; recorded runs have no plan."""
    ladder = folder / "ladder.toml"
    return sum(1 for _ in read_ladder(ladder).runs()) if ladder.is_file() else 0


def read_mark(remote: Remote, place: str) -> Hashes | None:
    """Return the hashes of what is archived at a place, None if it is not or not wholly there.

    Raises:
        InputError: archived by a later release.
    """
    record = parse_line(remote.read(f"{place}{ARCHIVED}") or b"")
    if record is None:
        return None
    if record.get("format") != FORMAT:
        raise InputError(
            f"{remote.url}/{place}{ARCHIVED}: format {record.get('format')!r}, expected {FORMAT}; "
            "use the isoflop version that wrote it"
        )
    return record["files"]


def is_safe(name: str) -> bool:
    """Tell whether a name from an archive may be a file's or folder's here."""
    return _SAFE_NAME.fullmatch(name) is not None


def _study_files(folder: Path) -> dict[str, Path]:
    found = (path for path in folder.iterdir() if path.suffix in (".json", ".toml"))
    return {path.name: path for path in sorted(found) if path.is_file()}


def _run_files(run: Path) -> dict[str, Path]:
    """The files of a run that is over, none of any other.

    Raises:
        InputError: the run is damaged.
    """
    manifest = read_run(run)
    if manifest is None or manifest["status"] == UNFINISHED:
        return {}
    if not journal_matches(run, manifest):
        raise InputError(
            f"{run}: journal.jsonl is not the one run.json was committed with; "
            "delete this run's folder to train it again"
        )
    if not is_safe(run.name):
        raise InputError(f"{run}: a run of this name cannot be archived; rename its folder")
    kept = (path for path in sorted(run.iterdir()) if path.is_file() and is_safe(path.name))
    return {path.name: path for path in kept if path.name not in ("lock", ARCHIVED)}


def _put(remote: Remote, place: str, files: Mapping[str, Path]) -> bool:
    """Copy files and commit their hashes; False if all of it was there.

    Raises:
        InputError: something else is archived there.
    """
    hashes = {
        name: {"sha256": hash_file(path), "bytes": path.stat().st_size}
        for name, path in files.items()
    }
    there = read_mark(remote, place)
    for name in (there or {}).keys() & hashes.keys() - set(CHANGING):
        if there is not None and there[name] != hashes[name]:
            raise InputError(
                f"{remote.url}/{place}{name}: another content is archived there than "
                f"{files[name]}; choose another archive"
            )
    missing = [
        name
        for name, expected in hashes.items()
        if (there or {}).get(name) != expected or remote.size(place + name) != expected["bytes"]
    ]
    if not missing and there is not None:
        return False
    for name in missing:
        remote.put(files[name], place + name)
    mark = {"format": FORMAT, "files": {**(there or {}), **hashes}}
    remote.write(place + ARCHIVED, format_line(mark))
    return True
