"""`isoflop breaks`: does the law still hold at the largest scales?"""

import click

from isoflop.cli.output import json_option, show
from isoflop.cli.table_options import table_arguments
from isoflop.fitting.objective import LOSSES
from isoflop.runs.table import RunTable


@click.command("breaks")
@table_arguments("runs")
@click.option("--law", default="chinchilla", show_default=True, help="Form, or a formula.")
@click.option("--over", help="Variable of a one-variable law: n_params, n_tokens, flops.")
@click.option("--loss", type=click.Choice(LOSSES), default="robust", show_default=True)
@click.option("--delta", type=float, help="Threshold; Huber's is 1e-3, robust measures its own.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@json_option
def command(
    runs: RunTable,
    law: str,
    over: str | None,
    loss: str,
    delta: float | None,
    seed: int,
    as_json: bool,
) -> int:
    """Hide the two largest scales, predict them, and test for a break.

    Exits with 1 when a break is seen. Says, either way, how large a break must be to be seen.
    The loss is that of the fit; the hidden runs' mean is Huber's whatever it is, since a robust
    one would set aside the very runs that break.

    \b
    Example:
      isoflop breaks runs.csv --law chinchilla
    \b
    Python:
      isoflop.find_break(isoflop.read_runs("runs.csv"), isoflop.find_form("chinchilla"))
    """
    from isoflop.fitting.methods import choose_form
    from isoflop.fitting.objective import Objective, require_loss
    from isoflop.fitting.parametric import FitSpec
    from isoflop.fitting.trials.breaks import find_break

    spec = FitSpec(Objective(require_loss(loss), delta), seed=seed)
    test = find_break(runs, choose_form(runs, law, over=over), spec)
    show(test.to_dict(), str(test), as_json=as_json)
    return int(test.seen)
