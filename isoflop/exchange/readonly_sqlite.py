"""SQLite databases of other tools, read-only, with a bound on the work a damaged one can cause."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from isoflop.base.errors import InputError
from isoflop.exchange.bounded import MAX_BYTES

MAGIC = b"SQLite format 3\0"
_OPCODES = 100_000
"""Instructions of SQLite's machine between two looks at the bound."""


class Database:
    """An open database: tables only, no views, whose definitions could run for ever."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection, self._path = connection, path
        rows = self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
        self.tables = {str(name) for (name,) in rows}

    def columns(self, table: str) -> set[str]:
        """Return the names of a table's columns."""
        return {str(row[1]) for row in self.rows(f'PRAGMA table_info("{table}")')}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Run one query.

        Raises:
            InputError: damaged, or more work than the file's size warrants.
        """
        try:
            return self._connection.execute(query).fetchall()
        except (sqlite3.Error, OverflowError, MemoryError, UnicodeError) as error:
            raise InputError(f"{self._path}: not readable as SQLite ({error})") from None


@contextmanager
def open_readonly(path: Path) -> Iterator[Database]:
    """Open a database that nobody can thereby change.

    Raises:
        InputError: not a regular file, too large, or no SQLite database.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise InputError(f"{path}: {size} bytes, more than the {MAX_BYTES} read")
    # Without a log beside it nothing is being written: immutable asks for no lock file.
    log = Path(f"{path}-wal")
    mode = "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"
    connection = _connect(f"file:{quote(str(path.resolve()))}?{mode}", path)
    left = 200 + size // 500

    def exhausted() -> int:
        nonlocal left
        left -= 1
        return int(left < 0)

    try:
        connection.text_factory = _text
        connection.set_progress_handler(exhausted, _OPCODES)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        yield Database(connection, path)
    except sqlite3.Error as error:
        raise InputError(f"{path}: not readable as SQLite ({error})") from None
    finally:
        connection.close()


def _connect(uri: str, path: Path) -> sqlite3.Connection:
    try:
        return sqlite3.connect(uri, uri=True, timeout=1)
    except sqlite3.Error as error:
        raise InputError(f"{path}: not readable as SQLite ({error})") from None


def _text(content: bytes) -> str:
    return content.decode("utf-8", errors="replace")
