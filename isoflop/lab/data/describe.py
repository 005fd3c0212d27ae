"""`data.json`: what the tokens of a study are, and which files hold them."""

import hashlib
from collections.abc import Mapping
from typing import Any

from isoflop.base import strict_json
from isoflop.lab.data.corpora import Corpus, split_documents
from isoflop.lab.data.documents import total_bytes
from isoflop.runs.ladders.ladder import Ladder


def token_type(n_vocab: int) -> str:
    """Return the type of a token on disk.

    >>> token_type(256), token_type(257)
    ('<u1', '<u2')
    """
    return "<u1" if n_vocab <= 256 else "<u2"


def describe(
    ladder: Ladder,
    corpus: Corpus,
    n_vocab: int,
    n_tokens: Mapping[str, int],
    digests: Mapping[str, str],
) -> dict[str, Any]:
    """Return the content of `data.json`.

    Args:
        ladder: names the corpus, the tokenizer and the split.
        corpus: what was encoded.
        n_vocab: tokens of the vocabulary.
        n_tokens: `train` and `held_out` tokens.
        digests: `train_sha256` and `held_out_sha256`, of the tokens as two bytes each.
    """
    train, held_out = split_documents(corpus.documents, ladder.evaluation.held_out_every)
    return {
        "corpus": ladder.corpus,
        "corpus_sha256": corpus.sha256,
        "licence": corpus.licence,
        "source": corpus.source,
        "tokenizer": ladder.tokenizer,
        "n_vocab": n_vocab,
        "token_type": token_type(n_vocab),
        "train_documents": len(train),
        "held_out_documents": len(held_out),
        "train_bytes": total_bytes(train),
        "train_tokens": n_tokens["train"],
        "held_out_tokens": n_tokens["held_out"],
        **digests,
        "fingerprint": fingerprint(corpus.sha256, ladder.tokenizer, *digests.values()),
    }


def fingerprint(*parts: object) -> str:
    """Return the identity of prepared tokens: SHA-256 of what they are made from, hexadecimal."""
    return hashlib.sha256(strict_json.dumps([str(part) for part in parts]).encode()).hexdigest()


def files_of(document: Mapping[str, Any]) -> dict[str, list[tuple[str, int]]]:
    """Return {part: [(file, tokens in it)]} of a `data.json`, with or without shards."""
    if "shards" in document:
        return {
            name: [(row["file"], row["tokens"]) for row in document["shards"][name]]
            for name in ("train", "held_out")
        }
    return {name: [(f"{name}.bin", document[f"{name}_tokens"])] for name in ("train", "held_out")}
