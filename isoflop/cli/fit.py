"""`isoflop fit`: a law or a frontier from a run table."""

from pathlib import Path

import click

import isoflop
from isoflop.base.errors import InputError
from isoflop.cli.output import json_option, narrate, show
from isoflop.exchange.run_tables import read_runs
from isoflop.fitting.fit import Fit
from isoflop.fitting.methods import AUTO, METHODS, choose_form, require_method
from isoflop.fitting.objective import LOSSES, Objective, require_loss
from isoflop.fitting.parametric import FitSpec
from isoflop.fitting.saved import write_fit
from isoflop.fitting.uncertainty.bootstrap import DEFAULT_RESAMPLES
from isoflop.fitting.uncertainty.intervals import ESTIMATORS, require_estimator
from isoflop.laws.fixed import parse_fixed
from isoflop.runs.columns import parse_overrides
from isoflop.runs.drop import drop_highest_loss, drop_runs
from isoflop.runs.table import RunTable, derive_column


@click.command("fit")
@click.argument("runs", type=click.Path(path_type=Path))
@click.option(
    "--law",
    default="chinchilla",
    show_default=True,
    help="Form, see isoflop laws; or a formula, 'E + A/n_params**alpha'.",
)
@click.option("--over", help="Variable of a one-variable law: n_params, n_tokens, flops.")
@click.option(
    "--param",
    multiple=True,
    metavar="NAME=LOW..HIGH",
    help="Bounds of a formula's constant; NAME=any for any sign, …@START to start there.",
)
@click.option("--fix", multiple=True, metavar="NAME=VALUE", help="Hold a constant: E=1.69.")
@click.option("--method", type=click.Choice(METHODS), default="parametric", show_default=True)
@click.option("--loss", type=click.Choice(LOSSES), default="robust", show_default=True)
@click.option("--delta", type=float, help="Threshold; Huber's is 1e-3, robust measures its own.")
@click.option("--bootstrap", type=click.IntRange(0), default=DEFAULT_RESAMPLES, show_default=True)
@click.option("--cluster", default="", help="Column whose groups of runs share noise.")
@click.option("--interval", type=click.Choice(ESTIMATORS), default="auto", show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--level", type=click.FloatRange(0, 1, True, True), default=0.9, show_default=True)
@click.option("--columns", default="", help="n_params=N,n_tokens=D,… where names differ.")
@click.option("--derive", type=click.Choice(["n_tokens", "flops"]), help="D = C/6N or C = 6ND.")
@click.option(
    "--drop-rows", type=click.Path(path_type=Path), help="File of runs or rows, one a line."
)
@click.option("--drop-highest-loss", type=click.IntRange(0), default=0, help="Drop this many.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Save the fit as JSON.")
@json_option
def command(
    runs: Path,
    law: str,
    over: str | None,
    param: tuple[str, ...],
    fix: tuple[str, ...],
    method: str,
    loss: str,
    delta: float | None,
    bootstrap: int,
    cluster: str,
    interval: str,
    seed: int,
    level: float,
    columns: str,
    derive: str | None,
    drop_rows: Path | None,
    drop_highest_loss: int,
    output: Path | None,
    as_json: bool,
) -> int:
    """Fit a law to a run table (CSV, TSV, JSONL or Parquet), with intervals.

    \b
    Example:
      isoflop fit runs.csv --law chinchilla --loss huber --delta 1e-3 -o law.json
      isoflop fit runs.csv --law power --over flops
      isoflop fit runs.csv --law "E + A/n_params**alpha + B/n_tokens**beta" --fix E=1.69
      isoflop fit runs.csv --law auto --over n_tokens
      isoflop fit runs.csv --method isoflop
    \b
    Python:
      isoflop.fit(isoflop.read_runs("runs.csv"), "chinchilla")
    """
    table = _read(runs, columns, derive, drop_rows, drop_highest_loss)
    objective = Objective(require_loss(loss), delta)
    estimator = require_estimator(interval)
    spec = FitSpec(objective, bootstrap, cluster, level=level, seed=seed, interval=estimator)
    named = method != "parametric" or law == AUTO
    form = law if named else choose_form(table, law, over=over, params=param)
    fit = isoflop.fit(
        table, form, method=require_method(method), over=over, spec=spec, fixed=parse_fixed(fix)
    )
    if output and isinstance(fit, Fit):
        fit = isoflop.foresee(fit, table)  # so that predictions of larger runs know its errors
    if output:
        narrate(f"written to {write_fit(fit, output)}")
    for finding in fit.findings if as_json else ():
        narrate(f"{finding.severity}: {finding.code}: {finding.evidence}")
    show(fit.to_dict(), str(fit), as_json=as_json)
    return 0 if getattr(fit, "determined", True) else 1


def _read(
    runs: Path, columns: str, derive: str | None, drop_rows: Path | None, highest: int
) -> RunTable:
    table = read_runs(runs, columns=parse_overrides(columns))
    renamed = {name: column for name, column in table.mapping.items() if name != column}
    if renamed:
        narrate("columns: " + ", ".join(f"{name} = {column!r}" for name, column in renamed.items()))
    if drop_rows:
        table = drop_runs(table, _lines(drop_rows))
    if highest:
        table = drop_highest_loss(table, highest)
    return derive_column(table, "flops" if derive == "flops" else "n_tokens") if derive else table


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise InputError(f"{path}: cannot be read as a list of runs, one a line") from None
