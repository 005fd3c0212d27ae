"""`isoflop design`: a whole ladder for a budget."""

from collections.abc import Callable
from pathlib import Path

import click

from isoflop.cli.amount import AMOUNT
from isoflop.cli.figure_option import figure_option, save_drawing
from isoflop.cli.output import json_option, narrate, show
from isoflop.cli.proposed_ladder import proposal_options
from isoflop.plan.design.candidates import SPREAD
from isoflop.plan.design.describe import describe_design
from isoflop.plan.design.ladder import MAX_RUNS, design_ladder


@click.command("design")
@click.option("--law", required=True, help="A published law, or a file written by fit -o.")
@click.option("--budget", type=AMOUNT, required=True, help="FLOPs of all runs together.")
@click.option("--flops", type=AMOUNT, required=True, help="Budget whose best run is forecast.")
@click.option("--max-runs", type=click.IntRange(2), default=MAX_RUNS, show_default=True)
@click.option("--repeats", type=click.IntRange(1), default=1, show_default=True, help="Seeds.")
@click.option("--spread", type=AMOUNT, default=SPREAD, show_default=True, help="Sizes around N*.")
@click.option("--smallest", type=AMOUNT, help="FLOPs of the cheapest run; largest / 1000.")
@click.option("--largest", type=AMOUNT, help="FLOPs of the dearest run; a tenth of the budget.")
@click.option("--noise", type=AMOUNT, help="Standard deviation of one run's log loss.")
@proposal_options
@figure_option
@json_option
def command(
    output: Path | None,
    write: Callable[[list[tuple[float, float, float]]], None],
    figure: Path | None,
    as_json: bool,
    **options: object,
) -> None:
    """Propose the ladder that leaves the forecast of a larger budget least uncertain.

    The law is a guess to be tested: the ladder is the best one if it is nearly right. With
    -o ladder.toml it is written as a ladder file, every run at the nearest shape.

    \b
    Example:
      isoflop design --law besiroglu-2024 --budget 1e21 --flops 1e23 --max-runs 30
      isoflop design --law besiroglu-2024 --budget 1e21 --flops 1e23 --figure design
      isoflop design --law law.json --budget 1e14 --flops 1e16 --max-runs 20 -o ladder.toml
    \b
    Python:
      isoflop.design_ladder("besiroglu-2024", 1e21, 1e23, max_runs=30)
    """
    design = design_ladder(**options)  # pyright: ignore[reportArgumentType]
    narrate(f"note: known from {design.source}")
    for finding in design.findings:
        narrate(f"{finding.severity}: {finding.code}: {finding.evidence}; {finding.consequence}")
    if figure:
        from isoflop.draw.design import design_figure, draw_design

        drawn = design_figure(**options)  # pyright: ignore[reportArgumentType]
        save_drawing(figure, drawn, draw_design, reads=(options["law"], output))
    runs = design.runs
    write(list(zip(runs.n_params, runs.n_tokens, runs.flops, strict=True)))
    show(design.to_dict(), describe_design(design), as_json=as_json)
