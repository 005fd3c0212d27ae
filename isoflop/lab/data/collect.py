"""Write documents into a corpus folder: repeats dropped, hash and counts kept, resumable."""

import hashlib
from pathlib import Path

import numpy as np

from isoflop.base.atomic import write_atomic
from isoflop.lab.data.documents import ENDS_FILE, TEXT_FILE

LONG_LINE_BYTES = 30
"""Shorter lines, such as braces and headings, repeat in any text and are always kept."""
_DIGEST_BYTES = 8
"""A digest this long confuses two of 1e7 texts with a chance of 3e-6."""


class Collector:
    """Appends documents to `documents.bin` of a folder that is not whole until `finish`.

    Args:
        folder: where to write; created.
        drop_lines: drop lines of 30 bytes or more that the corpus had before.
        resume_bytes: go on behind this many bytes that an earlier collector wrote.
    """

    def __init__(self, folder: Path, *, drop_lines: bool, resume_bytes: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self._drop_lines = folder, drop_lines
        self._hash = hashlib.sha256()
        self._ends: list[int] = []
        self._documents: set[bytes] = set()
        self._lines: set[bytes] = set()
        self.dropped_documents, self.dropped_lines, self.n_bytes = 0, 0, 0
        path = folder / TEXT_FILE
        if resume_bytes:
            with path.open("r+b") as file:
                file.truncate(resume_bytes)
            for text in path.read_bytes().split(b"\x00"):
                self._note(text)
        self._file = path.open("ab" if resume_bytes else "wb")

    @property
    def n_documents(self) -> int:
        """Documents kept so far."""
        return len(self._ends)

    @property
    def position(self) -> int:
        """Length of the file so far, bytes, separators included."""
        return self._ends[-1] if self._ends else 0

    def add(self, text: bytes, *, least_bytes: int = 1) -> None:
        """Append a document, unless it is a repeat or too short once its repeats are gone."""
        digest = _digest(text)
        if digest in self._documents:
            self.dropped_documents += 1
            return
        kept = self._without_repeats(text) if self._drop_lines else text
        if len(kept) < max(1, least_bytes):
            self.dropped_documents += 1
            return
        self._documents.add(digest)
        self._file.write((b"\x00" if self._ends else b"") + kept)
        self._count(kept)

    def flush(self) -> int:
        """Put what was added on disk; return the position."""
        self._file.flush()
        return self.position

    def finish(self) -> str:
        """Close the file, write where documents end, return the SHA-256 of the corpus."""
        self._file.close()
        write_atomic(self.folder / ENDS_FILE, np.array(self._ends, dtype="<u8").tobytes())
        return self._hash.hexdigest()

    def close(self) -> None:
        """Close the file without finishing."""
        self._file.close()

    def _count(self, text: bytes) -> None:
        separator = b"\x00" if self._ends else b""
        self._hash.update(separator + text)
        self._ends.append(self.position + len(separator) + len(text))
        self.n_bytes += len(text)

    def _note(self, text: bytes) -> None:
        """Take up a document that is in the file already."""
        self._documents.add(_digest(text))
        if self._drop_lines:
            self._without_repeats(text)
        self._count(text)

    def _without_repeats(self, text: bytes) -> bytes:
        kept = []
        for line in text.split(b"\n"):
            bare = line.strip()
            if len(bare) >= LONG_LINE_BYTES:
                digest = _digest(bare)
                if digest in self._lines:
                    self.dropped_lines += 1
                    continue
                self._lines.add(digest)
            kept.append(line)
        return b"\n".join(kept).strip()


def _digest(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=_DIGEST_BYTES).digest()
