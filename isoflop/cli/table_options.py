"""Run tables as arguments of a command, with the options that say how to read them."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from isoflop.base.errors import InputError
from isoflop.cli.output import narrate
from isoflop.runs.table import BadCells, RunTable

Command = TypeVar("Command", bound=Callable[..., Any])
_DROP_ROWS = "File of runs' names or rows, one a line; row 1 is the first below the header."
OPTIONS = ("columns", "derive", "drop_rows", "drop_highest_loss")


def table_arguments(*names: str, bad_cells: BadCells = "refuse") -> Callable[[Command], Command]:
    """Hand a command the run tables it names, read, renamed, derived and trimmed as asked.

    Args:
        names: arguments, each a file; the command gets a `RunTable` under each name.
        bad_cells: what to do with cells no run can have, see `read_runs`.
    """

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def call(*given: Any, **named: Any) -> Any:
            options = {name: named.pop(name) for name in OPTIONS}
            derive = options.pop("derive")
            tables = [read_table(named.pop(name), bad_cells=bad_cells, **options) for name in names]
            tables = derive_where_absent(tables, derive)
            return command(*given, **dict(zip(names, tables, strict=True)), **named)

        wrapped: Any = call
        for option in reversed(_options()):
            wrapped = option(wrapped)
        for name in reversed(names):
            wrapped = click.argument(name, type=click.Path(path_type=Path))(wrapped)
        return wrapped

    return decorate


def read_table(
    path: Path,
    *,
    columns: str = "",
    derive: str | None = None,
    drop_rows: Path | None = None,
    drop_highest_loss: int = 0,
    bad_cells: BadCells = "refuse",
) -> RunTable:
    """Read a run table, or a study's, as the options say; narrate what was taken for what."""
    from isoflop.runs.columns import parse_overrides
    from isoflop.runs.drop import drop_highest_loss as drop_highest
    from isoflop.runs.drop import drop_runs

    table = _open(path, parse_overrides(columns), bad_cells)
    renamed = {name: column for name, column in table.mapping.items() if name != column}
    if renamed:
        narrate("columns: " + ", ".join(f"{name} = {column!r}" for name, column in renamed.items()))
    if drop_rows:
        table = drop_runs(table, _lines(drop_rows))
    if drop_highest_loss:
        table = drop_highest(table, drop_highest_loss)
    return derive_where_absent([table], derive)[0]


def _open(path: Path, columns: dict[str, str], bad_cells: BadCells) -> RunTable:
    from isoflop.exchange.run_tables import read_runs
    from isoflop.store.index.listing import is_study

    if not (path.is_dir() and is_study(path)):
        return read_runs(path, columns=columns, bad_cells=bad_cells)
    from isoflop.exchange.import_runs import import_runs
    from isoflop.runs.counted import counted
    from isoflop.store.forced import find_forced
    from isoflop.store.study import Study

    study = Study.open(path) if (path / "ladder.toml").is_file() else None
    imported = import_runs(path, columns=columns)
    for finding in find_forced(study, imported.table.names()) if study else ():
        narrate(f"{finding.severity}: {finding.code}: {finding.evidence}; {finding.remedy}")
    if imported.refused:
        first = imported.refused[0]
        said = f"{counted(len(imported.refused), 'run')} of {path} cannot be read ({first.where}: "
        said += f"{first.why}); delete its run.json to train or record it again"
        if bad_cells == "refuse":
            raise InputError(said)
        narrate(f"warning: {said}")
    return imported.table


def derive_where_absent(tables: Sequence[RunTable], derive: str | None) -> list[RunTable]:
    """Derive a column in those of several tables that lack it, and narrate which have it.

    Args:
        tables: one or more.
        derive: `n_tokens` or `flops`; None for neither.

    Raises:
        RunTableError: every table has it already, or its inputs are absent.
    """
    from isoflop.runs.table import derive_column

    if not derive:
        return list(tables)
    name = "flops" if derive == "flops" else "n_tokens"
    having = [table for table in tables if name in table]
    if having and len(having) < len(tables):
        lacking = [table for table in tables if name not in table]
        narrate(f"{name}: as recorded in {_sources(having)}, derived in {_sources(lacking)} only")
        return [table if name in table else derive_column(table, name) for table in tables]
    return [derive_column(table, name) for table in tables]


def _sources(tables: Sequence[RunTable]) -> str:
    return " and ".join(table.source for table in tables)


def _options() -> list[Callable[[Any], Any]]:
    path = click.Path(path_type=Path)
    derive = click.Choice(["n_tokens", "flops"])
    return [
        click.option("--columns", default="", help="n_params=N,n_tokens=D,… where names differ."),
        click.option("--derive", type=derive, help="D = C/6N or C = 6ND."),
        click.option("--drop-rows", type=path, help=_DROP_ROWS),
        click.option(
            "--drop-highest-loss", type=click.IntRange(0), default=0, help="Drop this many."
        ),
    ]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise InputError(f"{path}: cannot be read as a list of runs, one a line") from None
