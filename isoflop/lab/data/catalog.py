"""Corpora that can be got: one TOML file each, in `sources/` or of the user's own."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from isoflop.base import strict_toml
from isoflop.base.errors import InputError, SpecError, UnknownNameError, did_you_mean
from isoflop.lab.data.readers import READERS

BACKENDS = ("apt", "npm", "pip", "hf")
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")

_PACKAGE: Mapping[str, re.Pattern[str]] = {
    "apt": re.compile(r"[a-z0-9][a-z0-9+.-]*"),
    "npm": re.compile(r"(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*"),
    "pip": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*"),
    "hf": re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?"),
}
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+~:_!-]*")
"""Neither may begin with a dash, or a package manager would take it for an option."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Part:
    """One package a corpus is made from, and what is read of it.

    Args:
        backend: `apt`, `npm`, `pip` or `hf`.
        package: its name there.
        version: exact version; for `hf` the revision.
        licence: terms of the text.
        sha256: of the archive; empty where none is pinned (`hf`).
        files: shell patterns of the members to read, `*` crosses folders.
        without: patterns of members to leave out.
        inner: packed tar inside the archive that is read in its place.
        reader: how a member becomes documents, see `READERS`.
        key: for `json` readers: the key whose strings are the text; for `hf` the field.
        on_bad_bytes: what to do where a file is not UTF-8: `refuse` or `drop` those bytes.
        most_file_bytes: larger members are left out; 0 for no bound.
        least_bytes: shorter documents are left out.
        config: for `hf`: configuration of the dataset.
        split: for `hf`: split of the dataset.
        most_bytes: for `hf`: text to stream before stopping, bytes.
    """

    backend: str
    package: str
    version: str
    licence: str
    sha256: str = ""
    files: tuple[str, ...] = ("*.txt",)
    without: tuple[str, ...] = ()
    inner: str = ""
    reader: str = "text"
    key: str = "text"
    on_bad_bytes: str = "refuse"
    most_file_bytes: int = 0
    least_bytes: int = 1
    config: str = ""
    split: str = "train"
    most_bytes: int = 100_000_000

    def __str__(self) -> str:
        mark = "==" if self.backend == "pip" else "@"
        return f"{self.backend} {self.package}{mark}{self.version}"


@dataclass(frozen=True)
class Source:
    """A corpus that can be got.

    Args:
        name: what ladders call it.
        title: one line.
        parts: packages it is made from, in the order of its documents.
        includes: other corpora whose documents come first.
        repeated_lines: `keep`, or `drop` lines of 30 bytes or more seen before in the corpus.
        sha256: of its documents joined by NUL; empty where not pinned.
        documents: how many it has, 0 where not pinned.
        bytes: their length together, 0 where not pinned.
        note: what a user should know.
    """

    name: str
    title: str
    parts: tuple[Part, ...] = ()
    includes: tuple[str, ...] = ()
    repeated_lines: str = "keep"
    sha256: str = ""
    documents: int = 0
    bytes: int = 0
    note: str = ""


def source_names() -> tuple[str, ...]:
    """Return the names of the corpora that can be got.

    >>> "english" in source_names(), "linux-c" in source_names()
    (True, True)
    """
    return tuple(sorted(_shipped()))


def find_source(name: str) -> Source:
    """Return a registered corpus, or the one a `.toml` file of the user describes.

    Raises:
        UnknownNameError: neither.
        SpecError: mistakes in the file, all listed.

    >>> find_source("linux-c").parts[0].package
    'linux-source-6.1'
    """
    if name.endswith(".toml"):
        path = Path(name)
        try:
            return parse_source(path.stem, path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{name}: cannot be read as a corpus file ({error})") from None
    found = _shipped().get(name)
    if found is None:
        raise UnknownNameError("corpus", name, source_names())
    return found


def parse_source(name: str, text: str, origin: str) -> Source:
    """Read one corpus file; see docs/corpora.md.

    Args:
        name: of the corpus, the file's name without `.toml`.
        text: TOML.
        origin: used in errors.

    Raises:
        SpecError: not TOML, or mistakes, all listed.
    """
    document = strict_toml.loads(text, source=origin)
    tables = document.pop("parts", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise SpecError(f"{origin}: parts: expected tables [[parts]]")
    found = _form_mistakes(document, Source, "") if "name" not in document else ["unknown key name"]
    if not found:
        found = _head_mistakes(Source(name=name, **_tuples(document)), n_parts=len(tables))
    parts: list[Part] = []
    for index, table in enumerate(tables):
        wrong = _form_mistakes(table, Part, "")
        if not wrong:
            parts.append(Part(**_tuples(table)))
            wrong = _part_mistakes(parts[-1])
        found += [f"parts[{index}].{mistake}" for mistake in wrong]
    if found:
        raise SpecError(origin, found)
    return Source(name=name, parts=tuple(parts), **_tuples(document))


def _head_mistakes(source: Source, n_parts: int) -> list[str]:
    found = []
    if not NAME.fullmatch(source.name):
        found.append(f"name is {source.name!r}, expected 1 to 40 of a-z 0-9 . _ -")
    if not n_parts and not source.includes:
        found.append("expected [[parts]] or includes, found neither")
    if source.repeated_lines not in ("keep", "drop"):
        found.append(f"repeated_lines is {source.repeated_lines!r}, expected keep or drop")
    return found


def _part_mistakes(part: Part) -> list[str]:
    found = []
    if part.backend not in BACKENDS:
        return [f"backend is {part.backend!r}, expected one of {', '.join(BACKENDS)}"]
    if not _PACKAGE[part.backend].fullmatch(part.package):
        found.append(f"package is {part.package!r}, which is no name of {part.backend}")
    if not _VERSION.fullmatch(part.version):
        found.append(f"version is {part.version!r}, expected an exact version")
    if part.sha256 and not _SHA256.fullmatch(part.sha256):
        found.append("sha256 is not 64 hexadecimal digits")
    if part.reader not in READERS:
        found.append(f"reader is {part.reader!r}, expected one of {', '.join(READERS)}")
    if part.on_bad_bytes not in ("refuse", "drop"):
        found.append(f"on_bad_bytes is {part.on_bad_bytes!r}, expected refuse or drop")
    return found


def _form_mistakes(table: Mapping[str, Any], kind: type, path: str) -> list[str]:
    """Name unknown, missing and mistyped keys."""
    known = {field.name: field for field in fields(kind) if field.name not in ("name", "parts")}
    found = [f"{path}{key}: unknown key{did_you_mean(key, known)}" for key in table.keys() - known]
    for name, field in known.items():
        if name not in table:
            if field.default is MISSING:
                found.append(f"{path}{name}: required, absent")
            continue
        value, expected = table[name], _KINDS[field.type]
        whole = isinstance(value, expected) and not isinstance(value, bool)
        if not whole or (isinstance(value, list) and not all(type(v) is str for v in value)):
            found.append(f"{path}{name}: found {value!r:.40}, expected {_WORDS[expected]}")
    return sorted(found)


_KINDS: Mapping[Any, type] = {tuple[str, ...]: list, int: int, str: str}
_WORDS = {list: "a list of texts", int: "a whole number", str: "a text"}


def _tuples(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in table.items()}


@cache
def _shipped() -> Mapping[str, Source]:
    folder = files("isoflop.lab.data") / "sources"
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".toml"))
    texts = {name.removesuffix(".toml"): (folder / name).read_text("utf-8") for name in names}
    return {name: parse_source(name, text, f"{name}.toml") for name, text in texts.items()}
