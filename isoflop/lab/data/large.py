"""Tokens of a large corpus: made once in the cache, a shard at a time, and linked into studies."""

import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from isoflop.base import strict_json
from isoflop.base.atomic import write_atomic
from isoflop.base.cache_folder import cache_folder
from isoflop.base.errors import InputError
from isoflop.lab.data.corpora import Corpus, split_documents
from isoflop.lab.data.describe import describe, fingerprint, token_type
from isoflop.lab.data.documents import DocumentFile, total_bytes
from isoflop.lab.data.encode import encode_shards
from isoflop.lab.data.enough import check_fit
from isoflop.lab.data.overlap import measure_overlap
from isoflop.lab.data.tokenizer import Tokenizer, load_tokenizer, train_tokenizer
from isoflop.runs.ladders.ladder import Ladder
from isoflop.store.leases.lock import exclusive

LARGE_BYTES = 1 << 26
"""Text from which tokens are made in shards and a vocabulary is trained on a sample, bytes."""
_SAMPLE_BYTES = 1 << 25
_LAYOUT = "1"
"""Part of the fingerprint: raise it when tokens of the same text would come out differently."""
_WAIT_SECONDS = 3600.0


def prepare_large(ladder: Ladder, corpus: Corpus, folder: Path) -> dict[str, Any]:
    """Encode a large corpus, or find it encoded, and put its shards into a study's `data` folder.

    Args:
        ladder: names the tokenizer and the split.
        corpus: what to encode.
        folder: the study's `data` folder.

    Returns:
        The content of `data.json`.

    Raises:
        SpecError: the vocabulary or the amount of text does not fit the ladder.
        InputError: the corpus is not the text it was when it was got.
    """
    every = ladder.evaluation.held_out_every
    home = cache_folder() / "tokens" / fingerprint(corpus.sha256, ladder.tokenizer, every, _LAYOUT)
    with exclusive(home / "lock", f"tokens {home}", wait_seconds=_WAIT_SECONDS):
        tokenizer = _tokenizer(ladder, corpus, home)
        kind = token_type(tokenizer.n_vocab)
        if not (home / "overlap.json").exists():
            _check_text(corpus)
        parts = dict(
            zip(("train", "held_out"), split_documents(corpus.documents, every), strict=True)
        )
        shards = {
            name: encode_shards(tokenizer, documents, home, name, kind)
            for name, documents in parts.items()
        }
        overlap = _overlap(parts["train"], parts["held_out"], home)
    counts = {name: sum(row["tokens"] for row in rows) for name, rows in shards.items()}
    check_fit(ladder, tokenizer.n_vocab, counts)
    _place(home, folder, [row["file"] for rows in shards.values() for row in rows])
    digests = {f"{name}_sha256": _digest(home, rows, kind) for name, rows in shards.items()}
    document = describe(ladder, corpus, tokenizer.n_vocab, counts, digests)
    document |= {"shards": shards, "overlap": overlap}
    write_atomic(folder / "tokenizer.json", tokenizer.to_json())
    write_atomic(folder / "data.json", strict_json.dumps(document, indent=1) + "\n")
    return document


def sample_documents(documents: Sequence[bytes], most_bytes: int = _SAMPLE_BYTES) -> list[bytes]:
    """Return documents at equal distances, about `most_bytes` together, to train a vocabulary on.

    >>> sample_documents([b"aa", b"bb", b"cc", b"dd"], 4)
    [b'aa', b'cc']
    """
    step = max(1, -(-total_bytes(documents) // most_bytes))
    return [documents[index] for index in range(0, len(documents), step)]


def _tokenizer(ladder: Ladder, corpus: Corpus, home: Path) -> Tokenizer:
    path = home / "tokenizer.json"
    if path.exists():
        return load_tokenizer(ladder.tokenizer, path.read_text(encoding="utf-8"))
    train, _ = split_documents(corpus.documents, ladder.evaluation.held_out_every)
    sample = [] if ladder.tokenizer == "bytes" else sample_documents(train)
    tokenizer = train_tokenizer(ladder.tokenizer, sample)
    write_atomic(path, tokenizer.to_json())
    return tokenizer


def _check_text(corpus: Corpus) -> None:
    """Hold a corpus that was got against its hash before it is encoded."""
    documents = corpus.documents
    if isinstance(documents, DocumentFile) and documents.sha256() != corpus.sha256:
        raise InputError(
            f"corpus {corpus.name}: the text on disk is not the one that was got; get it again: "
            f"isoflop corpus get {corpus.name} --again"
        )


def _overlap(train: Sequence[bytes], held_out: Sequence[bytes], home: Path) -> dict[str, Any]:
    path = home / "overlap.json"
    if not path.exists():
        found = measure_overlap(train, held_out).to_dict()
        write_atomic(path, strict_json.dumps(found) + "\n")
    return strict_json.loads(path.read_text(encoding="utf-8"), source=str(path))


def _place(home: Path, folder: Path, names: Sequence[str]) -> None:
    """Link shards into a study; copy them where the study is on another disk."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        temporary = folder / f".{name}.partial"
        temporary.unlink(missing_ok=True)
        try:
            os.link(home / name, temporary)
        except OSError:
            shutil.copyfile(home / name, temporary)
        os.replace(temporary, folder / name)


def _digest(home: Path, rows: Sequence[dict[str, Any]], kind: str) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(np.fromfile(home / row["file"], dtype=kind).astype("<u2").tobytes())
    return digest.hexdigest()
