"""A published run table as a `RunTable`: found on this machine, checked, its columns mapped."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from isoflop.base.cache_folder import cache_folder
from isoflop.base.errors import InputError
from isoflop.exchange.bounded import unpack_gzip
from isoflop.exchange.delimited import parse_delimited
from isoflop.exchange.published.registry import PublishedTable, find_published_table
from isoflop.runs.table import RunTable

FOLDER = "ISOFLOP_DATA"
"""Variable that names a folder with the tables; looked into before the cache."""


def published_runs(table: PublishedTable | str) -> RunTable:
    """Read a public run table that is on this machine; nothing is fetched.

    Looked for in the folder that ISOFLOP_DATA names, then in the cache that `get_published` fills.
    The file's SHA-256 is checked on every read.

    Args:
        table: a name of `isoflop published list`, or an entry.

    Returns:
        The runs as recorded, columns mapped as the entry says; nothing derived or left out.

    Raises:
        UnknownNameError: no such table.
        InputError: not on this machine, or not the registered bytes.
    """
    entry = find_published_table(table) if isinstance(table, str) else table
    path = locate_published(entry)
    if path is None:
        raise InputError(f"{entry.name}: not on this machine; {how_to_get(entry)}")
    content = _read(path)
    require_hash(entry, content, path)
    if content.startswith(b"\x1f\x8b"):
        content = unpack_gzip(content, entry.name)
    runs = parse_delimited(
        content.decode("utf-8-sig"), source=entry.name, overrides=dict(entry.columns)
    )
    return _with_constants(runs, entry)


def locate_published(entry: PublishedTable) -> Path | None:
    """Return where a table lies on this machine, None if it does not."""
    named = os.environ.get(FOLDER)
    places = [Path(named).expanduser() / entry.local] if named else []
    return next((path for path in (*places, cached_path(entry)) if path.is_file()), None)


def cached_path(entry: PublishedTable) -> Path:
    """Return where a fetched table is kept."""
    return cache_folder() / "published" / entry.name / entry.file_name


def how_to_get(entry: PublishedTable) -> str:
    """Say how a table comes onto this machine."""
    if entry.made:
        return (
            f"it was made from {entry.source} ({entry.made}) and cannot be fetched; set {FOLDER} "
            f"to a folder that holds {entry.local}"
        )
    return (
        f"fetch it with `isoflop published get {entry.name}`, or set {FOLDER} to a folder that "
        f"holds {entry.local}"
    )


def require_hash(entry: PublishedTable, content: bytes, path: Path) -> None:
    """Check that the bytes are those registered.

    Raises:
        InputError: they are not.
    """
    found = hashlib.sha256(content).hexdigest()
    if found != entry.sha256:
        raise InputError(
            f"{path}: sha256 {found[:12]}… is not {entry.name}'s {entry.sha256[:12]}…; it was "
            "changed or cut short: delete it and get it again"
        )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None


def _with_constants(runs: RunTable, entry: PublishedTable) -> RunTable:
    """Add what holds for every row, and say in the notes where the runs come from."""
    added = {name: np.full(len(runs), text) for name, text in entry.constant.items()}
    notes = (*runs.notes, f"published as {entry.citation}")
    return replace(runs, columns=MappingProxyType({**runs.columns, **added}), notes=notes)
