"""Corpora: the embedded ones, or a text file or folder of the user's."""

import hashlib
import lzma
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.runs.counted import counted

_HOME = "isoflop.lab.data"

SEPARATOR = b"\x00"
"""Joins documents; also the byte tokenizer's end-of-document token."""


@dataclass(frozen=True)
class Corpus:
    """Documents with their provenance.

    Args:
        name: registered name, or the path as the user wrote it.
        documents: UTF-8 text of each document, in a fixed order.
        sha256: of the documents joined by a NUL byte.
        licence: terms of the text.
        source: where it came from.
    """

    name: str
    documents: tuple[bytes, ...]
    sha256: str
    licence: str
    source: str


def corpus_names() -> tuple[str, ...]:
    """Return the names of the embedded corpora.

    >>> corpus_names()
    ('sotu',)
    """
    return tuple(_registry())


def read_corpus(name: str) -> Corpus:
    """Read an embedded corpus, a text file, or the `*.txt` files of a folder.

    A user's file is split into documents at blank lines repeated (two or more empty lines), or
    taken in blocks of lines where there are none, so that some of them can be held out.

    Args:
        name: registered name or path.

    Raises:
        UnknownNameError: neither a registered name nor an existing path.
        InputError: too little text, or an embedded corpus whose hash does not match.
    """
    entry = _registry().get(name)
    if entry is not None:
        return _read_embedded(name, entry)
    path = Path(name)
    if not path.exists():
        raise UnknownNameError("corpus (nor is it a file or folder)", name, corpus_names())
    documents = _documents_at(path)
    if len(documents) < 2:
        raise InputError(
            f"{name}: found {counted(len(documents), 'document')}, expected at least 2 "
            "(some are held out); add text"
        )
    digest = hashlib.sha256(SEPARATOR.join(documents)).hexdigest()
    return Corpus(name, documents, digest, "the user's own", str(name))


def split_documents(
    documents: tuple[bytes, ...], held_out_every: int
) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Hold out every k-th document.

    >>> split_documents((b"a", b"b", b"c", b"d"), 2)
    ((b'a', b'c'), (b'b', b'd'))
    """
    last = held_out_every - 1
    train = tuple(d for i, d in enumerate(documents) if i % held_out_every != last)
    held_out = tuple(d for i, d in enumerate(documents) if i % held_out_every == last)
    return (train, held_out) if held_out else (documents[:-1], documents[-1:])


def _registry() -> dict[str, dict[str, Any]]:
    return tomllib.loads((files(_HOME) / "corpora.toml").read_text(encoding="utf-8"))


def _read_embedded(name: str, entry: dict[str, Any]) -> Corpus:
    packed = (files(_HOME) / entry["file"]).read_bytes()
    text = lzma.decompress(packed, format=lzma.FORMAT_XZ)
    digest = hashlib.sha256(text).hexdigest()
    if digest != entry["sha256"]:
        raise InputError(
            f"corpus {name}: sha256 is {digest}, expected {entry['sha256']}; reinstall isoflop"
        )
    documents = tuple(text.split(SEPARATOR))
    return Corpus(name, documents, digest, entry["licence"], entry["source"])


def _documents_at(path: Path) -> tuple[bytes, ...]:
    if path.is_dir():
        texts = [_read_text(file) for file in sorted(path.rglob("*.txt"))]
        return tuple(text for text in texts if text)
    text = _read_text(path)
    documents = [part.strip() for part in text.split(b"\n\n\n") if part.strip()]
    return tuple(documents) if len(documents) >= 20 else _blocks(text)


def _blocks(text: bytes, count: int = 100) -> tuple[bytes, ...]:
    """Cut a text without document marks into about `count` blocks at line ends."""
    lines, blocks, size = text.splitlines(keepends=True), [b""], max(1, len(text) // count)
    for line in lines:
        if len(blocks[-1]) >= size:
            blocks.append(b"")
        blocks[-1] += line
    return tuple(block for block in blocks if block.strip())


def _read_text(path: Path) -> bytes:
    try:
        text = path.read_bytes()
        text.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text ({error})") from None
    return text.replace(b"\r\n", b"\n").replace(SEPARATOR, b"").strip()
