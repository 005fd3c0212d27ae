"""`isoflop published`: public run tables, fetched on request."""

from pathlib import Path

import click

from isoflop.cli.output import format_table, json_option, narrate, show

NAME = click.argument("name")


@click.group("published")
def command() -> None:
    """List, show and get public run tables; none is part of isoflop.

    A table is read from the folder that ISOFLOP_DATA names, else from the cache
    (ISOFLOP_CACHE, else the user's cache folder). Its SHA-256 is checked on every read.

    \b
    Example:
      isoflop published list
      isoflop published get besiroglu-2024-points -o runs.csv
    \b
    Python:
      isoflop.published_runs("besiroglu-2024-points")
    """


@command.command("list")
@json_option
def list_tables(as_json: bool) -> None:
    """List the registered tables and which are on this machine.

    \b
    Example:
      isoflop published list
    \b
    Python:
      isoflop.published_table_names()
    """
    from isoflop.exchange.published.read import locate_published
    from isoflop.exchange.published.registry import find_published_table, published_table_names

    entries = [find_published_table(name) for name in published_table_names()]
    here = {entry.name: locate_published(entry) is not None for entry in entries}
    rows = [{**entry.to_dict(), "here": here[entry.name]} for entry in entries]
    cells = [
        [
            entry.name,
            "here" if here[entry.name] else "to be made" if entry.made else "to be got",
            f"{entry.rows:,}",
            entry.licence,
            entry.title,
        ]
        for entry in entries
    ]
    header = ["name", "state", "rows", "licence", "what"]
    show(rows, format_table(header, cells, right=(2,)), as_json=as_json)


@command.command("show")
@NAME
@json_option
def show_table(name: str, as_json: bool) -> None:
    """Show a table's source, licence, citation, SHA-256 and columns.

    \b
    Example:
      isoflop published show besiroglu-2024-points
    \b
    Python:
      isoflop.find_published_table("besiroglu-2024-points")
    """
    from isoflop.exchange.published.read import locate_published
    from isoflop.exchange.published.registry import find_published_table

    entry = find_published_table(name)
    path = locate_published(entry)
    columns = ", ".join(f"{column} = {found!r}" for column, found in entry.columns.items())
    facts = {
        "source": f"{entry.source} {entry.path}".rstrip(),
        "commit": entry.commit or "not recorded",
        "made": entry.made,
        "licence": entry.licence,
        "cite": entry.citation,
        "rows": f"{entry.rows:,}",
        "sha256": entry.sha256,
        "columns": columns,
        "constant": ", ".join(f"{key} = {text!r}" for key, text in entry.constant.items()),
        "note": entry.note,
        "file": str(path) if path else "not on this machine",
    }
    lines = [f"  {key:<8} {text}" for key, text in facts.items() if text]
    document = {**entry.to_dict(), "file": str(path) if path else None}
    show(document, "\n".join([f"{entry.name}: {entry.title}", *lines]), as_json=as_json)


@command.command("get")
@NAME
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Also write it as a run table."
)
@json_option
def get(name: str, output: Path | None, as_json: bool) -> None:
    """Fetch a table into the cache unless it is on this machine, and check its SHA-256.

    Fetching needs the extra: pip install 'isoflop[published]'.

    \b
    Example:
      isoflop published get besiroglu-2024-points -o runs.csv
    \b
    Python:
      isoflop.get_published("besiroglu-2024-points")
    """
    from isoflop.exchange.published.fetch import get_published
    from isoflop.exchange.published.read import published_runs
    from isoflop.exchange.run_tables import write_runs

    got = get_published(name)
    if output:
        narrate(f"written to {write_runs(published_runs(name), output)}")
    text = (
        f"{name}: {got.rows:,} rows, {'fetched' if got.fresh else 'on this machine already'}\n"
        f"  file     {got.path}\n  licence  {got.table.licence}\n  cite     {got.table.citation}"
    )
    if got.table.note:
        narrate(f"note: {got.table.note}")
    show(got.to_dict(), text, as_json=as_json)
