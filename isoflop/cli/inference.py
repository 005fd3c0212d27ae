"""`isoflop inference`: the cheapest model of a quality, with what it will serve."""

import click

from isoflop.base.estimate import shorten
from isoflop.cli.amount import AMOUNT
from isoflop.cli.estimates import narrate_notes, write_estimate, write_factor, write_share
from isoflop.cli.law_line import law_line, loss_unit
from isoflop.cli.output import json_option, show


@click.command("inference")
@click.option("--served", type=AMOUNT, required=True, help="Tokens of inference over its life.")
@click.option("--n-params", type=AMOUNT, help="Size of the model whose quality is wanted.")
@click.option("--n-tokens", type=AMOUNT, help="Its tokens; by default its optimum's.")
@click.option("--loss", type=AMOUNT, help="Instead of a model: the loss wanted.")
@click.option("--law", default="sardana-2024", show_default=True, help="A law of N and D.")
@click.option("--price-ratio", type=AMOUNT, default=1.0, show_default=True,
              help="Price of a FLOP served over one trained.")  # fmt: skip
@json_option
def command(
    served: float,
    n_params: float | None,
    n_tokens: float | None,
    loss: float | None,
    law: str,
    price_ratio: float,
    as_json: bool,
) -> None:
    """Find the model of least FLOPs over its life, training and inference together.

    \b
    Example:
      isoflop inference --served 1e11 --n-params 7B
      isoflop inference --served 2T --loss 2.1 --law besiroglu-2024
    \b
    Python:
      isoflop.plan_inference(1e11, n_params=7e9)
    """
    from isoflop.plan.lifetime.inference import plan_inference

    plan = plan_inference(
        served, n_params=n_params, n_tokens=n_tokens, loss=loss, law=law, price_ratio=price_ratio
    )
    lines = [
        law_line(law),
        f"loss              {plan.loss} {loss_unit(law)}",
        f"parameters        {plan.n_params}",
        f"tokens            {plan.n_tokens}",
        f"FLOPs             {plan.flops_training} to train, {plan.flops_inference} to serve",
    ]
    if plan.params_ratio and plan.tokens_ratio and plan.saved and n_params:
        lines += [
            f"instead of        {shorten(n_params)} parameters on "
            f"{write_estimate(plan.reference_n_tokens)} tokens",
            f"ratios            {write_factor(plan.params_ratio)} its parameters, "
            f"{write_factor(plan.tokens_ratio)} its tokens",
            f"saved             {write_share(plan.saved)} of its FLOPs",
        ]
    narrate_notes(plan.notes)
    show(plan.to_dict(), "\n".join(lines), as_json=as_json)
