"""`isoflop report`: a study or a run table as a page."""

import shlex
from pathlib import Path

import click

from isoflop.base.errors import InputError
from isoflop.cli.output import json_option, narrate, show
from isoflop.cli.table_options import read_table


@click.command("report")
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path("report.html"),
    show_default=True, help="The page; a Markdown twin is written beside it.",
)  # fmt: skip
@click.option("--columns", default="", help="n_params=N,n_tokens=D,… where names differ.")
@click.option("--derive", type=click.Choice(["n_tokens", "flops"]), help="D = C/6N or C = 6ND.")
@click.option("--drop-highest-loss", type=click.IntRange(0), default=0, help="Drop this many.")
@json_option
def command(
    source: Path,
    output: Path,
    columns: str,
    derive: str | None,
    drop_highest_loss: int,
    as_json: bool,
) -> None:
    """Write a self-contained HTML report of a study folder or a run table.

    \b
    Example:
      isoflop report study/tour -o report.html
      isoflop report runs.csv -o report.html
    \b
    Python:
      isoflop.report_study("study/tour", "report.html")
      isoflop.report_runs(isoflop.read_runs("runs.csv"), "report.html")
    """
    from isoflop.plan.answer import all_findings
    from isoflop.report.study import report_runs, report_study

    if not source.exists():
        raise InputError(f"{source}: no such study or run table")

    if source.is_dir():
        result = report_study(source, output)
    else:
        table = read_table(
            source, columns=columns, derive=derive, drop_highest_loss=drop_highest_loss
        )
        given = {"--columns": columns, "--derive": derive, "--drop-highest-loss": drop_highest_loss}
        options = " ".join(f"{name} {shlex.quote(str(v))}" for name, v in given.items() if v)
        result = report_runs(table, output, options=options)
    narrate(f"written to {result.report}")
    for finding in all_findings(result.analysis):
        narrate(f"{finding.severity}: {finding.code}: {finding.evidence}")
    show(result.to_dict(), "\n".join(result.answer), as_json=as_json)
