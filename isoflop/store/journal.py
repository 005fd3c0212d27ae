r"""Append-only journals: JSON lines, each with its CRC, one writer.

A process killed in mid-write leaves at most a torn last line; readers skip and report it, the
next writer cuts it off. A journal holds no clock: two runs of one seed write the same bytes.

A line: `{"kind": "point", "tokens": 65536, …, "crc": "89abcdef"}\n`, the CRC-32 taken over the
JSON text of the record without its `crc`.
"""

import fcntl
import os
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from isoflop.base import strict_json
from isoflop.base.atomic import naming, write_atomic
from isoflop.base.errors import InputError, IsoflopError

Record = Mapping[str, Any]


@dataclass(frozen=True)
class JournalContent:
    """What a journal holds.

    Args:
        records: the intact records, in order, without their CRC.
        n_bytes: length of the intact part.
        torn: bytes after it, 0 unless a writer was killed in mid-line.
    """

    records: tuple[dict[str, Any], ...]
    n_bytes: int
    torn: int


class Journal:
    """The one writer of a journal; cuts a torn tail when it opens.

    Args:
        path: the file, created if absent.

    Raises:
        IsoflopError: another process is writing it.
        InputError: a damaged line that is not the last.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = path.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise IsoflopError(f"{path}: another process is writing it; wait for it") from None
        content = read_journal(path)
        if content.torn:
            os.truncate(path, content.n_bytes)

    def append(self, record: Record) -> None:
        """Write one record; on return it survives the death of the process and of the machine.

        Raises:
            OSError: the disk refused; names the journal, which keeps the rows it had.
        """
        line = memoryview(format_line(record))
        descriptor = self._file.fileno()
        length = os.fstat(descriptor).st_size
        with naming(self.path):
            try:
                while line:
                    line = line[os.write(descriptor, line) :]
                os.fsync(descriptor)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(descriptor, length)
                raise

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def format_line(record: Record) -> bytes:
    r"""Return the line of a record.

    >>> format_line({"kind": "end"})
    b'{"kind": "end", "crc": "d43ec1f1"}\n'
    """
    body = strict_json.dumps(dict(record))
    crc = zlib.crc32(body.encode())
    comma = ", " if record else ""
    return f'{body[:-1]}{comma}"crc": "{crc:08x}"}}\n'.encode()


def read_journal(path: Path) -> JournalContent:
    """Read every intact record.

    Args:
        path: the journal; an absent one is an empty one.

    Raises:
        InputError: unreadable, or a damaged line that is not the last, so not a torn tail; names
            the line.
    """
    try:
        raw = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); delete its folder to train it again"
        ) from None
    lines = raw.splitlines(keepends=True)
    records, good = [], 0
    for number, line in enumerate(lines, start=1):
        record = parse_line(line)
        if record is None:
            if number < len(lines):
                raise InputError(
                    f"{path} line {number}: damaged (its CRC does not match); "
                    "delete its folder to train it again"
                )
            break
        records.append(record)
        good += len(line)
    return JournalContent(tuple(records), good, len(raw) - good)


def rewrite_journal(path: Path, records: Iterable[Record]) -> bytes:
    """Replace a journal whole, atomically; return its bytes."""
    payload = b"".join(format_line(record) for record in records)
    write_atomic(path, payload)
    return payload


def parse_line(line: bytes) -> dict[str, Any] | None:
    """Return the record of a line, None if it is not intact."""
    if not line.endswith(b"\n"):
        return None
    try:
        record = strict_json.loads(line.decode())
    except (InputError, UnicodeDecodeError):
        return None
    if not isinstance(record, dict):
        return None
    record.pop("crc", None)
    return record if format_line(record) == line else None
