"""Foreign files read within bounds: no symbolic links, no devices, no bombs, no endless folders."""

import gzip
import os
import re
import stat
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile, ZipFile, ZipInfo

from isoflop.base.errors import InputError

MAX_BYTES = 1 << 30
"""Largest file read, in bytes, unpacked; an event file of a long run is some 100 MB."""
MAX_TEXT = 1 << 28
"""Largest text, in bytes."""
MAX_RATIO = 200
"""Largest expansion of a packed file beyond `SMALL` bytes; text packs some 5 to 30 times."""
SMALL = 1 << 20
MAX_FILES = 100_000
MAX_CELLS = 10_000_000
"""Most cells of a table."""
MAX_DEPTH = 12
_PACKED = (".gz", ".xz", ".bz2", ".zst")
_PICKLED = re.compile(
    rb"\x80[\x01-\x0f][^\0]|\x93NUMPY|c[A-Za-z_][\w.]*\r?\n[A-Za-z_][\w.]*\r?\n[(p]|\([dl]p0\r?\n"
)
"""How pickles of every protocol begin, protocol 0 in text, and NumPy files, which may hold one."""
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
"""Byte-order marks of UTF-16, which spreadsheets write as "Unicode text"."""
PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".bin", ".npz", ".npy", ".joblib", ".ckpt", ".dill")


def read_bounded(path: Path, *, limit: int = MAX_BYTES) -> bytes:
    """Return a file's bytes, unpacked if it is gzipped.

    Args:
        path: a regular file; the user's own argument may be a link, files in a folder may not.
        limit: most bytes, unpacked.

    Raises:
        InputError: absent, not a regular file, a pickle, or larger than the bounds.
    """
    refuse_pickle(path)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise InputError(f"{path}: cannot be read (Is a directory)")
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path}: not a regular file")
        if status.st_size > limit:
            raise InputError(f"{path}: {status.st_size} bytes, more than the {limit} read")
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    if content.startswith(b"\x1f\x8b"):
        content = unpack_gzip(content, str(path), limit)
    refuse_pickled(content, str(path))
    return content


def unpack_gzip(content: bytes, source: str, limit: int = MAX_BYTES) -> bytes:
    """Unpack gzip, refusing what expands beyond the bounds.

    Raises:
        InputError: damaged, or a bomb.
    """
    allowed = min(limit, max(SMALL, MAX_RATIO * len(content)))
    try:
        with gzip.GzipFile(fileobj=BytesIO(content)) as file:
            unpacked = file.read(allowed + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{source}: not readable as gzip ({error})") from None
    if len(unpacked) > allowed:
        raise InputError(
            f"{source}: {len(content)} bytes unpack to more than {allowed}, as those of a bomb "
            "would; unpack it yourself if you trust it"
        )
    return unpacked


def unpack_zip(content: bytes, folder: Path, source: str) -> None:
    """Unpack a zip into an empty folder, refusing paths that leave it, links and bombs.

    Raises:
        InputError: damaged, or unsafe; names the member.
    """
    allowed = min(MAX_BYTES, max(SMALL, MAX_RATIO * len(content)))
    try:
        with ZipFile(BytesIO(content)) as archive:
            members = [m for m in archive.infolist() if not _is_extra(m)]
            if len(members) > MAX_FILES:
                raise InputError(f"{source}: unpacks to more than {MAX_FILES} files")
            if sum(m.file_size for m in members) > allowed:
                raise InputError(
                    f"{source}: {len(content)} bytes unpack to more than {allowed}, as those of a "
                    "bomb would; unpack it yourself if you trust it"
                )
            for member in members:
                _refuse_member(member.filename, member.external_attr >> 16, source)
                if member.flag_bits & 1:
                    raise InputError(f"{source}: {member.filename!r} is encrypted; unpack it")
                with archive.open(member) as file:
                    data = file.read(member.file_size + 1)
                target = folder / member.filename
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
    except (BadZipFile, OSError, EOFError, zlib.error, NotImplementedError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{source}: not readable as zip ({reason})") from None


def walk(folder: Path) -> Iterator[Path]:
    """Yield the regular files below a folder in order of their names; links are passed over.

    Raises:
        InputError: more files, or deeper folders, than the bounds.
    """
    seen = 0
    base = len(folder.parts)
    for where, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(f for f in folders if not Path(where, f).is_symlink())
        if len(Path(where).parts) - base >= MAX_DEPTH:
            raise InputError(f"{folder}: folders deeper than {MAX_DEPTH}; name the one that counts")
        for name in sorted(names):
            seen += 1
            if seen > MAX_FILES:
                raise InputError(f"{folder}: more than {MAX_FILES} files; name a smaller folder")
            path = Path(where, name)
            if not path.is_symlink() and path.is_file():
                yield path


def count_links(folder: Path) -> int:
    """Return how many symbolic links below a folder were passed over."""
    return sum(
        Path(where, name).is_symlink()
        for where, folders, names in os.walk(folder, followlinks=False)
        for name in (*folders, *names)
    )


def decode(content: bytes, source: str) -> str:
    """Return UTF-8 text without its byte-order mark.

    Raises:
        InputError: not UTF-8.
    """
    if len(content) > MAX_TEXT:
        raise InputError(f"{source}: {len(content)} bytes of text, more than the {MAX_TEXT} read")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        wide = content[:2] in _UTF16 and b"\0" in content[:64]
        kind = "UTF-16" if wide else f"not UTF-8 text (byte {error.start})"
        raise InputError(f"{source}: {kind}; save it as UTF-8") from None


def refuse_pickle(path: Path) -> None:
    """Refuse files that could run code when read, by their names.

    Raises:
        InputError: such a name.
    """
    suffix = path.suffix.lower()
    if suffix in _PACKED:
        suffix = Path(path.stem).suffix.lower()
    if suffix in PICKLES:
        raise InputError(
            f"{path}: {suffix} files may run code when read, so they are not; "
            "export the runs as CSV, JSON or Parquet"
        )


def refuse_pickled(content: bytes, source: str) -> None:
    """Refuse pickles and NumPy files by how they begin, whatever they are called.

    Raises:
        InputError: such content.
    """
    if _PICKLED.match(content):
        raise InputError(
            f"{source}: a pickle or NumPy file, which is not read; export CSV or Parquet"
        )


def _is_extra(member: ZipInfo) -> bool:
    """Tell whether a member is a folder, or what macOS's Finder adds beside every file."""
    return member.is_dir() or member.filename.startswith("__MACOSX/")


def _refuse_member(name: str, mode: int, source: str) -> None:
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in name:
        raise InputError(f"{source}: {name!r} would leave its folder; refused")
    if len(parts) > MAX_DEPTH:
        raise InputError(f"{source}: {name[:60]!r} lies deeper than {MAX_DEPTH} folders")
    if stat.S_ISLNK(mode):
        raise InputError(f"{source}: {name!r} is a symbolic link; refused")
