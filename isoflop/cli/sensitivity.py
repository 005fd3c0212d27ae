"""`isoflop sensitivity`: the answer under other loss functions, without outliers, without a run."""

import click

from isoflop.base.estimate import shorten
from isoflop.cli.amount import AMOUNT
from isoflop.cli.output import format_table, json_option, narrate, show
from isoflop.cli.table_options import table_arguments
from isoflop.fitting.methods import choose_form
from isoflop.fitting.objective import LOSSES, Objective, require_loss
from isoflop.fitting.parametric import FitSpec
from isoflop.fitting.uncertainty.bootstrap import DEFAULT_RESAMPLES
from isoflop.plan.sensitivity.sensitivity import measure_sensitivity
from isoflop.plan.sensitivity.table import MOST_LISTED, Sensitivity
from isoflop.runs.table import RunTable


@click.command("sensitivity")
@table_arguments("runs")
@click.option("--law", default="chinchilla", show_default=True, help="Form; see isoflop laws.")
@click.option("--over", help="Variable of a one-variable law: n_params, n_tokens, flops.")
@click.option("--flops", type=AMOUNT, help="Target of the answer; 100× the largest by default.")
@click.option("--drop", default="", help="Highest losses to leave out, 0,5; 0 and 2 % by default.")
@click.option("--loss", type=click.Choice(LOSSES), default="robust", show_default=True)
@click.option("--bootstrap", type=click.IntRange(0), default=DEFAULT_RESAMPLES, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@json_option
def command(
    runs: RunTable,
    law: str,
    over: str | None,
    flops: float | None,
    drop: str,
    loss: str,
    bootstrap: int,
    seed: int,
    as_json: bool,
) -> None:
    """Show how the answer moves with the loss function, the outliers and each single run.

    \b
    Example:
      isoflop sensitivity runs.csv --flops 5.76e23
    \b
    Python:
      isoflop.measure_sensitivity(isoflop.read_runs("runs.csv"), isoflop.find_form("chinchilla"))
    """
    form = choose_form(runs, law, over=over)
    spec = FitSpec(Objective(require_loss(loss)), bootstrap, seed=seed)
    found = measure_sensitivity(runs, form, spec, target=flops, drops=_counts(drop))
    for finding in found.findings if as_json else ():
        narrate(f"{finding.severity}: {finding.code}: {finding.evidence}")
    show(found.to_dict(), sensitivity_text(found), as_json=as_json)


def sensitivity_text(found: Sensitivity) -> str:
    """Write the table of loss functions and the runs that weigh most."""
    names = [found.exponent_name, found.amount_name]
    cells = [[c.loss, str(c.dropped), f"{c.exponent:.4f}", shorten(c.amount)] for c in found.cells]
    runs = [
        [r.run, f"{r.exponent:.4f}", shorten(r.amount), f"{r.shift:.2f}"]
        for r in found.dropped_runs[:MOST_LISTED]
    ]
    lines = [
        f"{found.law}: {names[0]} {found.exponent}, {names[1]} {found.amount} at "
        f"{shorten(found.target)}; {found.n_runs} runs",
        "",
        format_table(["loss function", "highest dropped", *names], cells, right=[1, 2, 3]),
        "",
        "each run left out in turn, the most influential (moved: in half-intervals)",
        format_table(["run", *names, "moved"], runs, right=[1, 2, 3]),
    ]
    for finding in found.findings:
        lines.append(f"{finding.severity}: {finding.code}: {finding.evidence}")
    return "\n".join(lines)


def _counts(text: str) -> tuple[int, ...] | None:
    try:
        counts = tuple(int(word) for word in text.split(",") if word.strip())
    except ValueError:
        counts = (-1,)
    if any(count < 0 for count in counts):
        raise click.UsageError(f"--drop takes numbers of runs such as 0,5, found {text!r}")
    return counts or None
