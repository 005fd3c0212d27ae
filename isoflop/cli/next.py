"""`isoflop next`: which run to train next."""

from collections.abc import Callable
from pathlib import Path

import click

from isoflop.cli.amount import AMOUNT
from isoflop.cli.output import json_option, narrate, show
from isoflop.cli.proposed_ladder import proposal_options
from isoflop.plan.design.describe import describe_next
from isoflop.plan.design.forecast import GOALS
from isoflop.plan.design.next_run import rank_next_runs


@click.command("next")
@click.option("--law", required=True, help="A file written by fit -o.")
@click.option("--flops", type=AMOUNT, required=True, help="Budget whose best run is forecast.")
@click.option(
    "--candidates", type=click.Path(path_type=Path), help="Table of n_params, n_tokens, prices."
)
@click.option("--price", default="flops", show_default=True, help="Its column of prices.")
@click.option("--goal", type=click.Choice(GOALS), default="loss", show_default=True)
@click.option("--largest", type=AMOUNT, help="FLOPs of the dearest run, without candidates.")
@click.option("--noise", type=AMOUNT, help="Standard deviation of one run's log loss.")
@click.option("--top", type=click.IntRange(1), default=1, show_default=True, help="Runs to write.")
@proposal_options
@json_option
def command(
    law: str,
    flops: float,
    candidates: Path | None,
    price: str,
    goal: str,
    largest: float | None,
    noise: float | None,
    top: int,
    output: Path | None,
    write: Callable[[list[tuple[float, float, float]]], None],
    as_json: bool,
) -> None:
    """Rank runs by how much of a forecast's variance each takes off for its price.

    \b
    Example:
      isoflop next --law law.json --flops 1e23
      isoflop next --law law.json --flops 1e23 --candidates offers.csv --price gpu_hours
      isoflop next --law law.json --flops 1e16 --largest 1e13 --top 3 -o ladder.toml
    \b
    Python:
      isoflop.rank_next_runs("law.json", 1e23)
    """
    table = None
    if candidates:
        from isoflop.exchange.run_tables import read_runs

        table = read_runs(candidates)
    found = rank_next_runs(
        law, flops, candidates=table, price=price, goal=goal, largest=largest, noise=noise
    )
    narrate(f"note: known from {found.source}")
    for finding in found.findings:
        narrate(f"{finding.severity}: {finding.code}: {finding.evidence}; {finding.consequence}")
    write([(run.n_params, run.n_tokens, run.flops) for run in found.runs[:top]])
    show(found.to_dict(), describe_next(found), as_json=as_json)
