"""`isoflop import`: runs from elsewhere, with an account of what was read as what."""

from collections.abc import Sequence
from pathlib import Path

import click

import isoflop
from isoflop.base.errors import InputError
from isoflop.cli.output import json_option, narrate, show
from isoflop.exchange.export import EXPORTS, export_runs, require_ending
from isoflop.exchange.imported import Imported
from isoflop.exchange.sniff import FORMATS
from isoflop.runs.columns import parse_overrides


@click.command("import")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the run table here.")
@click.option("--columns", default="", help="n_params=N,loss=eval/loss,… where names differ.")
@click.option(
    "--final",
    default="last",
    show_default=True,
    metavar="last|mean:SHARE",
    help="What of a curve stands for its run: mean:0.05 is over the last 5 % of the run.",
)
@click.option("--tokens-per-step", type=float, help="D = steps · this, where D was not recorded.")
@click.option("--format", "format_", type=click.Choice(list(FORMATS)), help="If it is not told.")
@click.option(
    "--attach",
    "runs",
    type=click.Path(path_type=Path),
    help="A run table: SOURCE is lm-eval's results of its runs, and joins it.",
)
@click.option("--match", multiple=True, metavar="MODEL=RUN", help="Which run a model is.")
@click.option("--task", default="", help="Whose accuracy becomes the column accuracy.")
@click.option("--to", type=click.Choice(list(EXPORTS)), help="Format written; else by the name.")
@json_option
def command(
    source: Path,
    output: Path | None,
    columns: str,
    final: str,
    tokens_per_step: float | None,
    format_: str | None,
    runs: Path | None,
    match: tuple[str, ...],
    task: str,
    to: str | None,
    as_json: bool,
) -> None:
    """Bring in runs: tables, W&B, TensorBoard, MLflow, HF Trainer, trackio, lm-eval and more.

    \b
    Example:
      isoflop import export.csv -o runs.csv
      isoflop import wandb:team/ladder -o runs.csv
      isoflop import mlflow.db -o runs.csv --columns loss=val_loss
      isoflop import tensorboard/ -o runs.csv --final mean:0.05 --tokens-per-step 524288
      isoflop import lm-eval-out/ --attach runs.csv --task arc_easy -o scored.csv
    \b
    Python:
      isoflop.import_runs("mlflow.db", columns={"loss": "val_loss"}).table
    """
    destination = _destination(output, to, reads=(source, *((runs,) if runs else ())))
    if runs is not None:
        if columns or format_ or final != "last" or tokens_per_step is not None:
            raise InputError(
                "--columns, --final, --format and --tokens-per-step are not of --attach"
            )
        from isoflop.exchange.attach_scores import attach_scores, parse_matches

        imported = attach_scores(
            isoflop.read_runs(runs), source, match=parse_matches(match), task=task
        )
    elif match or task:
        raise InputError("--match and --task are of --attach RUNS, which is not given")
    else:
        imported = _import(source, columns, final, format_, tokens_per_step)
    if destination:
        new = "" if destination.parent.exists() else f", in a new folder {destination.parent}"
        narrate(f"written to {export_runs(imported.table, destination, to=to)}{new}")
    show(imported.to_dict(), str(imported), as_json=as_json)


def _destination(output: Path | None, to: str | None, *, reads: Sequence[Path]) -> Path | None:
    """Return where the table goes, before anything is read.

    Raises:
        InputError: a format without a file, a name of another format, or a file that is read.
    """
    if output is None:
        if to:
            raise InputError(f"--to {to} is of -o FILE, which is not given")
        return None
    for path in reads:
        if output.exists() and path.exists() and output.samefile(path):
            raise InputError(f"-o {output} would overwrite {path}, which is read; name another")
    require_ending(output, to)
    return output


def _import(
    source: Path, columns: str, final: str, format_: str | None, tokens_per_step: float | None
) -> Imported:
    return isoflop.import_runs(
        source,
        columns=parse_overrides(columns),
        final=final,
        format=format_,
        tokens_per_step=tokens_per_step,
    )
