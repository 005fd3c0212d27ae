"""`isoflop tune`: learning rate and batch for one run, by every rule."""

import click

from isoflop.base.estimate import shorten
from isoflop.cli.amount import AMOUNT
from isoflop.cli.estimates import narrate_notes, write_estimate
from isoflop.cli.output import format_table, json_option, narrate, show
from isoflop.laws.published.entry import UNITS


@click.command("tune")
@click.option("--n-params", type=AMOUNT, required=True, help="Non-embedding parameters.")
@click.option("--n-tokens", type=AMOUNT, required=True, help="Tokens.")
@click.option("--loss", type=AMOUNT, help="For the critical batch; by kaplan-2020-nd if absent.")
@click.option("--rule", "rules", multiple=True, help="Another, such as a fit's file; repeatable.")
@json_option
def command(
    n_params: float, n_tokens: float, loss: float | None, rules: tuple[str, ...], as_json: bool
) -> None:
    """Set learning rates and batches side by side, with how far each rule extrapolates.

    \b
    Example:
      isoflop tune --n-params 1B --n-tokens 20B
    \b
    Python:
      isoflop.compare_tuning(1e9, 2e10)
    """
    from isoflop.plan.tuning.side_by_side import compare_tuning

    found = compare_tuning(n_params, n_tokens, loss=loss, rules=rules)
    words = {"lr": "peak rate", "batch_tokens": UNITS["batch_tokens"]}
    rows = [
        [
            row.rule,
            words[row.quantity],
            write_estimate(row.value),
            ", ".join(f"{name} {shorten(x)}" for name, x in row.read.items()),
            ", ".join(
                f"{shorten(low)} to {shorten(high)}" for low, high in (row.ranges or {}).values()
            ),
            row.reach,
        ]
        for row in found.rows
    ]
    text = format_table(["rule", "", "value", "at", "fitted on", "reach"], rows, right=[2])
    text += "\nlargest over smallest: " + ", ".join(
        f"{words[name]} {shorten(factor)}×" for name, factor in found.spread.items()
    )
    narrate_notes(found.notes)
    if found.warning:
        narrate(f"warning: {found.warning}")
    show(found.to_dict(), text, as_json=as_json)
