"""`corpus.json`: what a corpus on this machine is and what it was made from."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from isoflop.lab.data.cache import corpus_folder
from isoflop.store.document import Kinds, read_document

CARD_FILE = "corpus.json"

_NEEDED: Kinds = {
    "format": int,
    "name": str,
    "definition": str,
    "documents": int,
    "bytes": int,
    "sha256": str,
    "licence": str,
    "packages": list,
}


@dataclass(frozen=True)
class Got:
    """A corpus on this machine.

    Args:
        name: what ladders call it.
        folder: where it is.
        documents: how many.
        bytes: their length together.
        sha256: of the documents joined by NUL, hexadecimal.
        licence: terms of the text.
        pinned: whether packages and text are those that isoflop names.
        seconds: time it took to fetch and make, wall-clock.
        fresh: whether it was made now, rather than found.
    """

    name: str
    folder: Path
    documents: int
    bytes: int
    sha256: str
    licence: str
    pinned: bool
    seconds: float
    fresh: bool

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {**asdict(self), "folder": str(self.folder)}


def read_card(name: str) -> dict[str, Any] | None:
    """Return `corpus.json` of a corpus on this machine, None if it is not here.

    Raises:
        InputError: the file is damaged.
    """
    path = corpus_folder(name) / CARD_FILE
    if not path.exists():
        return None
    return read_document(path, _NEEDED, f"get it again: isoflop corpus get {name} --again")


def as_got(card: dict[str, Any], *, fresh: bool) -> Got:
    """Return the card's content as `Got`."""
    names = ("name", "documents", "bytes", "sha256", "licence")
    pinned, seconds = bool(card.get("pinned")), float(card.get("seconds", 0.0))
    kept = {name: card[name] for name in names}
    folder = corpus_folder(card["name"])
    return Got(folder=folder, pinned=pinned, seconds=seconds, fresh=fresh, **kept)
