"""The registry of public run tables: one TOML file a table, no data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from importlib.resources import files
from pathlib import PurePosixPath

from isoflop.base import strict_toml
from isoflop.base.errors import SpecError, UnknownNameError

HOST = "https://raw.githubusercontent.com"
"""Serves a file of a repository at a commit."""


@dataclass(frozen=True)
class PublishedTable:
    """A public run table and where it lies.

    Args:
        name: of the table here.
        title: what it holds, in one line.
        repository: owner/name of its source on GitHub.
        commit: of the source, 40 hexadecimal digits; "" where not recorded.
        path: file or folder within the repository.
        local: path of the table within the folder that ISOFLOP_DATA names.
        sha256: of the table's bytes.
        licence: as the source states it.
        citation: whom to cite.
        rows: rows of the table.
        columns: {run-table column: column in the file}.
        constant: {run-table column: text that holds for every row}.
        made: how the table came from the source; "" where it is the very file.
        note: what to know before a fit.
        host: of the very file.
    """

    name: str
    title: str
    repository: str
    commit: str
    path: str
    local: str
    sha256: str
    licence: str
    citation: str
    rows: int
    columns: Mapping[str, str]
    constant: Mapping[str, str] = field(default_factory=dict)
    made: str = ""
    note: str = ""
    host: str = HOST

    @property
    def source(self) -> str:
        """The repository's address."""
        return f"https://github.com/{self.repository}"

    @property
    def address(self) -> str:
        """Where the very file is served; "" for a table that was made from its source."""
        parts = (self.host, self.repository, self.commit, self.path)
        return "" if self.made else "/".join(parts)

    @property
    def file_name(self) -> str:
        """Name of the file, without folders."""
        return PurePosixPath(self.local).name

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        record = {**asdict(self), "source": self.source, "address": self.address}
        del record["host"]
        return record


def published_table_names() -> list[str]:
    """Return the names of the registered tables, sorted.

    >>> "besiroglu-2024-points" in published_table_names()
    True
    """
    entries = files("isoflop.exchange.published").joinpath("tables").iterdir()
    return sorted(
        entry.name.removesuffix(".toml") for entry in entries if entry.name.endswith(".toml")
    )


def find_published_table(name: str) -> PublishedTable:
    """Look up a public run table.

    Raises:
        UnknownNameError: none of that name; suggests the nearest.

    >>> find_published_table("besiroglu-2024-points").columns["n_params"]
    'Model Size'
    """
    known = published_table_names()
    if name not in known:
        raise UnknownNameError("published run table", name, known)
    entry = files("isoflop.exchange.published").joinpath("tables", f"{name}.toml")
    return parse_published_table(name, entry.read_text(encoding="utf-8"))


def parse_published_table(name: str, text: str) -> PublishedTable:
    """Read one entry of the registry.

    Raises:
        SpecError: not TOML, an unknown key, or one that is absent.
    """
    try:
        record = strict_toml.loads(text, source=f"{name}.toml")
        unknown = sorted(set(record) - {one.name for one in fields(PublishedTable)})
        if unknown:
            raise SpecError(f"{name}.toml: unknown key {unknown[0]!r}")
        return PublishedTable(name=name, **record)
    except TypeError as error:
        raise SpecError(f"{name}.toml: not an entry of the registry ({error})") from None
