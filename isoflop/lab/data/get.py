"""Get a corpus: fetch its packages, read their documents, hold the result against its hash."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from isoflop.base import strict_json
from isoflop.base.atomic import write_atomic
from isoflop.base.errors import InputError
from isoflop.lab.data.archives import matches, read_members
from isoflop.lab.data.cache import archive_folder, corpus_folder
from isoflop.lab.data.card import CARD_FILE, Got, as_got, read_card
from isoflop.lab.data.catalog import Part, Source, find_source
from isoflop.lab.data.collect import Collector
from isoflop.lab.data.definition import (
    definition_of,
    included_names,
    licences_of,
    moving_parts,
    parts_of,
)
from isoflop.lab.data.embedded import embedded, embedded_names, unpack_embedded
from isoflop.lab.data.fetch import archive_hash, fetch_archive
from isoflop.lab.data.hub import require_datasets
from isoflop.lab.data.position import Position
from isoflop.lab.data.readers import read_documents
from isoflop.lab.data.stream_rows import add_rows
from isoflop.lab.data.unpack import unpack_bytes
from isoflop.store.document import FORMAT
from isoflop.store.leases.lock import exclusive

Tell = Callable[[str], None]

_PACKED = (".gz", ".dz", ".xz", ".bz2")
_ROOM = 1.2
"""Free disk wanted, as a multiple of the corpus."""


def get_corpus(
    name: str,
    *,
    pinned: bool = True,
    again: bool = False,
    keep_archives: bool = False,
    tell: Tell = lambda line: None,
) -> Got:
    """Make a corpus on this machine; one that is there already is not fetched again.

    Args:
        name: a registered corpus, or a `.toml` file that describes one.
        pinned: insist on the versions and hashes written in isoflop; else take what the package
            managers offer and record its hash.
        again: make it anew although it is there.
        keep_archives: keep the packages after the corpus is made.
        tell: told what is being done, one line at a time.

    Returns:
        Where it is and what it is.

    Raises:
        UnknownNameError: no such corpus.
        InputError: a package cannot be had, is not the pinned one, or holds what is refused; or
            the text is not the pinned one. No half corpus is left under its name.
        IsoflopError: another process is making it.
    """
    if name in embedded_names():
        raise InputError(f"corpus {name} is inside the package: there is nothing to get")
    source = find_source(name)
    if source.name in embedded_names():
        raise InputError(f"{name}: {source.name} is the name of an embedded corpus; rename it")
    if pinned:
        _refuse_moving(source)
    folder = corpus_folder(source.name)
    with exclusive(folder.with_name(f".{source.name}.lock"), f"corpus {source.name}"):
        known = read_card(source.name) if not again else None
        if known is not None and _serves(known, source, pinned):
            return as_got(known, fresh=False)
        return as_got(_make(source, folder, pinned, keep_archives, tell), fresh=True)


def _refuse_moving(source: Source) -> None:
    """Refuse to call a text pinned that may be another tomorrow."""
    moving = moving_parts(source)
    if moving and not source.sha256:
        names = ", ".join(str(part) for part in moving)
        raise InputError(
            f"corpus {source.name} is not pinned: {names} names no commit and its text has no "
            f"hash; --unpinned takes what is offered and records its hash, or write a .toml with "
            "the commit for a version (docs/corpora.md)"
        )


def _serves(card: dict[str, Any], source: Source, pinned: bool) -> bool:
    """Tell whether what is here is what is asked for."""
    exact = bool(card.get("pinned")) or not (pinned and source.sha256)
    return exact and card["definition"] == definition_of(source)


def _make(
    source: Source, folder: Path, pinned: bool, keep_archives: bool, tell: Tell
) -> dict[str, Any]:
    """Make the corpus beside its place, then put it there."""
    begun = time.monotonic()
    _check_means(source, folder.parent)
    partial = folder.with_name(f".{source.name}.partial")
    position = Position(partial, definition_of(source))
    collector = _start(source, partial, position)
    archives: list[Path] = []
    try:
        rows = list(_add_all(source, collector, position, pinned, archives, tell))
        card = _card(source, collector, rows, pinned)
    except BaseException:
        collector.close()
        if not position.saved():
            shutil.rmtree(partial, ignore_errors=True)
        raise
    card["seconds"] = round(time.monotonic() - begun, 1)
    position.forget()
    write_atomic(partial / CARD_FILE, strict_json.dumps(card, indent=1) + "\n")
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(partial, folder)
    for archive in archives if not keep_archives else []:
        shutil.rmtree(archive.parent, ignore_errors=True)
    return card


def _start(source: Source, partial: Path, position: Position) -> Collector:
    """Go on with a stream that was broken off, if that is all the corpus is; else begin anew."""
    if source.repeated_lines == "keep" and position.saved():
        return Collector(partial, drop_lines=False, resume_bytes=position.bytes)
    shutil.rmtree(partial, ignore_errors=True)
    return Collector(partial, drop_lines=source.repeated_lines == "drop")


def _check_means(source: Source, parent: Path) -> None:
    """Refuse before anything is fetched: no room, or no library to stream with."""
    parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(parent).free
    if free < _ROOM * source.bytes:
        raise InputError(
            f"corpus {source.name} has {source.bytes:,} bytes, {parent} has {free:,} free; make "
            "room, or set ISOFLOP_CACHE to another disk"
        )
    if any(part.backend == "hf" for _, part in parts_of(source)):
        require_datasets()


def _add_all(
    source: Source,
    collector: Collector,
    position: Position,
    pinned: bool,
    archives: list[Path],
    tell: Tell,
) -> Iterator[dict[str, Any]]:
    """Add every document; yield one row per package for the card."""
    for name in included_names(source):
        if name in embedded_names():
            yield _add_embedded(name, collector)
    parts = parts_of(source)
    alone = len(parts) == 1 and not source.includes and source.repeated_lines == "keep"
    for name, part in parts:
        tell(f"{name}: {part} (licence: {part.licence})")
        before = (collector.n_documents, collector.n_bytes)
        row = {"corpus": name, "package": str(part), "licence": part.licence}
        if part.backend == "hf":
            add_rows(part, collector, position if alone else None)
        else:
            archive = fetch_archive(part, archive_folder(), pinned=pinned)
            archives.append(archive)
            for text in part_documents(part, archive):
                collector.add(text, least_bytes=part.least_bytes)
            row |= {"archive": archive.name, "sha256": archive_hash(archive)}
        yield {**row, **_growth(part, collector, before)}


def _add_embedded(name: str, collector: Collector) -> dict[str, Any]:
    before = (collector.n_documents, collector.n_bytes)
    for text in unpack_embedded(name).split(b"\x00"):
        collector.add(text)
    entry = embedded()[name]
    row = {"corpus": name, "package": "embedded in isoflop", "licence": entry["licence"]}
    return {**row, "sha256": entry["sha256"], **_growth(name, collector, before)}


def part_documents(part: Part, archive: Path) -> Iterator[bytes]:
    """Yield the documents of a fetched package, in the archive's order.

    Raises:
        InputError: the archive is damaged or refused, or a member is not what its reader expects.
    """
    members = read_members(
        archive,
        lambda path: matches(path, part.files) and not matches(path, part.without),
        inner=part.inner,
        links="skip",  # distributions link their own files; what is linked is read where it is
    )
    for member in members:
        content = member.content
        if member.path.endswith(_PACKED):
            content = unpack_bytes(content, member.path)
        if 0 < part.most_file_bytes < len(content):
            continue
        yield from read_documents(
            content,
            f"{archive.name}: {member.path}",
            reader=part.reader,
            key=part.key,
            on_bad_bytes=part.on_bad_bytes,
        )


def _growth(what: object, collector: Collector, before: tuple[int, int]) -> dict[str, int]:
    """Return what a package added; refuse one that added nothing."""
    added = {
        "documents": collector.n_documents - before[0],
        "bytes": collector.n_bytes - before[1],
    }
    if not added["documents"]:
        raise InputError(f"{what}: no text found in it; check `files`, `reader` and `key`")
    return added


def _card(
    source: Source, collector: Collector, rows: list[dict[str, Any]], pinned: bool
) -> dict[str, Any]:
    digest = collector.finish()
    if pinned and source.sha256 and digest != source.sha256:
        raise InputError(
            f"corpus {source.name}: sha256 of the text is {digest}, expected {source.sha256}; "
            "nothing was kept; this is another text than the one isoflop names (--unpinned takes "
            "it as it is)"
        )
    return {
        "format": FORMAT,
        "name": source.name,
        "title": source.title,
        "definition": definition_of(source),
        "documents": collector.n_documents,
        "bytes": collector.n_bytes,
        "sha256": digest,
        "licence": licences_of(source),
        "pinned": bool(pinned and source.sha256),
        "dropped_documents": collector.dropped_documents,
        "dropped_lines": collector.dropped_lines,
        "packages": rows,
    }
