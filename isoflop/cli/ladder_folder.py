"""How the commands of `isoflop ladder` name a ladder file and a study."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from isoflop.base.errors import InputError
from isoflop.cli.output import narrate

if TYPE_CHECKING:
    from isoflop.runs.ladders.ladder import Ladder
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


def read_spec(spec: Path) -> "Ladder":
    """Read a ladder file to train by; a corpus nobody knows is told with its other mistakes."""
    from isoflop.lab.data.known import corpus_mistake
    from isoflop.runs.ladders.toml import read_ladder

    return read_ladder(spec, corpora=corpus_mistake)


def find_study(command: str, named: Path | None, study: Path | None) -> "Study":
    """Open STUDY, or the study of SPEC.toml, which must be the ladder the study holds."""
    from isoflop.runs.ladders.diff import ladder_differences
    from isoflop.runs.ladders.toml import read_ladder
    from isoflop.store.study import Study

    folder = name_folder(command, named, study)
    found = Study.open(folder)
    if study and named and (apart := ladder_differences(found.ladder, read_ladder(named))):
        raise InputError(f"{study} holds another ladder than {named}: {'; '.join(apart)}")
    return found


def name_folder(command: str, named: Path | None, study: Path | None) -> Path:
    """Return the folder that STUDY, or SPEC.toml with -o, names."""
    folder = study or named
    if folder is None or (study and named and named.is_dir()):
        raise click.UsageError(
            f"name one study: isoflop ladder {command} STUDY, or {command} SPEC.toml -o STUDY"
        )
    if study is None and folder.is_file():
        raise click.UsageError(
            f"{folder} is a ladder file: say which study with -o, as in isoflop ladder {command} "
            f"{folder} -o STUDY"
        )
    return folder


def narrate_forced(study: Path) -> None:
    """Say what --force went on over: finished runs are what they were."""
    from isoflop.store.study import Study

    forced = Study.open(study).settings().get("forced", [])
    if forced:
        narrate(
            f"note: forced over {'; '.join(forced[-1])}; runs finished before stay as they were "
            "trained, and study.json lists it under `forced`"
        )
