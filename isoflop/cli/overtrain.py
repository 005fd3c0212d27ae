"""`isoflop overtrain`: more tokens per parameter than the optimum, and when that pays."""

import click

from isoflop.base.estimate import shorten
from isoflop.cli.amount import AMOUNT
from isoflop.cli.estimates import narrate_notes, write_estimate, write_factor
from isoflop.cli.output import format_table, json_option, show


@click.command("overtrain")
@click.option("--flops", type=AMOUNT, required=True, help="The budget, FLOPs (C = 6ND).")
@click.option("--law", default="gadre-2024-redpajama", show_default=True, help="Of N and D.")
@click.option("--factor", "factors", type=AMOUNT, multiple=True, help="M/M_opt; repeatable.")
@json_option
def command(flops: float, law: str, factors: tuple[float, ...], as_json: bool) -> None:
    """Price a smaller model on more tokens: nats at one compute, compute at one loss.

    \b
    Example:
      isoflop overtrain --flops 1e21
      isoflop overtrain --flops 1e23 --law besiroglu-2024 --factor 10 --factor 75
    \b
    Python:
      isoflop.price_over_training(1e21)
    """
    from isoflop.plan.lifetime.over_training import FACTORS, price_over_training

    found = price_over_training(flops, law, factors=factors or FACTORS)
    rows = [
        [
            f"{shorten(row.factor)}×",
            write_estimate(row.tokens_per_param),
            write_estimate(row.n_params),
            write_estimate(row.n_tokens),
            write_estimate(row.loss),
            write_estimate(row.penalty),
            write_factor(row.equal_flops),
            write_factor(row.equal_params),
            write_estimate(row.pays_after),
        ]
        for row in found.table
    ]
    header = ["over", "D/N", "N", "D", "loss", "nats lost", "compute*", "size*", "pays after"]
    text = format_table(header, rows, right=range(9))
    text += "\n* over the optimum's, to reach its loss; pays after so many tokens served"
    narrate_notes(found.notes)
    show(found.to_dict(), text, as_json=as_json)
