"""`isoflop ladder`: price, train, watch and resume."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from isoflop.base.errors import InputError, IsoflopError
from isoflop.cli.ladder_archive import archive, restore
from isoflop.cli.ladder_bracket import command as bracket
from isoflop.cli.ladder_commands import commands, train_rung
from isoflop.cli.ladder_folder import (
    DEVICE,
    FOLDER,
    FOLDER_OPTION,
    SPEC,
    STUDY,
    name_folder,
    read_spec,
)
from isoflop.cli.ladder_list import command as list_command
from isoflop.cli.ladder_migrate import command as migrate
from isoflop.cli.ladder_plan import command as plan
from isoflop.cli.ladder_plan import narrate_findings
from isoflop.cli.ladder_spec import example, show_spec
from isoflop.cli.ladder_status import command as status
from isoflop.cli.ladder_status import show_status
from isoflop.cli.ladder_training import Training, training_options
from isoflop.cli.output import json_option, narrate, show


@click.group("ladder")
def command() -> None:
    """Price, train, watch and resume a ladder of models.

    \b
    Example:
      isoflop ladder example isoflop -o ladder.toml
      isoflop ladder plan ladder.toml
      isoflop ladder bracket ladder.toml -o rates --tuned tuned.toml
      isoflop ladder run tuned.toml -o study
      isoflop ladder status study
    \b
    Python:
      isoflop.run_ladder(isoflop.read_ladder("ladder.toml"), "study")
    """


@command.command("run")
@SPEC
@STUDY
@DEVICE
@training_options
@json_option
def run(spec: Path, study: Path, device: str, training: Training, as_json: bool) -> None:
    """Train every run of a ladder; run again to resume, nothing finished is trained twice.

    Limits hold for the study in all, and until others are given: training stops before one is
    passed, what is finished stays, and resume with a larger one goes on. A study that was begun
    with other code, data, torch or threads is refused, naming the difference; --force goes on and
    is recorded in study.json.

    \b
    Example:
      isoflop ladder run ladder.toml -o study
      isoflop ladder run ladder.toml -o study --max-flops 1e15 --max-seconds 3600
      isoflop ladder run ladder.toml -o study --launcher torchrun --processes 2 --shard
    \b
    Python:
      isoflop.run_ladder(isoflop.read_ladder("ladder.toml"), "study")
    """
    ladder = read_spec(spec)
    with _status_at_the_end(study, as_json):
        training.train(ladder, study, device=device)


@command.command("resume")
@FOLDER
@FOLDER_OPTION
@training_options
@json_option
def resume(named: Path | None, study: Path | None, training: Training, as_json: bool) -> None:
    """Go on with a study that was interrupted or ran out of budget; it knows its ladder.

    \b
    Example:
      isoflop ladder resume study
      isoflop ladder resume ladder.toml -o study
      isoflop ladder resume study --max-flops 2e15
    \b
    Python:
      isoflop.run_ladder(isoflop.Study.open("study").ladder, "study")
    """
    from isoflop.store.study import Study

    folder = name_folder("resume", named, study)
    ladder = read_spec(named) if study and named else Study.open(folder).ladder
    with _status_at_the_end(folder, as_json):
        training.train(ladder, folder)


@command.command("table")
@click.argument("studies", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--of",
    "rows",
    type=click.Choice(["runs", "points", "positions"]),
    default="runs",
    show_default=True,
    help="A row a run, a point of a trunk's curve, or a position.",
)
@click.option("--best-lr", is_flag=True, help="Of several learning rates keep the best.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="A table.")
@json_option
def table(studies: tuple[Path, ...], rows: str, best_lr: bool, output: Path, as_json: bool) -> None:
    """Write studies as a run table: runs, learning curves with gradient noise, losses by position.

    \b
    Example:
      isoflop ladder table study -o runs.csv
      isoflop ladder table b256 b1024 b4096 --of points -o points.csv
      isoflop ladder table study --of positions -o positions.csv
      isoflop ladder table swept --best-lr -o runs.csv
    \b
    Python:
      isoflop.write_runs(isoflop.tabulate_studies(["study"], rows="runs"), "runs.csv")
      best, findings = isoflop.keep_best_rate(isoflop.tabulate_studies(["swept"]))
    """
    from isoflop.exchange.run_tables import write_runs
    from isoflop.runs.best_rate import keep_best_rate, several_rates
    from isoflop.runs.counted import counted
    from isoflop.store.tables.tables import tabulate_studies

    if best_lr and rows != "runs":
        raise click.UsageError("--best-lr compares finished runs: leave out --of")
    found = tabulate_studies(studies, rows=rows)
    if best_lr:
        found, findings = keep_best_rate(found)
        narrate_findings(findings)
    elif rows == "runs" and (swept := several_rates(found)):
        said = counted(swept, "budget")
        narrate(f"note: several learning rates at {said}; --best-lr keeps the best of each")
    write_runs(found, output)
    document = {"rows": len(found), "columns": list(found.columns), "output": str(output)}
    show(document, f"{len(found)} rows, {len(found.columns)} columns in {output}", as_json=as_json)


for _each in (plan, example, show_spec, bracket, status, commands, train_rung, list_command):
    command.add_command(_each)
for _each in (archive, restore, migrate):
    command.add_command(_each)


@contextmanager
def _status_at_the_end(study: Path, as_json: bool) -> Iterator[None]:
    """Show what is on disk however training ended, then let the error through."""
    from isoflop.store.study import Study

    try:
        yield
    except (IsoflopError, KeyboardInterrupt) as error:
        # A second Ctrl+C must not cut off what the first one is answered with.
        heard = signal.signal(signal.SIGINT, signal.SIG_IGN) if _is_main() else None
        if not isinstance(error, InputError) and (study / "study.json").exists():
            show_status(Study.open(study), as_json, told=str(error))
            if isinstance(error, KeyboardInterrupt):
                narrate(f"what is finished stays; go on with: isoflop ladder resume {study}")
        if heard is not None:
            signal.signal(signal.SIGINT, heard)
        raise
    show_status(Study.open(study), as_json)


def _is_main() -> bool:
    """Only the main thread may set a signal's handler."""
    return threading.current_thread() is threading.main_thread()
