"""`isoflop breaks`: does the law still hold at the largest scales?"""

import click

from isoflop.cli.output import json_option, show
from isoflop.cli.table_options import table_arguments
from isoflop.runs.table import RunTable


@click.command("breaks")
@table_arguments("runs")
@click.option("--law", default="chinchilla", show_default=True, help="Form, or a formula.")
@click.option("--over", help="Variable of a one-variable law: n_params, n_tokens, flops.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@json_option
def command(runs: RunTable, law: str, over: str | None, seed: int, as_json: bool) -> int:
    """Hide the two largest scales, predict them, and test for a break.

    Exits with 1 when a break is seen. Says, either way, how large a break must be to be seen.

    \b
    Example:
      isoflop breaks runs.csv --law chinchilla
    \b
    Python:
      isoflop.find_break(isoflop.read_runs("runs.csv"), isoflop.find_form("chinchilla"))
    """
    from isoflop.fitting.methods import choose_form
    from isoflop.fitting.parametric import FitSpec
    from isoflop.fitting.trials.breaks import find_break

    test = find_break(runs, choose_form(runs, law, over=over), FitSpec(seed=seed))
    show(test.to_dict(), str(test), as_json=as_json)
    return int(test.seen)
