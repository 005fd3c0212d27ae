"""`isoflop ladder example` and `isoflop ladder show`: ladder files to begin with, and laid out."""

from pathlib import Path

import click

from isoflop.base.errors import InputError
from isoflop.cli.ladder_folder import SPEC
from isoflop.cli.output import json_option, narrate, show

DESIGNS = ["rungs", "depth", "isoflop", "grid", "design"]


@click.command("example")
@click.argument("design", type=click.Choice(DESIGNS))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write it here.")
def example(design: str, output: Path | None) -> None:
    """Print a small ladder file of a design, ready to train: what each key means beside it.

    rungs: an explicit list. depth: sizes by their number of layers, at fixed tokens a parameter.
    isoflop: several sizes at each compute budget. grid: every size at every number of tokens.
    design: runs a planner asks for.

    \b
    Example:
      isoflop ladder example isoflop -o ladder.toml
    \b
    Python:
      isoflop.example_ladder("isoflop")
    """
    from isoflop.base.atomic import write_atomic
    from isoflop.runs.designs.examples import EXAMPLES

    if output is None:
        click.echo(EXAMPLES[design], nl=False)
        return
    if output.exists():
        raise InputError(f"{output} exists; choose another name, or remove it first")
    write_atomic(output, EXAMPLES[design])
    narrate(f"wrote {output}; next: isoflop ladder plan {output}")


@click.command("show")
@SPEC
@click.option("--rungs", is_flag=True, help="Rung by rung, as a study keeps it.")
@json_option
def show_spec(spec: Path, rungs: bool, as_json: bool) -> None:
    """Print a ladder file with every default filled in, or rung by rung as a study keeps it.

    Either reads back as the same ladder. The SHA-256 of what --rungs prints is its identity; keys
    of later releases are left out there where they are at their defaults.

    \b
    Example:
      isoflop ladder show ladder.toml --rungs
    \b
    Python:
      isoflop.print_filled(isoflop.read_ladder("ladder.toml"))
    """
    import tomllib

    from isoflop.runs.ladders.filled import print_filled
    from isoflop.runs.ladders.print import print_ladder
    from isoflop.runs.ladders.toml import read_ladder

    ladder = read_ladder(spec)
    text = print_ladder(ladder) if rungs else print_filled(ladder)
    show(tomllib.loads(text), text.rstrip(), as_json=as_json)
