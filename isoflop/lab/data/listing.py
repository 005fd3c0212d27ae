"""The registered corpora with what is known of them, and one of them in full."""

from typing import Any

from isoflop.lab.data.cache import corpus_folder
from isoflop.lab.data.card import read_card
from isoflop.lab.data.catalog import find_source, source_names
from isoflop.lab.data.corpora import read_corpus, split_documents
from isoflop.lab.data.definition import definition_of, licences_of, moving_parts, parts_of
from isoflop.lab.data.documents import total_bytes
from isoflop.lab.data.embedded import embedded, embedded_names
from isoflop.lab.data.overlap import check_overlap, measure_overlap
from isoflop.runs.finding import Finding

EMBEDDED, HERE, OLD, AWAY = "embedded", "here", "outdated", "to get"
UNPINNED = "unpinned"
"""To get, but neither its packages nor its text have a hash that isoflop knows."""


def list_corpora() -> list[dict[str, Any]]:
    """Return one row per registered corpus: name, title, state, documents, bytes, licence, ….

    `state` is `embedded`, `here`, `outdated` (here, but made from other packages than isoflop
    now names), `to get`, or `unpinned` (to get with --unpinned only: no hash is known).
    """
    return [_row(name) for name in (*embedded_names(), *source_names())]


def show_corpus(name: str, *, held_out_every: int | None = None) -> dict[str, Any]:
    """Return all that is known of a corpus, as `isoflop corpus show` prints it.

    Args:
        name: registered name, or path of a text file, archive or folder.
        held_out_every: measure what these held-out documents share with the others; None does
            not.

    Raises:
        UnknownNameError: no such corpus.
        InputError: unreadable, or to be measured but not on this machine.
    """
    return describe_corpus(name, held_out_every=held_out_every)[0]


def describe_corpus(
    name: str, *, held_out_every: int | None = None
) -> tuple[dict[str, Any], list[Finding]]:
    """Return what `show_corpus` returns and the findings on the overlap."""
    registered = name in embedded_names() or name in source_names()
    document = _row(name) if registered else _own(name)
    document["packages"] = _packages(name) if name in source_names() else []
    if held_out_every is None:
        return document, []
    train, held_out = split_documents(read_corpus(name).documents, held_out_every)
    overlap = measure_overlap(train, held_out)
    findings = check_overlap(overlap)
    document |= {"overlap": overlap.to_dict(), "findings": [each.to_dict() for each in findings]}
    return document, findings


def _row(name: str) -> dict[str, Any]:
    if name in embedded_names():
        entry = embedded()[name]
        kept = {key: entry[key] for key in ("title", "documents", "bytes", "sha256", "licence")}
        return {"name": name, "state": EMBEDDED, **kept, "pinned": True, "folder": None, "note": ""}
    source, card = find_source(name), read_card(name)
    row = {
        "name": name,
        "state": AWAY if source.sha256 or not moving_parts(source) else UNPINNED,
        "title": source.title,
        "documents": source.documents,
        "bytes": source.bytes,
        "sha256": source.sha256,
        "licence": licences_of(source),
        "pinned": bool(source.sha256),
        "folder": str(corpus_folder(name)),
        "note": source.note,
    }
    if card is None:
        return row
    state = HERE if card["definition"] == definition_of(source) else OLD
    kept = {key: card[key] for key in ("documents", "bytes", "sha256")}
    return {**row, **kept, "state": state, "pinned": bool(card.get("pinned"))}


def _own(name: str) -> dict[str, Any]:
    """Describe a user's file, archive, folder, or corpus got from a file of the user's."""
    corpus = read_corpus(name)
    return {
        "name": name,
        "state": HERE,
        "title": corpus.source,
        "documents": len(corpus.documents),
        "bytes": total_bytes(corpus.documents),
        "sha256": corpus.sha256,
        "licence": corpus.licence,
        "pinned": False,
        "folder": None,
        "note": "",
    }


def _packages(name: str) -> list[dict[str, Any]]:
    card = read_card(name)
    if card is not None:
        return list(card["packages"])
    return [
        {"corpus": corpus, "package": str(part), "licence": part.licence, "sha256": part.sha256}
        for corpus, part in parts_of(find_source(name))
    ]
