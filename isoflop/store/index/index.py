"""An SQLite index of a study's runs: quick to list, deletable, rebuilt equal from the folders.

Never the system of record. `isoflop ladder list` makes one of every study it lists, of any size;
what else reads runs does from `INDEX_FROM` of them. Every read compares each run.json's time, size
and inode with what the index saw and reads again what differs. An index that is damaged (not
SQLite, rows missing, a row that is not the one its CRC-32 was taken of), of another version or of
another ladder is thrown away and rebuilt; where it cannot be written (read-only folder, full disk,
locked) or must not be (an archive) the same rows are gathered in memory.

`document` is run.json, or of a run that is not over what the ladder plans; `listed` its `LISTED`
values; `place` its rank in the ladder.
"""

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from isoflop.base import strict_json
from isoflop.store.index.run_files import read_run, run_names, run_signatures
from isoflop.store.layout import is_archive

NAME = "index.sqlite"
VERSION = 1
INDEX_FROM = 500
"""Runs from which the index pays where the ladder is read anyway, as for a status or a run table:
the folders of fewer are read in some hundredths of a second. A listing does not read the ladder."""

LISTED = ("run", "status", "rung", "seed", "lr", "family", "n_params", "n_tokens", "flops", "loss")
"""What a listing shows; `status` is null while a run is not over."""

Plan: TypeAlias = Callable[[], Iterable[Mapping[str, Any]]]
"""A row for every run of the ladder, in its order; asked only when the index is (re)built."""

_Answer = TypeVar("_Answer")

_SCHEMA = (
    "DROP TABLE IF EXISTS runs",
    "DROP TABLE IF EXISTS documents",
    "DROP TABLE IF EXISTS made_from",
    "CREATE TABLE runs (run TEXT PRIMARY KEY, place INTEGER, signature TEXT, listed TEXT, "
    "crc INTEGER)",
    # Apart from the listing: read through, the long rows would cost a page each.
    "CREATE TABLE documents (run TEXT PRIMARY KEY, place INTEGER, document TEXT, crc INTEGER)",
    "CREATE TABLE made_from (ladder_sha256 TEXT, n_runs INTEGER)",
)
_NOT_WRITABLE = {
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM,
}  # fmt: skip
_PATIENCE_SECONDS = 2.0


def read_listed(folder: Path, plan: Plan | None) -> list[list[Any]]:
    """Return the `LISTED` values of every run, in the ladder's order or by name.

    Args:
        folder: the study.
        plan: of its ladder; None for recorded runs, which no ladder planned.

    Raises:
        InputError: the file of a run is damaged.
    """
    return json.loads(f"[{','.join(_read(folder, plan, _listed))}]")


def read_documents(folder: Path, plan: Plan | None) -> list[dict[str, Any]]:
    """Return run.json of every run that is over, and what is planned of every other.

    The latter have no `status`. Arguments, order and errors as of `read_listed`.
    """
    return json.loads(f"[{','.join(_read(folder, plan, _documents))}]")


def _read(folder: Path, plan: Plan | None, ask: Callable[[sqlite3.Connection], _Answer]) -> _Answer:
    path = folder / NAME
    for _ in range(0 if is_archive(folder) else 2):
        try:
            return _answer(str(path), folder, plan, ask)
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _NOT_WRITABLE or not _remove(path):
                break
    return _answer(":memory:", folder, plan, ask)


def _answer(
    path: str, folder: Path, plan: Plan | None, ask: Callable[[sqlite3.Connection], _Answer]
) -> _Answer:
    # Statements commit themselves; what belongs together stands between BEGIN and COMMIT.
    connection = sqlite3.connect(path, timeout=_PATIENCE_SECONDS, isolation_level=None)
    with closing(connection) as database:
        _refresh(database, folder, plan)
        return ask(database)


def _remove(path: Path) -> bool:
    """Throw a damaged index away; False if that is refused."""
    try:
        for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            name.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _refresh(database: sqlite3.Connection, folder: Path, plan: Plan | None) -> None:
    """Bring the index up to the folders: everything anew, or what has changed."""
    ladder = folder / "ladder.toml"
    origin = hashlib.sha256(ladder.read_bytes()).hexdigest() if plan else ""
    known = _known(database, origin)
    changed: dict[str, str] = {}
    if known is not None:
        changed = _changes(folder, known, on_disk=plan is None)
        # What a vanished run.json leaves is the ladder's plan of it, which only a rebuild asks for.
        if "" in changed.values():
            known = None
    if known is None:
        _rebuild(database, folder, plan, origin)
    elif changed:
        with _transaction(database):
            _write(database, folder, changed)


def _known(database: sqlite3.Connection, origin: str) -> dict[str, str] | None:
    """Return run → signature, None if the index is not of this version and ladder, or not whole."""
    if database.execute("PRAGMA user_version").fetchone()[0] != VERSION:
        return None
    made_from = database.execute("SELECT ladder_sha256, n_runs FROM made_from").fetchall()
    known = dict(database.execute("SELECT run, signature FROM runs"))
    return known if made_from == [(origin, len(known))] else None


def _changes(folder: Path, known: Mapping[str, str], *, on_disk: bool) -> dict[str, str]:
    """Return run → signature of the runs whose files differ from what the index saw."""
    names = {*known, *run_names(folder)} if on_disk else known
    found = run_signatures(folder, names)
    changed = {name: mark for name, mark in found.items() if known.get(name) != mark}
    return {name: mark for name, mark in changed.items() if mark or name in known}


def _rebuild(database: sqlite3.Connection, folder: Path, plan: Plan | None, origin: str) -> None:
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    with _transaction(database):
        for statement in _SCHEMA:
            database.execute(statement)
        database.execute("INSERT INTO made_from VALUES (?, 0)", (origin,))
        rows = enumerate(plan() if plan else ())
        _insert(database, ((row, place, "") for place, row in rows))
        known = dict(database.execute("SELECT run, signature FROM runs"))
        _write(database, folder, _changes(folder, known, on_disk=plan is None))
        database.execute(f"PRAGMA user_version = {VERSION}")


def _write(database: sqlite3.Connection, folder: Path, changed: Mapping[str, str]) -> None:
    """Read the files of some runs into the index."""
    places = dict(database.execute("SELECT run, place FROM runs"))
    _insert(
        database,
        (
            ({**found, "run": name}, places.get(name, 0), mark)
            for name, mark in changed.items()
            if (found := read_run(folder / "runs" / name)) is not None
        ),
    )


def _insert(
    database: sqlite3.Connection, rows: Iterable[tuple[Mapping[str, Any], int, str]]
) -> None:
    """Insert or replace rows of (document, place, signature)."""
    for document, place, signature in rows:
        run, whole = document["run"], strict_json.dumps(document)
        listed = strict_json.dumps([document.get(name) for name in LISTED])
        short = (run, place, signature, listed)
        database.execute("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?)", _sealed(*short))
        full = _sealed(run, place, whole)
        database.execute("INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)", full)
    database.execute("UPDATE made_from SET n_runs = (SELECT count(*) FROM runs)")


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if database.in_transaction:  # a full disk has rolled it back already
            database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _sealed(*values: Any) -> tuple[Any, ...]:
    """Append the CRC of a row's values."""
    return *values, zlib.crc32("\n".join(map(str, values)).encode())


def _listed(database: sqlite3.Connection) -> list[str]:
    return _intact(database, "SELECT run, place, signature, listed, crc FROM runs")


def _documents(database: sqlite3.Connection) -> list[str]:
    return _intact(database, "SELECT run, place, document, crc FROM documents")


def _intact(database: sqlite3.Connection, query: str) -> list[str]:
    """Return the next to last column of every row, whose last is the CRC of the others.

    Raises:
        DatabaseError: a row is damaged, or missing.
    """
    (expected,) = database.execute("SELECT n_runs FROM made_from").fetchone()
    rows = database.execute(f"{query} ORDER BY place, run").fetchall()
    if len(rows) != expected or any(row != _sealed(*row[:-1]) for row in rows):
        raise sqlite3.DatabaseError("damaged rows")
    return [row[-2] for row in rows]
