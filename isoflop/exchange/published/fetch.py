"""Fetch a public run table into the cache, at the user's request only; the one home of pooch."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isoflop.base.errors import InputError, MissingExtraError
from isoflop.exchange.published.read import (
    FOLDER,
    cached_path,
    how_to_get,
    locate_published,
    published_runs,
    require_hash,
)
from isoflop.exchange.published.registry import PublishedTable, find_published_table

TIMEOUT = 30
"""Seconds without an answer."""


@dataclass(frozen=True)
class Got:
    """A published table on this machine.

    Args:
        table: its entry.
        path: the file.
        fresh: whether it was fetched now.
        rows: rows read from it.
    """

    table: PublishedTable
    path: Path
    fresh: bool
    rows: int

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "name": self.table.name,
            "path": str(self.path),
            "fresh": self.fresh,
            "rows": self.rows,
            "sha256": self.table.sha256,
            "licence": self.table.licence,
            "citation": self.table.citation,
        }


def get_published(table: PublishedTable | str) -> Got:
    """Fetch a public run table unless it is on this machine; its SHA-256 is checked either way.

    Args:
        table: a name of `isoflop published list`, or an entry.

    Raises:
        UnknownNameError: no such table.
        MissingExtraError: pooch is not installed.
        InputError: it is no file at its source, cannot be reached, or is not the registered bytes.
    """
    entry = find_published_table(table) if isinstance(table, str) else table
    path = locate_published(entry)
    fresh = path is None
    if path is None:
        if not entry.address:
            raise InputError(f"{entry.name}: {how_to_get(entry)}")
        path = _fetch(entry)
    return Got(entry, path, fresh, len(published_runs(entry)))


def _fetch(entry: PublishedTable) -> Path:
    """Fetch the file; nothing is left behind that does not have the registered hash."""
    try:
        import pooch
    except ImportError:
        raise MissingExtraError("fetching a published run table", "published") from None
    pooch.get_logger().setLevel(logging.WARNING)
    path = cached_path(entry)
    part = path.with_name(f"{path.name}.part")
    try:
        part.unlink(missing_ok=True)  # of a fetch that was killed: pooch would take it for whole
        fetcher: Any = pooch.HTTPDownloader(timeout=TIMEOUT)
        # Hashed below, on our own terms: pooch's mismatch is an error of several lines.
        pooch.retrieve(
            entry.address,
            known_hash=None,
            fname=part.name,
            path=path.parent,
            downloader=fetcher,
        )
    except (OSError, ValueError) as error:
        raise InputError(
            f"{entry.name}: cannot be fetched from {entry.address} ({type(error).__name__}); check "
            f"the network, or set {FOLDER} to a folder that holds {entry.local}"
        ) from None
    try:
        require_hash(entry, part.read_bytes(), part)
        return part.replace(path)
    finally:
        part.unlink(missing_ok=True)
