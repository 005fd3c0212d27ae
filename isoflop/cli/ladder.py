"""`isoflop ladder`: price, train, watch and resume."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from isoflop.base.errors import InputError
from isoflop.base.estimate import shorten
from isoflop.cli.output import format_table, json_option, narrate, show

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
MARKS = {"finished": "✔", "diverged": "✘", "running": "…", "pending": "·"}


@click.group("ladder")
def command() -> None:
    """Price, train, watch and resume a ladder of models.

    \b
    Example:
      isoflop ladder plan ladder.toml
      isoflop ladder run ladder.toml -o study
      isoflop ladder status study
    \b
    Python:
      isoflop.run_ladder(isoflop.read_ladder("ladder.toml"), "study")
    """


@command.command("plan")
@SPEC
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@json_option
def plan(spec: Path, device: str, as_json: bool) -> None:
    """Price a ladder before a FLOP is spent: runs, tokens, FLOPs, minutes on this machine.

    \b
    Example:
      isoflop ladder plan ladder.toml
    \b
    Python:
      isoflop.price_ladder(isoflop.read_ladder("ladder.toml"))
    """
    from isoflop.lab import price_ladder
    from isoflop.runs.counted import counted
    from isoflop.runs.ladder_toml import read_ladder

    price = price_ladder(read_ladder(spec), device=device)
    rows = [
        [
            r.name,
            f"{r.n_params:,}",
            str(r.seeds),
            str(r.trunks),
            str(r.n_runs),
            shorten(r.flops),
            f"{r.seconds:.0f}",
        ]
        for r in price.rungs
    ]
    header = ["rung", "parameters", "seeds", "trunks", "runs", "FLOPs", "seconds"]
    text = format_table(header, rows, right=range(1, 7))
    text += (
        f"\n{counted(price.n_runs, 'run')}, {shorten(price.flops)} FLOPs, about "
        f"{price.seconds / 60:.1f} minutes on {counted(price.workers, 'worker')} of this machine"
    )
    show(price.to_dict(), text, as_json=as_json)


@command.command("run")
@SPEC
@STUDY
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--workers", type=click.IntRange(1), help="Processes; one a core by default.")
@json_option
def run(spec: Path, study: Path, device: str, workers: int | None, as_json: bool) -> None:
    """Train every run of a ladder; run again to resume, nothing finished is trained twice.

    \b
    Example:
      isoflop ladder run ladder.toml -o study
    \b
    Python:
      isoflop.run_ladder(isoflop.read_ladder("ladder.toml"), "study")
    """
    from isoflop.lab import run_ladder
    from isoflop.runs.ladder_toml import read_ladder

    _show_status(run_ladder(read_ladder(spec), study, device=device, workers=workers), as_json)


@command.command("resume")
@FOLDER
@FOLDER_OPTION
@json_option
def resume(named: Path | None, study: Path | None, as_json: bool) -> None:
    """Go on with a study that was interrupted; the study knows its ladder.

    \b
    Example:
      isoflop ladder resume study
      isoflop ladder resume ladder.toml -o study
    \b
    Python:
      isoflop.run_ladder(isoflop.Study.open("study").ladder, "study")
    """
    from isoflop.lab import run_ladder

    found = _find_study("resume", named, study)
    run_ladder(found.ladder, found.path)
    _show_status(found, as_json)


@command.command("status")
@FOLDER
@FOLDER_OPTION
@json_option
def status(named: Path | None, study: Path | None, as_json: bool) -> None:
    """Show every run of a study: finished, diverged, running or pending.

    \b
    Example:
      isoflop ladder status study
      isoflop ladder status ladder.toml -o study
    \b
    Python:
      isoflop.Study.open("study").status()
    """
    _show_status(_find_study("status", named, study), as_json)


def _find_study(command: str, named: Path | None, study: Path | None) -> "Study":
    """Open STUDY, or the study of SPEC.toml, which must be the ladder the study holds."""
    from isoflop.runs.ladder_toml import read_ladder
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


def _show_status(study: "Study", as_json: bool) -> None:
    from isoflop.runs.counted import counted

    runs = study.status()
    rows = [
        [
            f"{MARKS.get(run['state'], '?')} {run['id']}",
            run["state"],
            f"{run['n_params']:,}",
            f"{run['n_tokens']:,}",
            shorten(run["flops"]),
            "" if run.get("loss") is None else f"{run['loss']:.4f}",
        ]
        for run in runs
    ]
    header = ["run", "state", "parameters", "tokens", "FLOPs", "loss"]
    text = format_table(header, rows, right=range(2, 6))
    done = sum(run["state"] == "finished" for run in runs)
    narrate(f"{done} of {counted(len(runs), 'run')} finished")
    show({"runs": runs}, text, as_json=as_json)
