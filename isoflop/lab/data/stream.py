"""The training stream: windows of the text in a random order, the same for every rung.

Seed s of every rung reads the same windows in the same order, so that what the order adds to the
loss is shared by the sizes being compared.
"""

import numpy as np
from numpy.typing import NDArray

from isoflop.lab.data.tokens import Tokens


class TokenStream:
    """Windows of n_ctx + 1 tokens, shuffled anew each epoch, addressable by row.

    Args:
        tokens: (n_tokens,) training tokens, an array or shards.
        n_ctx: context length.
        seed: numbers that determine the order.

    >>> stream = TokenStream(np.arange(9), 4, (0, 0))
    >>> stream.rows(0, 2).shape
    (2, 5)
    """

    def __init__(self, tokens: Tokens, n_ctx: int, seed: tuple[int, ...]) -> None:
        self._tokens, self._n_ctx, self._seed = tokens, n_ctx, seed
        self._windows = (len(tokens) - 1) // n_ctx
        self._reach = np.arange(n_ctx + 1)
        self._epoch = -1
        self._order = np.empty(0, dtype=np.int64)

    @property
    def tokens_per_epoch(self) -> int:
        """Tokens predicted once per pass over the text."""
        return self._windows * self._n_ctx

    def repeats(self, n_tokens: int) -> dict[str, float]:
        """Return the run-table columns `n_tokens_unique` and `epochs` of a run of `n_tokens`.

        >>> TokenStream(np.arange(9), 4, (0, 0)).repeats(12)
        {'n_tokens_unique': 8, 'epochs': 1.5}
        """
        unique = min(n_tokens, self.tokens_per_epoch)
        return {"n_tokens_unique": unique, "epochs": n_tokens / self.tokens_per_epoch}

    def place(self, row: int) -> tuple[int, int]:
        """Return (epoch, window of that epoch's order) of a row: all a resumed run has to know.

        The stream keeps no other state: a checkpoint's step names its next row.
        """
        epoch, window = divmod(row, self._windows)
        return epoch, window

    def rows(self, first: int, count: int) -> NDArray[np.integer]:
        """Return (count, n_ctx + 1) tokens of rows `first` … `first + count − 1` of the stream."""
        parts = []
        while count:
            epoch, place = self.place(first)
            take = min(count, self._windows - place)
            starts = self._order_of(epoch)[place : place + take] * self._n_ctx
            parts.append(self._tokens[starts[:, None] + self._reach])
            first, count = first + take, count - take
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _order_of(self, epoch: int) -> NDArray[np.int64]:
        if epoch != self._epoch:
            generator = np.random.default_rng([*self._seed, epoch])
            self._order, self._epoch = generator.permutation(self._windows), epoch
        return self._order


def held_out_windows(tokens: Tokens, n_ctx: int, count: int) -> NDArray[np.integer]:
    """Return (rows, n_ctx + 1) held-out windows, about `count` tokens, the same for every rung.

    Windows are taken at equal distances over all held-out documents, ordered by bit reversal so
    that any prefix is spread over them too.

    >>> held_out_windows(np.arange(33), 4, 8).shape
    (2, 5)
    """
    windows, rows = (len(tokens) - 1) // n_ctx, count_windows(len(tokens), n_ctx, count)
    starts = (np.arange(rows) * windows // rows) * n_ctx
    return tokens[starts[_bit_reversed(rows), None] + np.arange(n_ctx + 1)]


def count_windows(n_tokens: int, n_ctx: int, count: int) -> int:
    """Return the held-out windows of about `count` tokens, fewer where there are fewer tokens.

    >>> count_windows(33, 4, 8), count_windows(33, 4, 1000)
    (2, 8)
    """
    return min((n_tokens - 1) // n_ctx, max(1, count // n_ctx))


def _bit_reversed(count: int) -> NDArray[np.int64]:
    bits = max(1, (count - 1).bit_length())
    numbers = np.arange(1 << bits)
    reverse = np.zeros_like(numbers)
    for bit in range(bits):
        reverse |= ((numbers >> bit) & 1) << (bits - 1 - bit)
    return reverse[reverse < count]
