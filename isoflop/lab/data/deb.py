"""The data part of a Debian package: an `ar` archive whose member `data.tar.*` is the files."""

from typing import IO, cast

from isoflop.base.errors import InputError

_HEADER_BYTES = 60
"""ar(5): name 16, mtime 12, uid 6, gid 6, mode 8, size 10, magic 2."""
_MOST_MEMBERS = 32


def open_deb_data(file: IO[bytes], name: str) -> tuple[IO[bytes], int]:
    """Return the packed tar of a package and its length in bytes.

    Args:
        file: the package, placed just after its 8 bytes of `ar` magic.
        name: used in errors.

    Raises:
        InputError: not a Debian package, or a damaged one.
    """
    for _ in range(_MOST_MEMBERS):
        header = file.read(_HEADER_BYTES)
        if len(header) < _HEADER_BYTES or header[58:] != b"`\n":
            break
        size_text = header[48:58].decode("ascii", "replace").strip()
        if not size_text.isdecimal():
            break
        size, member = int(size_text), header[:16].decode("ascii", "replace").strip().rstrip("/")
        if member.startswith("data.tar"):
            return cast(IO[bytes], _Window(file, size)), size
        file.seek(size + size % 2, 1)
    raise InputError(f"{name}: expected a Debian package with a data.tar member, found none")


class _Window:
    """The next `size` bytes of a file, read forward."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._left = file, size

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(content)
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        assert whence == 1, "only relative moves"
        self._left -= offset
        return self._file.seek(offset, whence)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False
