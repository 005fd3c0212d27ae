"""Documents of a large corpus in one file, mapped into memory and read one at a time.

`documents.bin` is the documents joined by a NUL byte: its SHA-256 is the corpus's. `ends.bin`
says where each of them ends.
"""

import hashlib
import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import overload

import numpy as np

from isoflop.base.errors import InputError

TEXT_FILE, ENDS_FILE = "documents.bin", "ends.bin"
_CHUNK = 1 << 22


class DocumentFile(Sequence[bytes]):
    """The documents of a corpus folder, in order.

    Args:
        folder: holds `documents.bin` and `ends.bin`.
        name: used in errors.

    Raises:
        InputError: a file is absent, or the two do not belong together.
    """

    def __init__(self, folder: Path, name: str) -> None:
        remedy = f"get it again: isoflop corpus get {name}"
        try:
            self._ends = np.fromfile(folder / ENDS_FILE, dtype="<u8").astype(np.int64)
            with (folder / TEXT_FILE).open("rb") as file:
                self._text = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError):
            raise InputError(f"corpus {name}: {folder} is not whole; {remedy}") from None
        ends, length = self._ends, len(self._text)
        if not len(ends) or ends[-1] != length or (np.diff(ends, prepend=-1) < 1).any():
            raise InputError(f"corpus {name}: {folder} is damaged; {remedy}")

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> "Chosen": ...
    def __getitem__(self, index: int | slice) -> "bytes | Chosen":
        if isinstance(index, slice):
            return Chosen(self, np.arange(len(self))[index])
        index = range(len(self))[index]
        start = int(self._ends[index - 1]) + 1 if index else 0
        return self._text[start : int(self._ends[index])]

    def sizes(self) -> np.ndarray:
        """Return (n_documents,) int64, their lengths in bytes."""
        starts = np.concatenate([[0], self._ends[:-1] + 1])
        return self._ends - starts

    def sha256(self) -> str:
        """Return the hash of the whole file, hexadecimal."""
        digest = hashlib.sha256()
        for start in range(0, len(self._text), _CHUNK):
            digest.update(self._text[start : start + _CHUNK])
        return digest.hexdigest()


class Chosen(Sequence[bytes]):
    """Some documents of a file, in a given order, not copied.

    Args:
        whole: all documents.
        indices: (n,) int64, which of them.
    """

    def __init__(self, whole: DocumentFile, indices: np.ndarray) -> None:
        self._whole, self._indices = whole, indices

    def __len__(self) -> int:
        return len(self._indices)

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> "Chosen": ...
    def __getitem__(self, index: int | slice) -> "bytes | Chosen":
        if isinstance(index, slice):
            return Chosen(self._whole, self._indices[index])
        return self._whole[int(self._indices[index])]

    def sizes(self) -> np.ndarray:
        """Return (n,) int64, their lengths in bytes."""
        return self._whole.sizes()[self._indices]


def total_bytes(documents: Sequence[bytes]) -> int:
    """Return the length of all documents together, without reading those of a file.

    >>> total_bytes((b"ab", b"c"))
    3
    """
    if isinstance(documents, (DocumentFile, Chosen)):
        return int(documents.sizes().sum())
    return sum(len(text) for text in documents)
