"""Packed bytes, unpacked as they are read, with limits that stop a bomb."""

import bz2
import gzip
import io
import lzma
from dataclasses import dataclass
from typing import IO, cast

from isoflop.base.errors import InputError


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


def unpack_bytes(packed: bytes, name: str, limits: Limits = LIMITS) -> bytes:
    """Return the content of one packed file (`.gz`, `.dz`, `.xz`, `.bz2`), within the limits.

    Raises:
        InputError: damaged, or a bomb.
    """
    try:
        with unpacked(io.BytesIO(packed), len(packed), name, limits) as stream:
            content = stream.read(limits.member_bytes + 1)
    except (lzma.LZMAError, EOFError, OSError) as error:
        raise InputError(f"{name}: cannot be unpacked ({error})") from None
    if len(content) > limits.member_bytes:
        raise bomb(name, f"more than {limits.member_bytes} bytes")
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
            raise bomb(self._name, f"unpacks to more than {self._most} bytes")
        return content


def unpacked(stream: IO[bytes], packed_bytes: int, name: str, limits: Limits) -> _Counted:
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


def bomb(source: str, found: str) -> InputError:
    """Return the refusal of what unpacks to more than it should."""
    return InputError(f"{source}: {found}, beyond what text can be; refused as a bomb")
