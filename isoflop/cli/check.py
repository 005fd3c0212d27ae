"""`isoflop check`: the scaling-law physician."""

import click

from isoflop.cli.amount import AMOUNT
from isoflop.cli.output import json_option, show
from isoflop.cli.table_options import table_arguments
from isoflop.plan.checkup.examine import check_runs
from isoflop.runs.table import RunTable


@click.command("check")
@table_arguments("runs", bad_cells="empty")
@click.option("--flops", type=AMOUNT, help="Tell consequences there; 100× the largest by default.")
@json_option
def command(runs: RunTable, flops: float | None, as_json: bool) -> int:
    """Find what would ruin a law: counts, mixing, schedules, tuning, grid, copies, outliers, noise.

    Each finding says what was measured, what it does to the exponent and to N* at the target, in
    compute wasted, what to do, and which rows are concerned. Exit code 1 when a finding is an
    error, 0 otherwise.

    \b
    Example:
      isoflop check runs.csv --flops 1e24
    \b
    Python:
      isoflop.check_runs(isoflop.read_runs("runs.csv", bad_cells="empty"), flops=1e24)
    """
    found = check_runs(runs, flops=flops)
    show(found.to_dict(), str(found), as_json=as_json)
    return 1 if found.has_errors else 0
