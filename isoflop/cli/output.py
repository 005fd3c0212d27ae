"""stdout is data, stderr is narration."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click

from isoflop.base.strict_json import dumps

WIDEST = 110
"""Characters of a line that a table keeps to where it can."""

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


def format_parts(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, widest: int = WIDEST
) -> str:
    """Align a table set to the right; one too wide for a screen in parts, its first column in each.

    Args:
        header: column titles.
        rows: cells.
        widest: characters of a line at most, unless two columns alone are wider.

    >>> print(format_parts(["x", "one", "two"], [["1", "10", "20"]], widest=7))
    x  one
    1   10
    <BLANKLINE>
    x  two
    1   20
    """
    lines = [header, *rows]
    widths = [max(len(line[k]) for line in lines) for k in range(len(header))]
    parts: list[list[int]] = [[0]]
    for k in range(1, len(header)):
        if not any(line[k] for line in lines):
            continue
        used = sum(widths[i] + 2 for i in parts[-1]) + widths[k]
        if len(parts[-1]) > 1 and used > widest:
            parts.append([0])
        parts[-1].append(k)
    return "\n\n".join(
        format_table(
            [header[k] for k in part], [[row[k] for k in part] for row in rows],
            right=range(len(part)),
        )
        for part in parts
    )  # fmt: skip


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
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    aligned = (f"{{:{'>' if k in right else '<'}{width}}}" for k, width in enumerate(widths))
    write = "  ".join(aligned).format
    return "\n".join(write(*line).rstrip() for line in lines)
