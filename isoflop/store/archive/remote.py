"""Where an archive is kept: any path that fsspec reaches, such as file://, s3:// or memory://."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from isoflop.base.errors import InputError, IsoflopError

_CHUNK = 1 << 22


@dataclass(frozen=True)
class Remote:
    """A folder somewhere.

    Args:
        url: as it was named.
        system: fsspec's file system.
        root: the folder's path in it.
    """

    url: str
    system: Any
    root: str

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder, none if it is not there."""
        with _telling(f"{self.url}/{folder}"):
            try:
                found = self.system.ls(self._path(folder), detail=False)
            except FileNotFoundError:
                return []
            return sorted(name.rstrip("/").rpartition("/")[2] for name in found)

    def read(self, name: str) -> bytes | None:
        """Return a small file, None if it is not there."""
        with _telling(f"{self.url}/{name}"):
            try:
                return self.system.cat_file(self._path(name))
            except FileNotFoundError:
                return None

    def write(self, name: str, payload: bytes) -> None:
        """Write a small file."""
        with _telling(f"{self.url}/{name}"):
            self._make_parent(name)
            self.system.pipe_file(self._path(name), payload)

    def size(self, name: str) -> int | None:
        """Return the bytes of a file, None if it is not there."""
        with _telling(f"{self.url}/{name}"):
            try:
                return self.system.size(self._path(name))
            except FileNotFoundError:
                return None

    def put(self, source: Path, name: str) -> None:
        """Copy a file there, and read it back.

        Raises:
            IsoflopError: what is there is not what was sent.
        """
        with _telling(f"{self.url}/{name}"):
            self._make_parent(name)
            with source.open("rb") as file, self.system.open(self._path(name), "wb") as there:
                sent = _copy(file, there)
            with self.system.open(self._path(name), "rb") as there:
                found = _copy(there, None)
        if found != sent:
            raise IsoflopError(
                f"{self.url}/{name}: other bytes came back than were sent; repeat it"
            )

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield a file from there, a few megabytes at a time."""
        with _telling(f"{self.url}/{name}"), self.system.open(self._path(name), "rb") as there:
            while chunk := there.read(_CHUNK):
                yield chunk

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}"

    def _make_parent(self, name: str) -> None:
        self.system.makedirs(self._path(name).rpartition("/")[0], exist_ok=True)


def open_remote(url: str) -> Remote:
    """Open a folder by its URL; a plain path is one of this machine.

    Raises:
        InputError: fsspec is not installed, or does not know such URLs.
    """
    try:
        import fsspec
    except ImportError:
        raise InputError("archives need fsspec: pip install 'isoflop[archive]'") from None
    try:
        system, root = fsspec.core.url_to_fs(url)
    except ValueError as error:
        raise InputError(
            f"{url}: fsspec reaches no such address ({error}); expected one as file:///backup/s, "
            "s3://bucket/s or a plain path"
        ) from None
    except ImportError as error:
        raise InputError(
            f"{url}: fsspec needs another package for such addresses ({error}; with pip)"
        ) from None
    return Remote(url.rstrip("/"), system, root.rstrip("/"))


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a local file."""
    with path.open("rb") as file:
        return _copy(file, None)


def _copy(source: BinaryIO, target: BinaryIO | None) -> str:
    digest = hashlib.sha256()
    while chunk := source.read(_CHUNK):
        digest.update(chunk)
        if target is not None:
            target.write(chunk)
    return digest.hexdigest()


@contextmanager
def _telling(name: str) -> Iterator[None]:
    """Say which file of the archive a failure is about."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error) or type(error).__name__
        raise IsoflopError(f"{name}: {why}; repeat it, what is there already is kept") from None
