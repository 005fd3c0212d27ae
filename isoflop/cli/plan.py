"""`isoflop plan`: N and D for a budget."""

from pathlib import Path

import click

from isoflop.base.estimate import shorten
from isoflop.base.units import to_pf_days
from isoflop.cli.amount import AMOUNT
from isoflop.cli.figure_option import figure_option, save_drawing
from isoflop.cli.law_line import loss_unit
from isoflop.cli.output import json_option, narrate, show
from isoflop.fitting.foresight.covers import describe_estimate
from isoflop.plan.optimum.choose import plan_budget


@click.command("plan")
@click.option("--law", required=True, help="A published law, or a file written by fit -o.")
@click.option("--flops", type=AMOUNT, required=True, help="The budget, FLOPs (C = 6ND).")
@click.option("--since", type=AMOUNT, help="First budget of the figure; a thousandth of --flops.")
@figure_option
@json_option
def command(
    law: str, flops: float, since: float | None, figure: Path | None, as_json: bool
) -> None:
    """Find the compute-optimal parameters and tokens for a budget.

    Intervals of parameters, tokens and mean loss hold the error of the law's constants only; that
    of a single run's loss also its noise and, where the fit's runs raise the suspicion, the law's
    own error.

    \b
    Example:
      isoflop plan --law besiroglu-2024 --flops 5.76e23
      isoflop plan --law law.json --flops 1e21
      isoflop plan --law law.json --flops 1e21 --figure growth
    \b
    Python:
      isoflop.plan_budget("besiroglu-2024", 5.76e23)
    """
    if since and not figure:
        raise click.UsageError("--since begins a figure; give --figure PATH with it")
    plan, unit = plan_budget(law, flops), loss_unit(law)
    lines = [
        f"budget            {shorten(flops)} FLOPs = {shorten(to_pf_days(flops))} PF-days",
        f"parameters        {plan.n_params}",
        f"tokens            {plan.n_tokens}",
        f"tokens/parameter  {plan.tokens_per_param}",
        f"loss, mean        {describe_estimate(plan.loss, plan.loss_covers, unit)}",
    ]
    if plan.run_loss:
        lines.append(f"loss, one run     {describe_estimate(plan.run_loss, plan.run_covers, unit)}")
    for note in plan.notes:
        narrate(f"note: {note}")
    for finding in plan.findings:
        narrate(f"{finding.severity}: {finding.code}: {finding.evidence}; {finding.consequence}")
    if figure:
        from isoflop.draw.growth import allocation_figure, draw_growth

        drawn = allocation_figure(law, (since or flops / 1000, flops))
        save_drawing(figure, drawn, draw_growth, reads=(law,))
    show(plan.to_dict(), "\n".join(lines), as_json=as_json)
