"""Corpora: embedded, got by `isoflop corpus get`, or a file, archive or folder of the user's."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.lab.data.archives import read_members
from isoflop.lab.data.cache import corpus_folder
from isoflop.lab.data.card import read_card
from isoflop.lab.data.catalog import NAME, source_names
from isoflop.lab.data.documents import Chosen, DocumentFile
from isoflop.lab.data.embedded import embedded, embedded_names, unpack_embedded
from isoflop.lab.data.unpack import unpack_bytes
from isoflop.runs.counted import counted

SEPARATOR = b"\x00"
"""Joins documents; also the byte tokenizer's end-of-document token."""

_ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2")
_PACKED = (".gz", ".xz", ".bz2")


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
    documents: Sequence[bytes]
    sha256: str
    licence: str
    source: str


def corpus_names() -> tuple[str, ...]:
    """Return the names of all registered corpora, embedded ones first.

    >>> corpus_names()[0]
    'sotu'
    """
    return (*embedded_names(), *source_names())


def read_corpus(name: str) -> Corpus:
    """Read a corpus by its registered name, or the text of a file, archive or folder.

    A user's file is split into documents at blank lines repeated (two or more empty lines), or
    taken in blocks of lines where there are none, so that some of them can be held out. Of an
    archive or a folder, every `*.txt` is a document.

    Args:
        name: registered name or path.

    Raises:
        UnknownNameError: neither a registered name nor an existing path.
        InputError: too little text, an archive or link that is refused, a corpus not yet got, or
            an embedded one whose hash does not match.
    """
    if name in embedded_names():
        return _read_embedded(name)
    if name in source_names() or _is_got(name):
        return _read_got(name)
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


def _is_got(name: str) -> bool:
    """Tell whether a name that is not registered is a corpus got from a file of the user's."""
    return bool(NAME.fullmatch(name)) and read_card(name) is not None


def split_documents(
    documents: Sequence[bytes], held_out_every: int
) -> tuple[Sequence[bytes], Sequence[bytes]]:
    """Hold out every k-th document; those of a large corpus are not copied.

    >>> split_documents((b"a", b"b", b"c", b"d"), 2)
    ((b'a', b'c'), (b'b', b'd'))
    """
    if isinstance(documents, DocumentFile):
        return _split_file(documents, held_out_every)
    last = held_out_every - 1
    train = tuple(d for i, d in enumerate(documents) if i % held_out_every != last)
    held_out = tuple(d for i, d in enumerate(documents) if i % held_out_every == last)
    return (train, held_out) if held_out else (documents[:-1], documents[-1:])


def _split_file(documents: DocumentFile, held_out_every: int) -> tuple[Chosen, Chosen]:
    numbers = np.arange(len(documents))
    out = numbers % held_out_every == held_out_every - 1
    if not out.any():
        out[-1] = True
    return Chosen(documents, numbers[~out]), Chosen(documents, numbers[out])


def _read_embedded(name: str) -> Corpus:
    entry, text = embedded()[name], unpack_embedded(name)
    documents = tuple(text.split(SEPARATOR))
    return Corpus(name, documents, entry["sha256"], entry["licence"], entry["source"])


def _read_got(name: str) -> Corpus:
    card = read_card(name)
    if card is None:
        raise InputError(
            f"corpus {name} is not on this machine; fetch it first: isoflop corpus get {name}"
        )
    documents = DocumentFile(corpus_folder(name), name)
    if len(documents) < 2 or len(documents) != card["documents"]:
        raise InputError(
            f"corpus {name}: found {counted(len(documents), 'document')}, expected "
            f"{card['documents']}; get it again: isoflop corpus get {name} --again"
        )
    source = "; ".join(f"{row['package']} (sha256 {row['sha256']})" for row in card["packages"])
    return Corpus(name, documents, card["sha256"], card["licence"], source)


def _documents_at(path: Path) -> tuple[bytes, ...]:
    if path.is_dir():
        texts = [_read_text(_inside(file, path)) for file in sorted(path.rglob("*.txt"))]
        return tuple(text for text in texts if text)
    if path.name.endswith(_ARCHIVES):
        found = read_members(path, lambda name: name.endswith(".txt"))
        texts = [_clean(each.content, f"{path}: {each.path}") for each in found]
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


def _inside(file: Path, folder: Path) -> Path:
    """Refuse a link that leads out of the folder: the corpus would be more than what is in it."""
    if file.is_symlink() and not file.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{file}: a link that leads out of {folder}; copy the file instead")
    return file


def _read_text(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text ({error})") from None
    if path.name.endswith(_PACKED):
        content = unpack_bytes(content, str(path))
    return _clean(content, str(path))


def _clean(content: bytes, where: str) -> bytes:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: cannot be read as UTF-8 text ({error})") from None
    return content.replace(b"\r\n", b"\n").replace(SEPARATOR, b"").strip()
