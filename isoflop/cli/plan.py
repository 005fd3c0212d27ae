"""`isoflop plan`: N and D for a budget."""

import click

from isoflop.base.estimate import shorten
from isoflop.base.units import to_pf_days
from isoflop.cli.amount import AMOUNT
from isoflop.cli.output import json_option, narrate, show
from isoflop.plan.choose import plan_budget


@click.command("plan")
@click.option("--law", required=True, help="A published law, or a file written by fit -o.")
@click.option("--flops", type=AMOUNT, required=True, help="The budget, FLOPs (C = 6ND).")
@json_option
def command(law: str, flops: float, as_json: bool) -> None:
    """Find the compute-optimal parameters and tokens for a budget.

    \b
    Example:
      isoflop plan --law besiroglu-2024 --flops 5.76e23
      isoflop plan --law law.json --flops 1e21
    \b
    Python:
      isoflop.plan_budget("besiroglu-2024", 5.76e23)
    """
    plan = plan_budget(law, flops)
    lines = [
        f"budget            {shorten(flops)} FLOPs = {shorten(to_pf_days(flops))} PF-days",
        f"parameters        {plan.n_params}",
        f"tokens            {plan.n_tokens}",
        f"tokens/parameter  {plan.tokens_per_param}",
        f"loss              {plan.loss}",
    ]
    for note in plan.notes:
        narrate(f"note: {note}")
    show(plan.to_dict(), "\n".join(lines), as_json=as_json)
