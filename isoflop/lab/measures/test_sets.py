"""Test sets: held-out documents of other corpora, in the study's own tokens.

`data/test-NAME.bin` holds the tokens, `data/test_sets.json` what they are; both are written once.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isoflop.base import strict_json
from isoflop.base.atomic import write_atomic
from isoflop.base.errors import InputError, SpecError
from isoflop.lab.data.corpora import Corpus, read_corpus, split_documents
from isoflop.lab.data.documents import total_bytes
from isoflop.lab.data.tokenizer import load_tokenizer
from isoflop.lab.data.tokens import Tokens
from isoflop.runs.ladders.evaluation import name_test_set
from isoflop.runs.ladders.ladder import Ladder
from isoflop.store.document import read_document

FILE = "test_sets.json"
_BYTES_A_TOKEN = 32
"""Held-out text read for each token evaluated: some documents of a large corpus are enough."""
_REMEDY = "delete it and resume to prepare the test sets again"


@dataclass(frozen=True)
class EvalSet:
    """Tokens that finished runs are also measured on.

    Args:
        name: in the columns `loss_NAME` and `bits_per_byte_NAME`.
        tokens: (n_tokens,) of its held-out documents.
        eval_set: names them by their hash.
    """

    name: str
    tokens: Tokens
    eval_set: str


def prepare_test_sets(ladder: Ladder, folder: Path) -> None:
    """Write the tokens of every test set a ladder names; nothing if they are there.

    Args:
        ladder: names them; their split is that of the training corpus.
        folder: the study's `data` folder, prepared.

    Raises:
        UnknownNameError: no such corpus.
        SpecError: less text than one context.
        InputError: a corpus changed since the folder was written.
    """
    known = _known(folder)
    for corpus_name in ladder.evaluation.test_sets:
        name = name_test_set(corpus_name)
        corpus = read_corpus(corpus_name)
        if name in known:
            if known[name]["corpus_sha256"] != corpus.sha256:
                raise InputError(
                    f"test set {corpus_name} changed since this study began; restore it or start "
                    "a new study"
                )
            continue
        held_out = _held_out(ladder, corpus)
        tokenizer = load_tokenizer(
            ladder.tokenizer, (folder / "tokenizer.json").read_text(encoding="utf-8")
        )
        tokens = tokenizer.encode(held_out).astype("<u2")
        check_test_set(ladder, corpus_name, len(tokens))
        payload = tokens.tobytes()
        write_atomic(folder / f"test-{name}.bin", payload)
        known[name] = {
            "corpus": corpus_name,
            "corpus_sha256": corpus.sha256,
            "licence": corpus.licence,
            "tokens": len(tokens),
            "sha256": hashlib.sha256(payload).hexdigest(),
        }
        write_atomic(folder / FILE, strict_json.dumps({"test_sets": known}, indent=1) + "\n")


def check_test_sets(ladder: Ladder) -> tuple[int, ...]:
    """Refuse test sets that cannot serve, before anything is written.

    Returns:
        The tokens of each if every byte is one.

    Raises:
        UnknownNameError: no such corpus.
        SpecError: less text than one context.
    """
    counts: list[int] = []
    for name in ladder.evaluation.test_sets:
        held_out = _held_out(ladder, read_corpus(name))
        counts.append(total_bytes(held_out) + len(held_out))
        check_test_set(ladder, name, counts[-1])
    return tuple(counts)


def _held_out(ladder: Ladder, corpus: Corpus) -> Sequence[bytes]:
    """Documents held out of a corpus; of a large one, some at equal distances."""
    _, held_out = split_documents(corpus.documents, ladder.evaluation.held_out_every)
    every = total_bytes(held_out) // (_BYTES_A_TOKEN * ladder.evaluation.tokens)
    if every < 2:
        return held_out
    return tuple(held_out[i] for i in range(0, len(held_out), every))


def check_test_set(ladder: Ladder, name: str, count: int) -> None:
    """Refuse a test set shorter than one context; bytes bound the tokens of any encoding."""
    n_ctx = ladder.rungs[0].architecture.n_ctx
    if count <= n_ctx:
        raise SpecError(
            f"test set {name}: {count} held-out tokens, fewer than one context of {n_ctx}; use "
            "more text or a smaller n_ctx"
        )


def open_test_sets(ladder: Ladder, folder: Path) -> tuple[EvalSet, ...]:
    """Map the test sets of a prepared study.

    Raises:
        InputError: a file that is absent or not whole.
    """
    known = _known(folder)
    names = [name_test_set(corpus) for corpus in ladder.evaluation.test_sets]
    return tuple(_open(ladder, folder, name, known) for name in names)


def _open(ladder: Ladder, folder: Path, name: str, known: dict[str, Any]) -> EvalSet:
    path = folder / f"test-{name}.bin"
    size = path.stat().st_size if path.is_file() else 0
    if name not in known or size != 2 * known[name]["tokens"]:
        raise InputError(f"{path}: absent or not whole; delete {folder / FILE} and resume")
    tokens = np.memmap(path, dtype="<u2", mode="r")
    label = f"{name}-{known[name]['sha256'][:12]}-{ladder.evaluation.tokens}"
    return EvalSet(name, np.asarray(tokens), label)


def _known(folder: Path) -> dict[str, Any]:
    path = folder / FILE
    if not path.exists():
        return {}
    return dict(read_document(path, {"test_sets": dict}, _REMEDY)["test_sets"])
