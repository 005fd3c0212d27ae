"""How the commands of `isoflop ladder` name a ladder file and a study."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from isoflop.base.errors import InputError

if TYPE_CHECKING:
    from isoflop.store.study import Study

SPEC = click.argument("spec", type=click.Path(path_type=Path))
STUDY = click.option(
    "-o", "--output", "study", type=click.Path(path_type=Path), required=True, help="Study folder."
)
FOLDER = click.argument(
    "named", metavar="[STUDY | SPEC.toml]", type=click.Path(path_type=Path), required=False
)
FOLDER_OPTION = click.option(
    "-o", "--output", "study", type=click.Path(path_type=Path), help="Study folder of a SPEC.toml."
)
DEVICE = click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True
)


def find_study(command: str, named: Path | None, study: Path | None) -> "Study":
    """Open STUDY, or the study of SPEC.toml, which must be the ladder the study holds."""
    from isoflop.runs.ladders.toml import read_ladder
    from isoflop.store.study import Study

    folder = study or named
    if folder is None or (study and named and named.is_dir()):
        raise click.UsageError(
            f"name one study: isoflop ladder {command} STUDY, or {command} SPEC.toml -o STUDY"
        )
    found = Study.open(folder)
    if study and named and read_ladder(named) != found.ladder:
        raise InputError(f"{study} holds another ladder than {named}; choose another folder")
    return found
