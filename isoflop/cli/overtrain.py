"""`isoflop overtrain`: more tokens per parameter than the optimum, and when that pays."""

import click

from isoflop.base.estimate import shorten
from isoflop.cli.amount import AMOUNT
from isoflop.cli.estimates import narrate_notes, write_estimate, write_factor
from isoflop.cli.law_line import law_line, loss_unit, lost_unit
from isoflop.cli.output import format_parts, json_option, show

SAME_RATIO, SIZE = "compute, same D/N", "N, same D/N"
FOOTNOTE = f"""{SAME_RATIO}: over the budget, for the optimum's loss at this D/N by more of both
{SIZE}: size of that model over the optimum's; pays after so many tokens served"""


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
    header = ["over", "D/N", "N", "D", f"loss, {loss_unit(law)}", f"{lost_unit(law)} lost"]
    header += [SAME_RATIO, SIZE, "pays after"]
    text = f"{law_line(law)}\n{format_parts(header, rows)}\n{FOOTNOTE}"
    narrate_notes(found.notes)
    show(found.to_dict(), text, as_json=as_json)
