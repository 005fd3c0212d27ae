"""`isoflop batch`: the critical batch from runs of your own."""

from pathlib import Path

import click

from isoflop.cli.amount import AMOUNT
from isoflop.cli.estimates import narrate_notes, write_amount, write_estimate
from isoflop.cli.output import format_table, json_option, narrate, show
from isoflop.cli.table_options import table_arguments
from isoflop.runs.table import RunTable

OUTPUT = click.option("-o", "--output", type=click.Path(path_type=Path), help="Write it here.")


@click.group("batch")
def command() -> None:
    """Measure the critical batch: hyperbolas over a batch sweep, gradient noise, S_min and C_min.

    \b
    Example:
      isoflop ladder table b256 b1024 b4096 b16384 --of points -o points.csv
      isoflop batch fit points.csv -o critical.json
      isoflop batch adjust runs.csv --critical-law critical.json -o adjusted.csv
    \b
    Python:
      isoflop.fit_critical_batch(isoflop.steps_to_losses(isoflop.read_runs("points.csv")))
    """


@command.command("fit")
@table_arguments("runs")
@click.option("--target", "targets", type=AMOUNT, multiple=True, help="Loss; repeatable.")
@click.option("--targets", "n_targets", type=click.IntRange(2, 50), default=6, show_default=True)
@click.option("--at", "at", type=AMOUNT, multiple=True, help="Loss to give B_crit at; repeatable.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@OUTPUT
@json_option
def fit(
    runs: RunTable,
    targets: tuple[float, ...],
    n_targets: int,
    at: tuple[float, ...],
    seed: int,
    output: Path | None,
    as_json: bool,
) -> None:
    """Fit S_min, E_min and B_crit at every loss, and B_crit against loss.

    RUNS holds learning curves (run, batch_tokens, steps, loss), or the steps at which given losses
    were reached (batch_tokens, steps, loss), one row each; sizes are kept apart by n_params.

    \b
    Example:
      isoflop batch fit points.csv -o critical.json
      isoflop batch fit points.csv --target 2.2 --target 2.0 --target 1.9 --at 1.7
    \b
    Python:
      isoflop.fit_critical_batch(isoflop.steps_to_losses(isoflop.read_runs("points.csv")))
    """
    from isoflop.fitting.batch.critical import fit_critical_batch
    from isoflop.fitting.batch.crossings import are_curves, steps_to_losses
    from isoflop.fitting.saved import write_fit

    table = runs
    if targets or are_curves(runs):
        table = steps_to_losses(runs, targets, n_targets=n_targets)
    found = fit_critical_batch(table, seed=seed)
    rows = [
        [
            write_amount(trade.loss),
            write_amount(trade.n_params),
            str(trade.n_runs),
            write_estimate(trade.steps_min),
            write_estimate(trade.tokens_min),
            write_estimate(trade.critical_batch),
        ]
        for trade in found.trades
    ]
    header = ["loss", "N", "runs", "S_min", "E_min", "B_crit"]
    law = [f"{name:<18}{write_estimate(value)}" for name, value in found.fit.params.items()]
    asked = {loss: found.critical_batch(loss) for loss in at}
    law += [f"{'B_crit at':<10}{loss:<8g}{write_estimate(batch)}" for loss, batch in asked.items()]
    text = "\n".join([format_table(header, rows, right=range(6)), "", *law])
    for finding in found.fit.findings:
        narrate(f"{finding.severity}: {finding.evidence}; {finding.consequence}; {finding.remedy}")
    if output:
        write_fit(found.fit, output)
    at_losses = [{"loss": loss, **batch.to_dict()} for loss, batch in asked.items()]
    show({**found.to_dict(), "at": at_losses}, text, as_json=as_json)


@command.command("adjust")
@table_arguments("runs")
@click.option("--critical-law", default="kaplan-2020-b-crit-l", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="A table.")
@json_option
def adjust(runs: RunTable, critical_law: str, output: Path, as_json: bool) -> None:
    """Turn the steps, tokens and FLOPs of runs into S_min, E_min and C_min.

    \b
    Example:
      isoflop batch adjust runs.csv --critical-law critical.json -o adjusted.csv
      isoflop fit adjusted.csv --law kaplan-ns
    \b
    Python:
      isoflop.adjust_runs(isoflop.read_runs("runs.csv"), "critical.json")
    """
    from isoflop.exchange.run_tables import write_runs
    from isoflop.plan.kaplan.adjust import adjust_runs

    table, notes = adjust_runs(runs, critical_law)
    write_runs(table, output)
    narrate_notes(notes)
    ratio = table.numbers("steps_taken") / table.numbers("steps")
    document = {
        "n_runs": len(table),
        "output": str(output),
        "steps_over_fewest": [float(ratio.min()), float(ratio.max())],
        "notes": list(notes),
    }
    text = f"{len(table)} runs in {output}; steps were {ratio.min():.2f} to {ratio.max():.2f} S_min"
    show(document, text, as_json=as_json)
