"""Members of an archive, read one by one and never unpacked, with limits that stop a bomb.

Nothing is written to disk under a name that an archive chose. Archives are refused whole when a
name leads out of them, when a wanted member is a link or a device, and when they unpack to more
than `Limits` of `unpack.py` allows.
"""

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
from isoflop.lab.data.unpack import LIMITS, Limits, bomb, unpacked

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


def _zip_members(path: Path, wanted: Wanted, links: Links, limits: Limits) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        _check_count(len(entries), path.name, limits)
        total = sum(entry.file_size for entry in entries)
        allowed = max(limits.free_bytes, int(limits.ratio * path.stat().st_size))
        if total > min(limits.total_bytes, allowed):
            raise bomb(path.name, f"unpacks to {total} bytes")
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
        stream = unpacked(file, size, path.name, limits)
        archive = stack.enter_context(_open_tar(stream))
        if inner:
            member = _find_inner(archive, inner, path.name)
            packed = archive.extractfile(member)
            assert packed is not None
            buffered = cast(IO[bytes], _Rewindable(packed))
            stream = unpacked(buffered, member.size, f"{path.name}: {inner}", limits)
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
        raise bomb(source, f"more than {limits.members} members")


def _check_size(size: int, what: str, limits: Limits) -> None:
    if size > limits.member_bytes:
        raise bomb(what, f"one file of {size} bytes")


def _meet_link(source: str, name: str, links: Links) -> None:
    if links == "refuse":
        raise InputError(f"{source}: {name[:80]} is a link or a device, expected a file; refused")
