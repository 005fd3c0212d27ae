"""`isoflop predict`: the loss of one run."""

import click

from isoflop.base.errors import InputError
from isoflop.cli.amount import AMOUNT
from isoflop.cli.law_line import predicted_unit
from isoflop.cli.output import json_option, narrate, show
from isoflop.fitting.automatic.automatic import AutomaticFit
from isoflop.fitting.foresight.covers import describe_estimate
from isoflop.fitting.frontiers.frontier import Frontier
from isoflop.plan.optimum.choose import choose_law, describe_interval, predict_budget


@click.command("predict")
@click.option("--law", required=True, help="A published law, or a file written by fit -o.")
@click.option("--n-params", type=AMOUNT, help="Parameters.")
@click.option("--n-tokens", type=AMOUNT, help="Tokens.")
@click.option("--n-tokens-unique", type=AMOUNT, help="Distinct tokens among them.")
@click.option("--flops", type=AMOUNT, help="Training FLOPs.")
@click.option("--steps", type=AMOUNT, help="Optimiser steps.")
@click.option("--loss", type=AMOUNT, help="Loss, for laws of the loss such as B_crit(L).")
@click.option("--at", multiple=True, metavar="NAME=AMOUNT", help="Any other variable; repeatable.")
@json_option
def command(law: str, at: tuple[str, ...], as_json: bool, **amounts: float | None) -> None:
    """Predict the loss of one run, or what else the law predicts, with its interval if it has one.

    The interval is of a single future run: it holds what the runs leave open of the constants, a
    run's noise and, where the fit's own runs raise the suspicion, the law's own error.

    \b
    Example:
      isoflop predict --law besiroglu-2024 --n-params 70B --n-tokens 1.4T
      isoflop predict --law hernandez-2021-text --n-params 1B --at n_finetune=3e5
    \b
    Python:
      isoflop.predict_budget("besiroglu-2024", {"n_params": 7e10, "n_tokens": 1.4e12})
    """
    chosen = choose_law(law)
    inputs = {name: value for name, value in amounts.items() if value is not None}
    inputs |= dict(_amount_at(pair) for pair in at)
    estimate, warning = predict_budget(chosen, inputs)
    lawless = isinstance(chosen, Frontier | AutomaticFit)
    quantity = "loss" if lawless else chosen.law.response
    quantity = getattr(chosen, "predicts", quantity)
    if warning:
        narrate(f"warning: {warning}")
    unit = predicted_unit(chosen, quantity)
    document = {
        quantity: estimate.to_dict(),
        "unit": unit,
        "covers": describe_interval(chosen),
        "law": law,
        "inputs": inputs,
        "warning": warning,
    }
    said = describe_estimate(estimate, describe_interval(chosen), unit)
    show(document, f"{quantity} {said}", as_json=as_json)


def _amount_at(pair: str) -> tuple[str, float]:
    """Read `n_finetune=3e5`."""
    name, equals, amount = pair.partition("=")
    if not equals:
        raise InputError(f"--at wants name=amount, such as n_finetune=3e5, found {pair!r}")
    return name.strip(), AMOUNT.convert(amount, None, None)
