"""Tokenizers: bytes, or a byte-pair encoding trained on the training documents."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from isoflop.base.errors import MissingExtraError

END = "\x00"
"""End of document; byte 0 of the byte tokenizer, the first token of a BPE."""


class Tokenizer(Protocol):
    """Turns documents into token ids."""

    n_vocab: int

    def encode(self, documents: Sequence[bytes]) -> NDArray[np.uint16]:
        """Return (n_tokens,) ids of all documents, each closed by the end token."""
        ...

    def to_json(self) -> str:
        """Return a document from which `load_tokenizer` rebuilds the tokenizer."""
        ...


class ByteTokenizer:
    """One token per byte: 256 tokens, losses in nats per byte.

    >>> ByteTokenizer().encode([b"ab"]).tolist()
    [97, 98, 0]
    """

    n_vocab = 256

    def encode(self, documents: Sequence[bytes]) -> NDArray[np.uint16]:
        """Return the bytes of all documents, each closed by byte 0."""
        joined = b"".join(document + b"\x00" for document in documents)
        return np.frombuffer(joined, dtype=np.uint8).astype(np.uint16)

    def to_json(self) -> str:
        """Return the empty document: there is nothing to remember."""
        return "{}"


class BpeTokenizer:
    """A byte-level BPE of the `tokenizers` library.

    Args:
        document: the JSON that `to_json` of a trained tokenizer returned.
    """

    def __init__(self, document: str) -> None:
        self._inner = _import_tokenizers().Tokenizer.from_str(document)
        self.n_vocab: int = self._inner.get_vocab_size()

    def encode(self, documents: Sequence[bytes]) -> NDArray[np.uint16]:
        """Return (n_tokens,) ids of all documents, each closed by the end token."""
        end = self._inner.token_to_id(END)
        parts = self._inner.encode_batch([document.decode() for document in documents])
        ids = [np.array([*part.ids, end], dtype=np.uint16) for part in parts]
        return np.concatenate(ids)

    def to_json(self) -> str:
        """Return the whole encoding as JSON."""
        return self._inner.to_str()


def train_tokenizer(name: str, documents: Sequence[bytes]) -> Tokenizer:
    """Return `bytes`, or train `bpe-K` on the documents.

    Args:
        name: `bytes` or `bpe-K`, K the vocabulary size, 257 to 65536.
        documents: training documents only; held-out text must not shape the vocabulary.

    Raises:
        MissingExtraError: `bpe-K` without the `tokenizers` library.
    """
    if name == "bytes":
        return ByteTokenizer()
    library = _import_tokenizers()
    tokenizer = library.Tokenizer(library.models.BPE())
    tokenizer.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = library.decoders.ByteLevel()
    trainer = library.trainers.BpeTrainer(
        vocab_size=int(name.removeprefix("bpe-")),
        special_tokens=[END],
        initial_alphabet=sorted(library.pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator((document.decode() for document in documents), trainer)
    return BpeTokenizer(tokenizer.to_str())


def require_tokenizer(name: str) -> None:
    """Refuse a tokenizer whose library is absent.

    Raises:
        MissingExtraError: `bpe-K` without the `tokenizers` library.
    """
    if name != "bytes":
        _import_tokenizers()


def load_tokenizer(name: str, document: str) -> Tokenizer:
    """Rebuild a tokenizer from its name and the document of `to_json`."""
    return ByteTokenizer() if name == "bytes" else BpeTokenizer(document)


def _import_tokenizers():
    try:
        import tokenizers
    except ImportError:
        raise MissingExtraError("a trained tokenizer", "train") from None
    return tokenizers
