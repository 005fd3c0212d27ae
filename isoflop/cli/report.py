"""`isoflop report`: a study, a run table or a saved fit as a page."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from isoflop.base.errors import InputError
from isoflop.cli.output import json_option, narrate, show
from isoflop.cli.table_options import read_table

if TYPE_CHECKING:
    from isoflop.fitting.checklist import Checklist, Stated


@click.command("report")
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path("report.html"),
    show_default=True, help="The page; a Markdown twin is written beside it.",
)  # fmt: skip
@click.option("--columns", default="", help="n_params=N,n_tokens=D,… where names differ.")
@click.option("--derive", type=click.Choice(["n_tokens", "flops"]), help="D = C/6N or C = 6ND.")
@click.option("--drop-highest-loss", type=click.IntRange(0), default=0, help="Drop this many.")
@click.option(
    "--state",
    "stated",
    multiple=True,
    metavar="ITEM=TEXT",
    help='What only you know, for the checklist: "checkpoint rule=final".',
)
@click.option("--strict", is_flag=True, help="Refuse a fit that leaves items of it unstated.")
@json_option
def command(
    source: Path,
    output: Path,
    columns: str,
    derive: str | None,
    drop_highest_loss: int,
    stated: tuple[str, ...],
    strict: bool,
    as_json: bool,
) -> None:
    """Write a self-contained HTML report of a study folder, a run table or a saved fit.

    The fit report checklist says what a reader needs to repeat the fit: form, N, D, C, ranges,
    loss unit, eval set, checkpoint rule, weights, loss, optimiser, starts, bounds, tolerance,
    selection, bootstrap unit, backtest, data, code. State with --state what no file records.

    Where the runs identify no optimum, the page says what is missing and plans nothing, with or
    without --strict; exit 0, for the page is written (`isoflop fit` exits 1).

    \b
    Example:
      isoflop report study/tour -o report.html
      isoflop report runs.csv -o report.html
      isoflop report law.json --strict --state "checkpoint rule=final"
    \b
    Python:
      isoflop.report_study("study/tour", "report.html")
      isoflop.report_runs(isoflop.read_runs("runs.csv"), "report.html")
      isoflop.report_fit("law.json", "report.html", stated=isoflop.Stated(strict=True))
    """
    from isoflop.fitting.checklist import Stated, parse_statements
    from isoflop.plan.analysis.answer import all_findings
    from isoflop.report.study import report_runs, report_study

    demand = Stated(parse_statements(stated), strict)

    if not source.exists():
        raise InputError(f"{source}: no such study, run table or fit")

    if source.is_dir():
        result = report_study(source, output, stated=demand)
    elif source.suffix.lower() == ".json":
        _report_fit(source, output, demand, as_json=as_json)
        return
    else:
        table = read_table(
            source, columns=columns, derive=derive, drop_highest_loss=drop_highest_loss
        )
        given = {"--columns": columns, "--derive": derive, "--drop-highest-loss": drop_highest_loss}
        options = " ".join(f"{name} {shlex.quote(str(v))}" for name, v in given.items() if v)
        result = report_runs(table, output, options=options, stated=demand)
    narrate(f"written to {result.report}")
    for finding in all_findings(result.analysis):
        narrate(f"{finding.severity}: {finding.code}: {finding.evidence}")
    _narrate_missing(result.checklist)
    show(result.to_dict(), "\n".join(result.answer), as_json=as_json)


def _report_fit(source: Path, output: Path, demand: "Stated", *, as_json: bool) -> None:
    from isoflop.report.fit_report import report_fit

    result = report_fit(source, output, stated=demand)
    narrate(f"written to {result.report}")
    _narrate_missing(result.checklist)
    show(result.to_dict(), str(result.fit), as_json=as_json)


def _narrate_missing(checklist: "Checklist") -> None:
    if checklist.missing:
        narrate(f"note: not stated (--state): {', '.join(checklist.missing)}")
