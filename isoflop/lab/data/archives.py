"""Members of an archive, read one by one and never unpacked, with limits that stop a bomb.

Nothing is written to disk under a name that an archive chose. Archives are refused whole when a
name leads out of them, when a wanted member is a link or a device, and when they unpack to more
than `Limits` allows.
"""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO, Literal, cast

from isoflop.base.errors import InputError
from isoflop.lab.data.deb import open_deb_data


@dataclass(frozen=True)
class Limits:
    """How much an archive may hold before it is taken for a bomb.

    Args:
        members: files, folders and links.
        member_bytes: of one file, unpacked.
        total_bytes: of the whole archive, unpacked.
        ratio: unpacked over packed, counted beyond the first `free_bytes`.
        free_bytes: unpacked bytes for which no ratio is asked.
    """

    members: int = 400_000
    member_bytes: int = 1 << 28
    total_bytes: int = 1 << 33
    ratio: float = 200.0
    free_bytes: int = 1 << 24


LIMITS = Limits()
"""Far above real text (kernel sources unpack 9-fold), far below a bomb (gzip reaches 1030-fold)."""

_ZIP_LINK = 0xA
"""Top four bits of a Unix mode that say symbolic link."""

Wanted = Callable[[str], bool]
Links = Literal["refuse", "skip"]


@dataclass(frozen=True)
class Member:
    """One file of an archive: its path there, and its content."""

    path: str
    content: bytes


def matches(path: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether a path matches one of the shell patterns (`*` crosses folders).

    >>> matches("a/b/c.txt", ("*.txt",)), matches("a/b/c.txt", ("b/*",))
    (True, False)
    """
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def read_members(
    path: Path,
    wanted: Wanted,
    *,
    inner: str = "",
    links: Links = "refuse",
    limits: Limits = LIMITS,
) -> Iterator[Member]:
    """Yield the wanted files of an archive in the archive's order.

    Args:
        path: `.zip`, `.whl`, `.deb`, or a tar, plain or packed by gzip, bzip2 or xz.
        wanted: given a member's path without a leading `./`, whether to read it.
        inner: path of a packed tar inside the archive, which is read instead of the archive.
        links: what to do about a wanted member that is a link; none is ever followed.
        limits: what is refused.

    Raises:
        InputError: damaged, of another kind, or refused: a name that leads out, a wanted link, a
            bomb.
    """
    try:
        if zipfile.is_zipfile(path):
            yield from _zip_members(path, wanted, links, limits)
        else:
            yield from _tar_members(path, wanted, inner, links, limits)
    except (tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, EOFError, OSError) as error:
        raise InputError(f"{path.name}: cannot be read as an archive ({error})") from None
    except (NotImplementedError, RuntimeError) as error:  # zip methods, passwords
        raise InputError(f"{path.name}: cannot be unpacked ({error})") from None


def unpack_bytes(packed: bytes, name: str, limits: Limits = LIMITS) -> bytes:
    """Return the content of one packed file (`.gz`, `.dz`, `.xz`, `.bz2`), within the limits.

    Raises:
        InputError: damaged, or a bomb.
    """
    try:
        with _unpacked(io.BytesIO(packed), len(packed), name, limits) as stream:
            content = stream.read(limits.member_bytes + 1)
    except (lzma.LZMAError, EOFError, OSError) as error:
        raise InputError(f"{name}: cannot be unpacked ({error})") from None
    if len(content) > limits.member_bytes:
        raise _bomb(name, f"more than {limits.member_bytes} bytes")
    return content


class _Counted(io.RawIOBase):
    """Unpacked bytes, counted as they are read and refused beyond the limits."""

    def __init__(self, stream: IO[bytes], packed_bytes: int, name: str, limits: Limits) -> None:
        self._stream, self._name, self._read = stream, name, 0
        ratio_bytes = max(limits.free_bytes, int(limits.ratio * packed_bytes))
        self._most = min(limits.total_bytes, ratio_bytes)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        room = self._most - self._read + 1
        content = self._stream.read(room if size < 0 else min(size, room))
        self._read += len(content)
        if self._read > self._most:
            raise _bomb(self._name, f"unpacks to more than {self._most} bytes")
        return content


def _unpacked(stream: IO[bytes], packed_bytes: int, name: str, limits: Limits) -> _Counted:
    """Undo gzip, bzip2 or xz, told from the first bytes; other content is passed on."""
    head = stream.read(6)
    stream.seek(-len(head), io.SEEK_CUR)
    inner: IO[bytes] = stream
    if head.startswith(b"\x1f\x8b"):
        inner = cast(IO[bytes], gzip.GzipFile(fileobj=stream))
    elif head.startswith(b"\xfd7zXZ"):
        inner = cast(IO[bytes], lzma.LZMAFile(stream, format=lzma.FORMAT_XZ))  # noqa: SIM115
    elif head.startswith(b"BZh"):
        inner = cast(IO[bytes], bz2.BZ2File(stream))
    elif head.startswith(b"\x28\xb5\x2f\xfd"):
        raise InputError(f"{name}: packed by zstandard; pack it again by gzip or xz")
    return _Counted(inner, packed_bytes, name, limits)


def _zip_members(path: Path, wanted: Wanted, links: Links, limits: Limits) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        _check_count(len(entries), path.name, limits)
        total = sum(entry.file_size for entry in entries)
        allowed = max(limits.free_bytes, int(limits.ratio * path.stat().st_size))
        if total > min(limits.total_bytes, allowed):
            raise _bomb(path.name, f"unpacks to {total} bytes")
        for entry in entries:
            name = _safe_name(entry.filename, path.name)
            if entry.is_dir() or not wanted(name):
                continue
            if (entry.external_attr >> 28) == _ZIP_LINK:
                _meet_link(path.name, name, links)
                continue
            _check_size(entry.file_size, f"{path.name}: {name}", limits)
            with archive.open(entry) as file:  # reads no more than file_size, checks the CRC
                yield Member(name, file.read(entry.file_size))


def _tar_members(
    path: Path, wanted: Wanted, inner: str, links: Links, limits: Limits
) -> Iterator[Member]:
    with ExitStack() as stack:
        file: IO[bytes] = stack.enter_context(path.open("rb"))
        size = path.stat().st_size
        if file.read(8) == b"!<arch>\n":
            file, size = open_deb_data(file, path.name)
        else:
            file.seek(0)
        stream = _unpacked(file, size, path.name, limits)
        archive = stack.enter_context(_open_tar(stream))
        if inner:
            member = _find_inner(archive, inner, path.name)
            packed = archive.extractfile(member)
            assert packed is not None
            buffered = cast(IO[bytes], _Rewindable(packed))
            stream = _unpacked(buffered, member.size, f"{path.name}: {inner}", limits)
            archive = stack.enter_context(_open_tar(stream))
        yield from _members_of(archive, wanted, path.name, links, limits)


class _Rewindable(io.RawIOBase):
    """A stream that can go back over its first bytes only: what looking at the magic needs."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._head = stream, b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._head:
            content, self._head = self._head, b""
            return content
        self._last = self._stream.read(size)
        return self._last

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        assert (whence, offset) == (io.SEEK_CUR, -len(self._last))
        self._head = self._last
        return 0


def _open_tar(stream: io.RawIOBase) -> tarfile.TarFile:
    return tarfile.open(fileobj=cast(IO[bytes], stream), mode="r|", bufsize=1 << 18)


def _find_inner(archive: tarfile.TarFile, inner: str, source: str) -> tarfile.TarInfo:
    for member in archive:
        if _safe_name(member.name, source) == inner and member.isreg():
            return member
    raise InputError(f"{source}: found no {inner} inside; the package changed its layout")


def _members_of(
    archive: tarfile.TarFile, wanted: Wanted, source: str, links: Links, limits: Limits
) -> Iterator[Member]:
    for count, entry in enumerate(archive, start=1):
        _check_count(count, source, limits)
        name = _safe_name(entry.name, source)
        if entry.isdir() or not wanted(name):
            continue
        if not entry.isreg() or entry.issparse():
            _meet_link(source, name, links)
            continue
        _check_size(entry.size, f"{source}: {name}", limits)
        file = archive.extractfile(entry)
        assert file is not None
        yield Member(name, file.read())
        archive.members = []  # type: ignore[attr-defined]  # else every header stays in memory


def _safe_name(name: str, source: str) -> str:
    """Return a member's path without `./`; refuse one that leads out of the archive."""
    path = PurePosixPath(name)
    escapes = path.is_absolute() or ".." in path.parts or "\\" in name or "\x00" in name
    if escapes or (len(name) > 1 and name[1] == ":"):
        raise InputError(f"{source}: the name {name[:80]!r} leads out of the archive; refused")
    return str(path)


def _check_count(count: int, source: str, limits: Limits) -> None:
    if count > limits.members:
        raise _bomb(source, f"more than {limits.members} members")


def _check_size(size: int, what: str, limits: Limits) -> None:
    if size > limits.member_bytes:
        raise _bomb(what, f"one file of {size} bytes")


def _meet_link(source: str, name: str, links: Links) -> None:
    if links == "refuse":
        raise InputError(f"{source}: {name[:80]} is a link or a device, expected a file; refused")


def _bomb(source: str, found: str) -> InputError:
    return InputError(f"{source}: {found}, beyond what text can be; refused as a bomb")
