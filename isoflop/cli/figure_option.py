"""`--figure PATH`: draw what a command found, with its data beside it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from isoflop.cli.output import narrate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Command = TypeVar("Command", bound=Callable[..., Any])
Data = TypeVar("Data")
SUFFIXES = (".png", ".svg", ".csv", ".json")
"""What a figure leaves behind."""


def figure_option(command: Command) -> Command:
    """Add --figure, handed over as `figure`."""
    return click.option(
        "--figure",
        type=click.Path(path_type=Path),
        help="Draw to FIGURE.png, .svg; its data to .csv, .json.",
    )(command)


def check_figure(path: Path | None, *reads: object) -> None:
    """Refuse a figure that would overwrite a file the command reads.

    Args:
        path: where the figure goes, without suffix; None for no figure.
        reads: files read; names that are no files do no harm.

    Raises:
        click.UsageError: naming the file.
    """
    written = () if path is None else tuple(path.with_name(path.name + end) for end in SUFFIXES)
    for name in reads:
        if name is not None and Path(str(name)) in written:
            raise click.UsageError(f"--figure {path} would overwrite {name}; name it otherwise")


def save_drawing(
    path: Path, data: Data, draw: "Callable[[Data], Figure]", *, reads: Sequence[object] = ()
) -> None:
    """Draw a figure, save it and its data, and say where.

    Args:
        path: without suffix.
        data: of the figure.
        draw: what draws it.
        reads: files the command reads, which must not be overwritten.

    Raises:
        click.UsageError: a file would be overwritten.
        MissingExtraError: matplotlib is not installed.
    """
    from isoflop.draw.save import save_figure

    check_figure(path, *reads)
    for each in save_figure(data, draw(data), path):
        narrate(f"written to {each}")
