"""`isoflop size`: models smaller and larger than a budget's optimum."""

from pathlib import Path

import click

from isoflop.base.estimate import shorten
from isoflop.cli.amount import AMOUNT
from isoflop.cli.estimates import narrate_notes, write_estimate, write_factor, write_share
from isoflop.cli.figure_option import figure_option, save_drawing
from isoflop.cli.law_line import law_line, loss_unit, lost_unit
from isoflop.cli.output import format_parts, json_option, show

SAME_N = "compute, same N"
FOOTNOTE = f"""wasted: share of the budget that a model of the best size saves at this loss
{SAME_N}: over the budget, for the optimum's loss from this size by more tokens"""


@click.command("size")
@click.option("--flops", type=AMOUNT, required=True, help="The budget, FLOPs (C = 6ND).")
@click.option("--law", required=True, help="A published law of N and D, or a file of fit -o.")
@click.option("--ratio", "ratios", type=AMOUNT, multiple=True, help="N over N*; repeatable.")
@click.option("--excess", type=AMOUNT, default=0.2, show_default=True, help="Compute of the band.")
@click.option("--usd", type=AMOUNT, help="Price of the budget, for the dollars wasted.")
@figure_option
@json_option
def command(
    flops: float,
    law: str,
    ratios: tuple[float, ...],
    excess: float,
    usd: float | None,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Price a model smaller or larger than the optimum: nats, compute, dollars.

    \b
    Example:
      isoflop size --flops 5.76e23 --law besiroglu-2024
      isoflop size --flops 1e21 --law besiroglu-2024 --ratio 3 --usd 10k
      isoflop size --flops 1e21 --law besiroglu-2024 --figure size
    \b
    Python:
      isoflop.price_off_optimum(5.76e23, "besiroglu-2024")
    """
    from isoflop.plan.lifetime.off_optimum import RATIOS, price_off_optimum

    found = price_off_optimum(flops, law, ratios=ratios or RATIOS, excess=excess)
    rows = [
        [
            f"{shorten(row.ratio)}×",
            write_estimate(row.n_params),
            write_estimate(row.n_tokens),
            write_estimate(row.loss),
            write_estimate(row.penalty),
            write_share(row.wasted),
            write_estimate(row.wasted, factor=usd or 0.0) if usd else "",
            write_factor(row.equal_flops),
        ]
        for row in found.table
    ]
    unit, money = loss_unit(law), "USD" if usd else ""
    header = ["size", "N", "D", f"loss, {unit}", f"{lost_unit(law)} lost", "wasted", money, SAME_N]
    text = f"{law_line(law)}\n{format_parts(header, rows)}\n{FOOTNOTE}; within " + (
        f"{100 * excess:g} % from {write_factor(found.smallest)} to {write_factor(found.largest)}"
    )
    narrate_notes(found.notes)
    if figure:
        from isoflop.draw.off_optimum import draw_off_optimum, off_optimum_figure

        drawn = off_optimum_figure(law, flops, excess=excess)
        save_drawing(figure, drawn, draw_off_optimum, reads=(law,))
    show({**found.to_dict(), "usd": usd}, text, as_json=as_json)
