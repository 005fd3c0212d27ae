"""`isoflop backtest`: hide the largest runs, predict them, count the intervals that hold."""

import click

from isoflop.cli.amount import AMOUNT
from isoflop.cli.output import json_option, show
from isoflop.cli.table_options import table_arguments
from isoflop.fitting.objective import LOSSES, SCALES
from isoflop.runs.table import RunTable


@click.command("backtest")
@table_arguments("runs")
@click.option("--law", default="chinchilla", show_default=True, help="Form, or a formula.")
@click.option("--over", help="Variable of a one-variable law: n_params, n_tokens, flops.")
@click.option("--by", default="flops", show_default=True, help="Column that is cut; flops or 6ND.")
@click.option("--cut", type=AMOUNT, help="Fit below, predict from here on; else the last budget.")
@click.option("--loss", type=click.Choice(LOSSES), default="robust", show_default=True)
@click.option("--delta", type=float, help="Threshold; Huber's is 1e-3, robust measures its own.")
@click.option("--residuals", type=click.Choice(SCALES), default="log", show_default=True)
@click.option("--level", type=click.FloatRange(0, 1, True, True), default=0.95, show_default=True)
@click.option("--bootstrap", type=click.IntRange(0), default=400, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@json_option
def command(
    runs: RunTable,
    law: str,
    over: str | None,
    by: str,
    cut: float | None,
    loss: str,
    delta: float | None,
    residuals: str,
    level: float,
    bootstrap: int,
    seed: int,
    as_json: bool,
) -> None:
    """Fit the smaller runs, predict the larger ones, and count the intervals that hold them.

    The intervals are for single future runs: parameters, noise, and, where the smaller runs
    raise the suspicion that the law is wrong, its own error.

    "The law taken at its word": the same with no error of the law's own, and with the noise of
    the runs that had a say in the fit alone: how the intervals would have done had nothing been
    suspected. Log width: log of an interval's high end over its low end, .05 being 5 %.

    \b
    Example:
      isoflop backtest runs.csv --law chinchilla --by flops --cut 1.2e20
      isoflop backtest runs.csv --law chinchilla
    \b
    Python:
      isoflop.backtest(isoflop.read_runs("runs.csv"), "chinchilla", by="flops", cut=1.2e20)
    """
    from isoflop.fitting.objective import Objective, require_loss, require_scale
    from isoflop.fitting.parametric import FitSpec
    from isoflop.fitting.trials.backtest import backtest

    objective = Objective(require_loss(loss), delta, require_scale(residuals))
    spec = FitSpec(objective, bootstrap, level=level, seed=seed)
    result = backtest(runs, law, over=over, by=by, cut=cut, spec=spec)
    show(result.to_dict(), str(result), as_json=as_json)
