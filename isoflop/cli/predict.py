"""`isoflop predict`: the loss of one run."""

import click

from isoflop.cli.amount import AMOUNT
from isoflop.cli.output import json_option, narrate, show
from isoflop.plan.choose import choose_law, predict_budget


@click.command("predict")
@click.option("--law", required=True, help="A published law, or a file written by fit -o.")
@click.option("--n-params", type=AMOUNT, help="Parameters.")
@click.option("--n-tokens", type=AMOUNT, help="Tokens.")
@click.option("--n-tokens-unique", type=AMOUNT, help="Distinct tokens among them.")
@click.option("--flops", type=AMOUNT, help="Training FLOPs.")
@click.option("--steps", type=AMOUNT, help="Optimiser steps.")
@click.option("--loss", type=AMOUNT, help="Loss, for laws of the loss such as B_crit(L).")
@json_option
def command(law: str, as_json: bool, **amounts: float | None) -> None:
    """Predict the loss of one run, with an interval where the law has one.

    \b
    Example:
      isoflop predict --law besiroglu-2024 --n-params 70B --n-tokens 1.4T
    \b
    Python:
      isoflop.predict_budget("besiroglu-2024", {"n_params": 7e10, "n_tokens": 1.4e12})
    """
    chosen = choose_law(law)
    inputs = {name: value for name, value in amounts.items() if value is not None}
    estimate, warning = predict_budget(chosen, inputs)
    quantity = getattr(chosen, "predicts", "loss")
    if warning:
        narrate(f"warning: {warning}")
    document = {quantity: estimate.to_dict(), "law": law, "inputs": inputs, "warning": warning}
    show(document, f"{quantity} {estimate}", as_json=as_json)
