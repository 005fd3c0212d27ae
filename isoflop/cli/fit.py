"""`isoflop fit`: a law or a frontier from a run table."""

from pathlib import Path

import click

import isoflop
from isoflop.cli.output import json_option, narrate, show
from isoflop.cli.table_options import table_arguments
from isoflop.fitting.fit import Fit
from isoflop.fitting.methods import AUTO, METHODS, choose_form, require_method
from isoflop.fitting.objective import LOSSES, SCALES, Objective, require_loss, require_scale
from isoflop.fitting.parametric import FitSpec
from isoflop.fitting.saved import write_fit
from isoflop.fitting.starts import is_quick
from isoflop.fitting.uncertainty.bootstrap import DEFAULT_RESAMPLES
from isoflop.fitting.uncertainty.intervals import ESTIMATORS, require_estimator
from isoflop.laws.fixed import parse_fixed
from isoflop.runs.table import RunTable


@click.command("fit")
@table_arguments("runs")
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
@click.option(
    "--residuals",
    type=click.Choice(SCALES),
    default="log",
    show_default=True,
    help="Scale on which predicted and measured are compared.",
)
@click.option("--bootstrap", type=click.IntRange(0), default=DEFAULT_RESAMPLES, show_default=True)
@click.option("--cluster", default="", help="Column whose groups of runs share noise.")
@click.option(
    "--interval",
    type=click.Choice(ESTIMATORS),
    default="auto",
    show_default=True,
    help="What the intervals rest on; see below.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--level", type=click.FloatRange(0, 1, True, True), default=0.9, show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Save the fit as JSON.")
@json_option
def command(
    runs: RunTable,
    law: str,
    over: str | None,
    param: tuple[str, ...],
    fix: tuple[str, ...],
    method: str,
    loss: str,
    delta: float | None,
    residuals: str,
    bootstrap: int,
    cluster: str,
    interval: str,
    seed: int,
    level: float,
    output: Path | None,
    as_json: bool,
) -> int:
    """Fit a law to a run table (CSV, TSV, JSONL or Parquet), with intervals.

    \b
    --interval, by the noise it is right for; docs/how-to-choose.md has more:
      auto               chosen by what the residuals show; the card says why
      wald               independent runs of one noise; least squares
      robust             the same with outliers; robust and Huber losses
      hc3                independent runs whose noise differs from run to run
      cluster            runs of a group share an offset: one size, trunk or tuning
      case               refits of resampled runs; slower
      cluster-bootstrap  refits of resampled groups; slower, best with heavy tails
      wild               refits with the residuals' signs redrawn; slower
      profile            constants the runs hardly bound; one end may be open
    \b
    On the card:
      condition  how hard the constants are to tell apart; a good grid has 10 to 500
      G          Hoffmann's G of the optimum, N* = G (C/6)^a, D* = (C/6)^b / G
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
    objective = Objective(require_loss(loss), delta, require_scale(residuals))
    estimator = require_estimator(interval)
    spec = FitSpec(objective, bootstrap, cluster, level=level, seed=seed, interval=estimator)
    named = method != "parametric" or law == AUTO
    form = law if named else choose_form(runs, law, over=over, params=param)
    fit = isoflop.fit(
        runs, form, method=require_method(method), over=over, spec=spec, fixed=parse_fixed(fix)
    )
    if isinstance(fit, Fit) and (output or is_quick(fit.law)):
        fit = isoflop.foresee(fit, runs)  # so that predictions of larger runs know its errors
    if output:
        narrate(f"written to {write_fit(fit, output)}")
    for finding in fit.findings if as_json else ():
        narrate(f"{finding.severity}: {finding.code}: {finding.evidence}")
    show(fit.to_dict(), str(fit), as_json=as_json)
    wrong = any(finding.severity == "error" for finding in fit.findings)
    return int(wrong or not getattr(fit, "determined", True))
