"""`isoflop race`: two recipes, two tables of runs."""

from pathlib import Path

import click

from isoflop.base.estimate import shorten
from isoflop.cli.amount import AMOUNT
from isoflop.cli.figure_option import figure_option, save_drawing
from isoflop.cli.output import format_table, json_option, narrate, show
from isoflop.cli.table_options import table_arguments
from isoflop.fitting.parametric import FitSpec
from isoflop.fitting.uncertainty.bootstrap import DEFAULT_RESAMPLES
from isoflop.plan.race.race import race_runs
from isoflop.plan.race.values import Race
from isoflop.runs.table import RunTable


@click.command("race")
@table_arguments("a", "b")
@click.option("--law", help="Form of both; chinchilla, or power-constant where they need it.")
@click.option("--flops", multiple=True, type=AMOUNT, help="Budget to compare at; may be repeated.")
@click.option("--bootstrap", type=click.IntRange(0), default=DEFAULT_RESAMPLES, show_default=True)
@click.option("--level", type=click.FloatRange(0, 1, True, True), default=0.9, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@figure_option
@json_option
def command(
    a: RunTable,
    b: RunTable,
    law: str | None,
    flops: tuple[float, ...],
    bootstrap: int,
    level: float,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Compare how two recipes scale: exponents, compute multiplier, crossing.

    The multiplier is the compute A needs for the loss B reaches, over B's own.

    \b
    Example:
      isoflop race runs.csv runs.csv --flops 1e22
    \b
    Python:
      isoflop.race_runs(isoflop.read_runs("runs.csv"), isoflop.read_runs("runs.csv"))
    """
    spec = FitSpec(n_resamples=bootstrap, level=level, seed=seed)
    race = race_runs(a, b, law, spec, flops=flops)
    if figure:
        from isoflop.draw.race import draw_race, race_figure

        save_drawing(figure, race_figure(race, a, b), draw_race, reads=(a.source, b.source))
    for finding in race.findings if as_json else ():
        narrate(f"{finding.severity}: {finding.code}: {finding.evidence}")
    show(race.to_dict(), race_text(race), as_json=as_json)


def race_text(race: Race) -> str:
    """Write the race on one screen."""
    exponents = [
        [
            e.name,
            str(e.a),
            str(e.b),
            str(e.difference),
            "" if e.p_value is None else f"{e.p_value:.2g}",
        ]
        for e in race.exponents
    ]
    laps = [
        [
            shorten(lap.flops),
            str(lap.loss_a),
            str(lap.loss_b),
            str(lap),
            "extrapolated" if lap.extrapolated else "",
        ]
        for lap in race.laps
    ]
    none = "not told, as the verdict is not" if race.withheld else "none near these scales"
    crossing = f"{race.crossing} {race.variable}" if race.crossing else none
    if race.crossing and race.crossing.low is None:
        crossing += f", in {100 * race.crossing_share:.0f} % of the draws: not established"
    spent = "compute" if race.variable == "flops" else race.variable
    lines = [
        f"A {race.a}, {race.fits[0].n_runs} runs; B {race.b}, {race.fits[1].n_runs} runs; "
        f"{race.law}, {100 * race.fits[0].level:.0f} % intervals",
        race.verdict,
        "",
        format_table(["", "A", "B", "B − A", "p"], exponents, right=[4]),
        "",
        format_table([race.variable, "loss A", "loss B", f"A needs × {spent}", ""], laps),
        "",
        f"crossing  {crossing}",
    ]
    for finding in race.findings:
        lines.append(f"{finding.severity}: {finding.code}: {finding.evidence}")
    return "\n".join(lines)
