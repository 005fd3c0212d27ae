"""Bytes of every token of a vocabulary: what turns nats per token into bits per byte.

Bits per byte compare models of different tokenizers on the same text. The end of a document counts
as one byte, which is what it costs the byte tokenizer.
"""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isoflop.base import strict_json
from isoflop.base.errors import InputError

_BYTES = 256


def read_token_bytes(path: Path) -> NDArray[np.int64]:
    """Return (n_vocab,) bytes of each token of a study's tokenizer.

    Args:
        path: its `tokenizer.json`: `{}` for bytes, else a byte-level BPE, which writes every byte
            of a token as one character.

    Raises:
        InputError: not a tokenizer.
    """
    document = strict_json.loads(path.read_text(encoding="utf-8"), source=str(path))
    if document == {}:
        return np.ones(_BYTES, dtype=np.int64)
    try:
        pairs = document["model"]["vocab"].items()
        vocabulary = {str(token): int(index) for token, index in pairs}
    except (KeyError, TypeError, AttributeError, ValueError):
        raise InputError(f"{path}: not a tokenizer; delete its folder and resume") from None
    lengths = np.ones(max(vocabulary.values(), default=0) + 1, dtype=np.int64)
    for token, index in vocabulary.items():
        lengths[index] = len(token)
    return lengths


def bits_per_byte(
    loss: float, windows: NDArray[np.integer], token_bytes: NDArray[np.int64]
) -> float:
    """Turn a mean loss over windows into bits per byte of the text they predict.

    Args:
        loss: nats per token.
        windows: (rows, n_ctx + 1) tokens; the first of each row is given, not predicted.
        token_bytes: (n_vocab,) bytes of each token.

    >>> bits_per_byte(math.log(2), np.array([[0, 1, 1]]), np.array([1, 4]))
    0.25
    """
    targets = np.asarray(windows)[:, 1:]
    return loss * targets.size / (math.log(2) * int(token_bytes[targets].sum()))
