"""`isoflop data`: a budget on limited distinct data."""

from pathlib import Path

import click

from isoflop.base.estimate import shorten
from isoflop.cli.amount import AMOUNT
from isoflop.cli.estimates import narrate_notes, write_amount, write_estimate, write_share
from isoflop.cli.figure_option import figure_option, save_drawing
from isoflop.cli.law_line import law_line, loss_unit, lost_unit
from isoflop.cli.output import format_parts, format_table, json_option, show


@click.command("data")
@click.option("--flops", type=AMOUNT, required=True, help="The budget, FLOPs (C = 6ND).")
@click.option("--unique", type=AMOUNT, required=True, help="Distinct tokens at hand.")
@click.option("--law", default="muennighoff-2023-repeated", show_default=True)
@click.option("--epochs", type=AMOUNT, multiple=True, help="Epochs to value; repeatable.")
@click.option("--more", type=AMOUNT, multiple=True, help="Times as much data; repeatable.")
@figure_option
@json_option
def command(
    flops: float,
    unique: float,
    law: str,
    epochs: tuple[float, ...],
    more: tuple[float, ...],
    figure: Path | None,
    as_json: bool,
) -> None:
    """Allocate a budget on data that repeat, value epochs, and price more distinct data.

    \b
    Example:
      isoflop data --flops 1e22 --unique 25B
      isoflop data --flops 1e22 --unique 25B --epochs 4 --more 2
      isoflop data --flops 1e22 --unique 25B --figure repeats
    \b
    Python:
      isoflop.plan_repeats(1e22, 25e9)
      isoflop.value_repeats(epochs=[4])
      isoflop.price_data(1e22, 25e9, factors=[2])
    """
    from isoflop.plan.data.allocation import plan_repeats
    from isoflop.plan.data.buying import FACTORS, price_data
    from isoflop.plan.data.worth import EPOCHS, value_repeats

    plan = plan_repeats(flops, unique, law)
    worth = value_repeats(law, epochs=epochs or EPOCHS)
    bought = price_data(flops, unique, law, factors=more or FACTORS)
    unit = loss_unit(law)
    lines = [
        law_line(law),
        f"parameters        {plan.n_params}",
        f"tokens            {plan.n_tokens}",
        f"epochs            {plan.epochs}",
        f"worth             {plan.worth} fresh tokens",
        f"loss              {plan.loss} {unit}",
        f"on endless data   {plan.fresh_loss} {unit}, with {plan.fresh_n_params} parameters",
        f"on these, ever    {bought.floor} {unit}, with endless compute",
    ]
    worths = [
        [
            write_amount(row.epochs) if row.epochs < float("inf") else "endless",
            write_estimate(row.worth),
            write_share(row.share),
            write_share(row.next_token),
        ]
        for row in worth.table
    ]
    offers = [
        [
            f"{shorten(offer.factor)}×",
            write_estimate(offer.epochs),
            write_estimate(offer.loss),
            write_estimate(offer.gain),
            write_estimate(offer.flops_equal),
        ]
        for offer in bought.offers
    ]
    header = ["epochs", "worth, fresh epochs", "a token, mean", "the next token"]
    asked = [
        "more data",
        "epochs",
        f"loss, {unit}",
        f"{lost_unit(law)} saved",
        "FLOPs that do the same",
    ]
    text = "\n".join(
        [
            *lines,
            "",
            format_table(header, worths, right=range(4)),
            "",
            format_parts(asked, offers),
        ]
    )
    narrate_notes(tuple(dict.fromkeys((*plan.notes, *worth.notes, *bought.notes))))
    if figure:
        from isoflop.draw.repeats import draw_repeats, repeats_figure

        drawn = repeats_figure(law, n_tokens_unique=unique, flops=flops)
        save_drawing(figure, drawn, draw_repeats, reads=(law,))
    document = {"plan": plan.to_dict(), "worth": worth.to_dict(), "more_data": bought.to_dict()}
    show(document, text, as_json=as_json)
