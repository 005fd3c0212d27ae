"""What a corpus is made from, all the corpora it includes taken in, and its identity."""

import hashlib
import re
from dataclasses import asdict

from isoflop.base import strict_json
from isoflop.base.errors import SpecError
from isoflop.lab.data.catalog import Part, Source, find_source
from isoflop.lab.data.embedded import embedded_names

_COMMIT = re.compile(r"[0-9a-f]{6,40}")
"""Revision of a dataset that is no branch or tag."""


def included_names(source: Source, path: tuple[str, ...] = ()) -> list[str]:
    """Return the corpora whose documents come before the source's own, in order.

    Raises:
        SpecError: a corpus includes itself.
        UnknownNameError: no such corpus.
    """
    path = (*path, source.name)
    names: list[str] = []
    for name in source.includes:
        if name in path:
            raise SpecError(f"corpus {name} includes itself: {' > '.join((*path, name))}")
        if name not in embedded_names():
            names += included_names(find_source(name), path)
        names.append(name)
    return names


def parts_of(source: Source) -> list[tuple[str, Part]]:
    """Return (corpus, part) of all packages, in the order of the documents."""
    found = []
    for name in included_names(source):
        if name not in embedded_names():
            found += [(name, part) for part in find_source(name).parts]
    return found + [(source.name, part) for part in source.parts]


def moving_parts(source: Source) -> list[Part]:
    """Return the packages that may be another text tomorrow: no hash, and a branch for a version.

    >>> [part.package for part in moving_parts(find_source("fineweb"))]
    ['HuggingFaceFW/fineweb']
    """
    return [
        part
        for _, part in parts_of(source)
        if part.backend == "hf" and not _COMMIT.fullmatch(part.version)
    ]


def licences_of(source: Source) -> str:
    """Return the licences of all parts, each once.

    >>> licences_of(find_source("anarchism")).startswith("GPL-2")
    True
    """
    own = [part.licence for _, part in parts_of(source)]
    if set(included_names(source)) & set(embedded_names()):
        own.insert(0, "public domain")
    return "; ".join(dict.fromkeys(own))


def definition_of(source: Source) -> str:
    """Return the identity of what a corpus is made from: SHA-256, hexadecimal.

    What is said about the licence is no part of it.
    """
    parts = [{**asdict(part), "licence": ""} for _, part in parts_of(source)]
    embedded = [name for name in included_names(source) if name in embedded_names()]
    text = strict_json.dumps([parts, embedded, source.repeated_lines])
    return hashlib.sha256(text.encode()).hexdigest()
