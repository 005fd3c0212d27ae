"""Encode a large corpus into shards, a few documents at a time, resumed at the last whole shard."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoflop.base import strict_json
from isoflop.base.atomic import write_atomic
from isoflop.base.errors import InputError
from isoflop.lab.data.tokenizer import Tokenizer

SHARD_TOKENS = 1 << 26
"""A shard is closed at the end of the document that fills it: 64 or 128 MiB on disk."""
_BATCH_BYTES = 1 << 21
"""Text encoded at once: an encoding takes about a hundred times its text in memory."""


def encode_shards(
    tokenizer: Tokenizer,
    documents: Sequence[bytes],
    folder: Path,
    name: str,
    kind: str,
    *,
    shard_tokens: int = SHARD_TOKENS,
) -> list[dict[str, Any]]:
    """Write `NAME-00000.bin`, … and `NAME.json`, the list of them.

    Broken off and called again, it goes on behind the last shard in the list.

    Args:
        tokenizer: encodes documents, each closed by its end token.
        documents: in order.
        folder: where to write.
        name: `train` or `held_out`.
        kind: type of a token on disk.
        shard_tokens: see `SHARD_TOKENS`.

    Returns:
        One row per shard: `file`, `tokens`, `documents` (up to and with this one), `sha256`.
    """
    rows = _whole_shards(folder, name, np.dtype(kind).itemsize)
    first = rows[-1]["documents"] if rows else 0
    for tokens, last in _shards(tokenizer, documents, first, shard_tokens):
        packed = tokens.astype(kind).tobytes()
        file = f"{name}-{len(rows):05d}.bin"
        write_atomic(folder / file, packed)
        digest = hashlib.sha256(packed).hexdigest()
        rows.append({"file": file, "tokens": len(tokens), "documents": last, "sha256": digest})
        write_atomic(folder / f"{name}.json", strict_json.dumps(rows, indent=1) + "\n")
    return rows


def _shards(
    tokenizer: Tokenizer, documents: Sequence[bytes], first: int, shard_tokens: int
) -> Iterator[tuple[NDArray[np.uint16], int]]:
    """Yield (tokens, documents so far) of each shard."""
    parts: list[NDArray[np.uint16]] = []
    filled = 0
    for last, batch in _batches(documents, first):
        parts.append(tokenizer.encode(batch))
        filled += len(parts[-1])
        if filled >= shard_tokens or last == len(documents):
            yield np.concatenate(parts), last
            parts, filled = [], 0


def _batches(documents: Sequence[bytes], first: int) -> Iterator[tuple[int, list[bytes]]]:
    """Yield (documents so far, the next of them), about 2 MB together."""
    batch: list[bytes] = []
    size = 0
    for index in range(first, len(documents)):
        batch.append(documents[index])
        size += len(batch[-1])
        if size >= _BATCH_BYTES or index == len(documents) - 1:
            yield index + 1, batch
            batch, size = [], 0


def _whole_shards(folder: Path, name: str, width: int) -> list[dict[str, Any]]:
    """Return the shards that are on disk and whole, up to the first that is not."""
    path = folder / f"{name}.json"
    if not path.exists():
        return []
    try:
        rows = strict_json.loads(path.read_text(encoding="utf-8"), source=str(path))
        sizes = [(folder / row["file"], width * row["tokens"]) for row in rows]
    except (InputError, OSError, UnicodeDecodeError, KeyError, TypeError):
        return []
    whole = [path.is_file() and path.stat().st_size == size for path, size in sizes]
    return rows[: whole.index(False)] if False in whole else rows
