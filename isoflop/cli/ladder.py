"""`isoflop ladder`: price, train, watch and resume."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from isoflop.base.errors import InputError
from isoflop.base.estimate import shorten
from isoflop.cli.ladder_bracket import command as bracket
from isoflop.cli.ladder_list import command as list_command
from isoflop.cli.output import format_table, json_option, narrate, show

if TYPE_CHECKING:
    from collections.abc import Iterable

    from isoflop.runs.finding import Finding
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
      isoflop ladder bracket ladder.toml -o rates --tuned tuned.toml
      isoflop ladder run tuned.toml -o study
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
    from isoflop.runs.counted import counted
    from isoflop.runs.ladder_toml import read_ladder

    ladder = read_ladder(spec)  # before the lab and its extra: a missing file is told first
    from isoflop.lab import price_ladder

    price = price_ladder(ladder, device=device)
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
    _narrate_findings(price.findings)
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
    from isoflop.runs.ladder_toml import read_ladder

    ladder = read_ladder(spec)
    from isoflop.lab import run_ladder

    _show_status(run_ladder(ladder, study, device=device, workers=workers), as_json)


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
    from isoflop.store.tables import tabulate_studies

    if best_lr and rows != "runs":
        raise click.UsageError("--best-lr compares finished runs: leave out --of")
    found = tabulate_studies(studies, rows=rows)
    if best_lr:
        found, findings = keep_best_rate(found)
        _narrate_findings(findings)
    elif rows == "runs" and (swept := several_rates(found)):
        said = counted(swept, "budget")
        narrate(f"note: several learning rates at {said}; --best-lr keeps the best of each")
    write_runs(found, output)
    document = {"rows": len(found), "columns": list(found.columns), "output": str(output)}
    show(document, f"{len(found)} rows, {len(found.columns)} columns in {output}", as_json=as_json)


command.add_command(bracket)
command.add_command(list_command)


def _narrate_findings(findings: "Iterable[Finding]") -> None:
    for finding in findings:
        narrate(f"{finding.severity}: {finding.evidence}; {finding.consequence}; {finding.remedy}")


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
