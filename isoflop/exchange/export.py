"""Write a run table as our own files, as W&B's table of runs, or as a trackio project."""

import csv
import datetime
import io
import sqlite3
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from isoflop.base.atomic import write_atomic
from isoflop.base.errors import InputError, UnknownNameError
from isoflop.base.strict_json import dumps
from isoflop.exchange.delimited import format_csv, neutralise_cell
from isoflop.exchange.jsonl import format_jsonl
from isoflop.exchange.parquet import format_parquet
from isoflop.runs.columns import NUMBER_COLUMNS
from isoflop.runs.table import RunTable

_MEASURED = {
    "loss": "eval/loss",  # a tracker's plain loss is the training loss
    "accuracy": "accuracy",
    "error": "error",
    "n_tokens": "n_tokens",
    "flops": "flops",
}
"""{column: what a tracker calls the metric}; the other columns are configuration."""

_TRACKIO = """
CREATE TABLE metrics (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL,
    timestamp TEXT NOT NULL, run_name TEXT NOT NULL, step INTEGER NOT NULL, metrics TEXT NOT NULL,
    log_id TEXT, space_id TEXT);
CREATE TABLE configs (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL,
    run_name TEXT NOT NULL, config TEXT NOT NULL, created_at TEXT NOT NULL, UNIQUE(run_id));
"""


def format_wandb(table: RunTable) -> str:
    r"""Write W&B's table of runs: Name, State, then a column each.

    >>> table = RunTable.from_records([{"run": "a", "loss": 3.0, "status": "finished"}])
    >>> format_wandb(table)
    'Name,State,eval/loss\r\na,finished,3.0\r\n'
    """
    columns = [name for name in table.columns if name not in ("run", "status")]
    states = table.text("status") if "status" in table else ["finished"] * len(table)
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    headers = [_MEASURED["loss"] if name == "loss" else name for name in columns]
    writer.writerow(["Name", "State", *map(neutralise_cell, headers)])
    for name, state, record in zip(table.names(), states, table.records(), strict=True):
        cells = [_cell(column, record[column]) for column in columns]
        writer.writerow([neutralise_cell(name), neutralise_cell(state or "finished"), *cells])
    return buffer.getvalue()


def format_trackio(table: RunTable) -> bytes:
    """Write a trackio project: one point a run, at its last step, and its configuration.

    The schema is trackio 0.43's; identifiers are made from the names, so the same table gives
    the same bytes.
    """
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(_TRACKIO)
        at = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC).isoformat()
        for k, (name, record) in enumerate(zip(table.names(), table.records(), strict=True)):
            key = uuid.uuid5(uuid.NAMESPACE_OID, f"{k} {name}").hex
            cells = {n: v for n, v in record.items() if v not in (None, "") and n != "run"}
            metrics = {_MEASURED[n]: v for n, v in cells.items() if n in _MEASURED}
            config = {n: v for n, v in cells.items() if n not in _MEASURED}
            step = int(float(cells.get("steps") or 0))
            point = (key, at, name, min(step, 2**62), dumps(metrics))
            database.execute(
                "INSERT INTO metrics (run_id, timestamp, run_name, step, metrics) "
                "VALUES (?, ?, ?, ?, ?)",
                point,
            )
            database.execute(
                "INSERT INTO configs (run_id, run_name, config, created_at) VALUES (?, ?, ?, ?)",
                (key, name, dumps(config), at),
            )
        database.commit()
        return database.serialize()


EXPORTS: Mapping[str, tuple[str, Callable[[RunTable], str | bytes]]] = {
    "csv": (".csv", format_csv),
    "jsonl": (".jsonl", format_jsonl),
    "parquet": (".parquet", format_parquet),
    "wandb": (".wandb.csv", format_wandb),
    "trackio": (".db", format_trackio),
}
"""{format: (ending of its files' names, its writer)}"""


def export_runs(table: RunTable, path: Path | str, *, to: str | None = None) -> Path:
    """Write a run table, whole or not at all.

    Args:
        table: the runs.
        path: the file.
        to: "csv", "jsonl", "parquet", "wandb" or "trackio"; else what the name ends with:
            `.csv`, `.jsonl`, `.parquet`, `.wandb.csv` or `.db`.

    Raises:
        InputError: a name that ends otherwise, or as another format than `to`.
        UnknownNameError: a format nobody knows.
    """
    path = Path(path)
    return write_atomic(path, EXPORTS[require_ending(path, to)][1](table))


def require_ending(path: Path, to: str | None) -> str:
    """Return the format that a file is written in.

    Args:
        path: the file.
        to: the format asked for, None to go by the name.

    Raises:
        InputError: a name that tells no format, or another than the one asked for.
        UnknownNameError: a format nobody knows.

    >>> require_ending(Path("runs.wandb.csv"), None), require_ending(Path("runs.csv"), "wandb")
    ('wandb', 'wandb')
    """
    if to is not None and to not in EXPORTS:
        raise UnknownNameError("format", to, EXPORTS)
    ending = [f for f, (end, _) in EXPORTS.items() if path.name.lower().endswith(end)]
    if to is None and not ending:
        ends = ", ".join(end for end, _ in EXPORTS.values())
        raise InputError(f"{path}: cannot tell the format; expected one of {ends}")
    named = max(ending, key=lambda each: len(EXPORTS[each][0]), default=to)
    if to and named and not EXPORTS[to][0].endswith(EXPORTS[named][0]):
        raise InputError(f"{path}: its name says {named}, but --to says {to}; expected one of both")
    return to or str(named)


def _cell(column: str, cell: str | float | None) -> str:
    if cell is None:
        return ""
    return repr(cell) if column in NUMBER_COLUMNS else neutralise_cell(str(cell))
