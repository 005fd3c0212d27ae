"""Tokens in several files, mapped into memory and read as one array."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Indices: TypeAlias = NDArray[np.int64]


class Tokens(Protocol):
    """What a stream reads: an array, or `TokenShards`."""

    def __len__(self) -> int: ...

    def __getitem__(self, indices: Indices, /) -> NDArray[np.integer]: ...


class TokenShards:
    """The tokens of several files, addressed as if they were one array.

    Where the files are cut is not to be seen from outside: the stream over shards gives the same
    rows as that over the whole.

    Args:
        paths: the files, in order.
        kind: type of a token, `<u1` or `<u2`.
    """

    def __init__(self, paths: Sequence[Path], kind: str) -> None:
        self._parts = [np.asarray(np.memmap(path, dtype=kind, mode="r")) for path in paths]
        lengths = [len(part) for part in self._parts]
        self._ends = np.cumsum(lengths)
        self._starts = self._ends - lengths
        self.dtype = np.dtype(kind)

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, indices: Indices, /) -> NDArray[np.integer]:
        """Return the tokens at `indices`, any shape, each from 0 to len − 1."""
        shard = np.searchsorted(self._ends, indices, side="right")
        found = np.empty(indices.shape, dtype=self.dtype)
        for number in np.unique(shard):
            here = shard == number
            found[here] = self._parts[number][indices[here] - self._starts[number]]
        return found
