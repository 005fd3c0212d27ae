"""stdout is data, stderr is narration."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click

from isoflop.base.strict_json import dumps

Command = TypeVar("Command", bound=Callable[..., Any])


def json_option(command: Command) -> Command:
    """Add --json."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


def show(document: object, text: str, *, as_json: bool) -> None:
    """Print the JSON document, or the text for people."""
    click.echo(dumps(document) if as_json else text)


def narrate(text: str) -> None:
    """Say something on stderr."""
    click.echo(text, err=True)


def format_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = ()
) -> str:
    """Align columns of text.

    Args:
        header: column titles.
        rows: cells.
        right: columns set to the right, such as numbers.

    >>> print(format_table(["law", "a"], [["x", "0.5"]], right=[1]))
    law    a
    x    0.5
    """
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(len(line[k]) for line in lines) for k in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if k in right else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
