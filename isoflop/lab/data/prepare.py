"""Turn a study's corpus into token files, once, before any worker starts."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoflop.base import strict_json
from isoflop.base.atomic import write_atomic
from isoflop.base.errors import InputError
from isoflop.lab.data.corpora import read_corpus, split_documents
from isoflop.lab.data.describe import describe, files_of, token_type
from isoflop.lab.data.documents import total_bytes
from isoflop.lab.data.enough import check_fit, check_length
from isoflop.lab.data.large import LARGE_BYTES, prepare_large
from isoflop.lab.data.overlap import measure_overlap
from isoflop.lab.data.tokenizer import require_tokenizer, train_tokenizer
from isoflop.lab.data.tokens import Tokens, TokenShards
from isoflop.runs.ladders.ladder import Ladder
from isoflop.store.document import Kinds, read_document

_NEEDED: Kinds = {
    "corpus_sha256": str,
    "token_type": str,
    "train_tokens": int,
    "held_out_tokens": int,
    "held_out_sha256": str,
}


@dataclass(frozen=True)
class StudyData:
    """The tokens of a study.

    Args:
        train: (n_train,) uint8 or uint16 training tokens, documents closed by an end token;
            an array, or shards of a large corpus that are read like one.
        held_out: (n_held_out,) tokens of the held-out documents.
        eval_set: name of the held-out set; runs compare only if theirs agree.
    """

    train: Tokens
    held_out: Tokens
    eval_set: str


def prepare_data(ladder: Ladder, folder: Path) -> dict[str, Any]:
    """Write `train.bin`, `held_out.bin`, `tokenizer.json` and, last, `data.json`.

    Args:
        ladder: names the corpus, the tokenizer and the split.
        folder: the study's `data` folder.

    Returns:
        The content of `data.json`.

    Raises:
        SpecError: the vocabulary or the context does not fit the corpus.
        InputError: the corpus changed since the folder was written, or a file there is damaged.
    """
    corpus = read_corpus(ladder.corpus)
    known = _known(folder)
    if known is not None:
        if known["corpus_sha256"] != corpus.sha256:
            raise InputError(
                f"corpus {ladder.corpus} changed since this study began (sha256 was "
                f"{known['corpus_sha256']}, is {corpus.sha256}); restore it or "
                "start a new study"
            )
        return known
    if total_bytes(corpus.documents) > LARGE_BYTES:
        return prepare_large(ladder, corpus, folder)
    train, held_out = split_documents(corpus.documents, ladder.evaluation.held_out_every)
    tokenizer = train_tokenizer(ladder.tokenizer, train)
    parts = {"train": tokenizer.encode(train), "held_out": tokenizer.encode(held_out)}
    counts = {name: len(tokens) for name, tokens in parts.items()}
    check_fit(ladder, tokenizer.n_vocab, counts)
    kind = token_type(tokenizer.n_vocab)
    for name, tokens in parts.items():
        write_atomic(folder / f"{name}.bin", tokens.astype(kind).tobytes())
    write_atomic(folder / "tokenizer.json", tokenizer.to_json())
    digests = {f"{name}_sha256": _digest(tokens) for name, tokens in parts.items()}
    overlap = measure_overlap(train, held_out).to_dict()
    document = describe(ladder, corpus, tokenizer.n_vocab, counts, digests) | {"overlap": overlap}
    write_atomic(folder / "data.json", strict_json.dumps(document, indent=1) + "\n")
    return document


def check_corpus(ladder: Ladder) -> dict[str, int]:
    """Refuse a corpus that cannot serve, before anything is written.

    What only a trained vocabulary can tell is left to `prepare_data`.

    Args:
        ladder: names the corpus, the tokenizer and the split.

    Returns:
        `train` and `held_out` tokens if every byte is one: no encoding has more.

    Raises:
        UnknownNameError: no such corpus.
        InputError: unreadable, or fewer than two documents.
        SpecError: less text than one context.
        MissingExtraError: a trained tokenizer without the `tokenizers` library.
    """
    require_tokenizer(ladder.tokenizer)
    documents = read_corpus(ladder.corpus).documents
    train, held_out = split_documents(documents, ladder.evaluation.held_out_every)
    parts = {"train": train, "held_out": held_out}
    counts = {name: total_bytes(part) + len(part) for name, part in parts.items()}
    check_length(ladder, counts)
    return counts


def open_data(ladder: Ladder, folder: Path) -> StudyData:
    """Map the token files written by `prepare_data` into memory."""
    document = _known(folder)
    if document is None:
        raise InputError(f"{folder} holds no prepared data; run the ladder to prepare it")
    kind, files = document["token_type"], files_of(document)
    train, held_out = (
        TokenShards([folder / file for file, _ in files[name]], kind)
        if "shards" in document
        else np.asarray(np.memmap(folder / f"{name}.bin", dtype=kind, mode="r"))
        for name in ("train", "held_out")
    )
    digest = document["held_out_sha256"][:12]
    eval_set = f"held-out-{digest}-{ladder.evaluation.tokens}"
    return StudyData(train, held_out, eval_set)


def _known(folder: Path) -> dict[str, Any] | None:
    """Return data.json if it and the token files are there and whole."""
    path, remedy = folder / "data.json", f"delete {folder} and resume to prepare the data again"
    if not path.exists():
        return None
    document = read_document(path, _NEEDED, remedy)
    width = {"<u1": 1, "<u2": 2}.get(document["token_type"], 0)
    for name, count in (pair for files in files_of(document).values() for pair in files):
        file, expected = folder / name, width * count
        found = file.stat().st_size if file.is_file() else 0
        if found != expected or not expected:
            raise InputError(f"{file}: {found} bytes, expected {expected}; {remedy}")
    return document


def _digest(tokens: NDArray[np.uint16]) -> str:
    return hashlib.sha256(tokens.astype("<u2").tobytes()).hexdigest()
