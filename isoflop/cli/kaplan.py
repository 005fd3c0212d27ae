"""`isoflop kaplan`: when to stop, which size, which split, how many tokens; batch beside it."""

from pathlib import Path

import click

from isoflop.base.estimate import shorten
from isoflop.cli.amount import AMOUNT
from isoflop.cli.estimates import narrate_notes, write_estimate, write_factor, write_share
from isoflop.cli.figure_option import figure_option, save_drawing
from isoflop.cli.kaplan_batch import command as batch
from isoflop.cli.output import format_table, json_option, show

LAW = click.option(
    "--law", default="kaplan-2020-ns", show_default=True, help="A law of N and S, or a fit's file."
)


@click.group("kaplan")
def command() -> None:
    """Kaplan's economics of training: batch, steps, time, size and overfitting.

    \b
    Example:
      isoflop kaplan stop
      isoflop kaplan batch --flops 1e21
    \b
    Python:
      isoflop.compare_stopping()
    """


command.add_command(batch)


@command.command("stop")
@LAW
@click.option("--instead", type=AMOUNT, default=0.02, show_default=True, help="Above converged.")
@click.option("--loss", type=AMOUNT, help="Target loss: parameters and steps of both are given.")
@json_option
def stop(law: str, instead: float, loss: float | None, as_json: bool) -> None:
    """Say how far above converged to stop, and what training on would cost.

    \b
    Example:
      isoflop kaplan stop
      isoflop kaplan stop --instead .05 --loss 2.6
    \b
    Python:
      isoflop.compare_stopping(instead=.05, loss=2.6)
    """
    from isoflop.plan.kaplan.stopping import compare_stopping

    found = compare_stopping(law, instead=instead, loss=loss)
    lines = [
        f"stop              {write_share(found.best.above_converged)} above converged",
        f"instead of        {100 * instead:g} % above converged, at the same loss",
        f"parameters        {write_factor(found.params_ratio)} as many",
        f"steps             {write_factor(found.steps_ratio)} fewer",
        f"compute           {write_share(found.compute_saved)} less",
    ]
    if loss is not None:
        for words, way in (("so", found.best), ("instead", found.instead)):
            lines.append(
                f"{words:<18}{write_estimate(way.n_params)} parameters, "
                f"{write_estimate(way.steps)} steps far above the critical batch"
            )
    narrate_notes(found.notes)
    show(found.to_dict(), "\n".join(lines), as_json=as_json)


@command.command("size")
@click.option("--ratio", type=AMOUNT, default=1.0, show_default=True, help="N over the efficient.")
@click.option("--excess", type=AMOUNT, default=0.2, show_default=True, help="Compute of the band.")
@LAW
@figure_option
@json_option
def size(ratio: float, excess: float, law: str, figure: Path | None, as_json: bool) -> None:
    """Price a model larger or smaller than the compute-efficient one, at the same loss.

    \b
    Example:
      isoflop kaplan size --ratio 2.2
      isoflop kaplan size --figure size
    \b
    Python:
      isoflop.price_wrong_size(2.2)
    """
    from isoflop.plan.kaplan.wrong_size import price_wrong_size

    found = price_wrong_size(ratio, law, excess=excess)
    lines = [
        f"size              {ratio:g} times the compute-efficient one",
        f"compute           {write_factor(found.compute_ratio)} for the same loss",
        f"steps             {write_factor(found.steps_ratio)} for the same loss",
        f"within {100 * excess:g} %       {write_factor(found.smallest)} to "
        f"{write_factor(found.largest)} the size",
    ]
    narrate_notes(found.notes)
    if figure:
        from isoflop.draw.off_optimum import draw_off_optimum, wrong_size_figure

        drawn = wrong_size_figure(law, excess=excess)
        save_drawing(figure, drawn, draw_off_optimum, reads=(law,))
    show(found.to_dict(), "\n".join(lines), as_json=as_json)


@command.command("split")
@click.option("--compute", type=AMOUNT, default=1e9, show_default=True, help="Growth of compute.")
@click.option("--steps-law", help="A law of N and S: the theory, from it.")
@click.option("--critical-law", help="A law of the critical batch: the theory, from it.")
@figure_option
@json_option
def split(
    compute: float,
    steps_law: str | None,
    critical_law: str | None,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Split a growth of compute among model size, batch and serial steps.

    \b
    Example:
      isoflop kaplan split --compute 1e9
      isoflop kaplan split --steps-law kaplan-2020-ns
      isoflop kaplan split --figure split
    \b
    Python:
      isoflop.split_growth(1e9)
    """
    from isoflop.plan.kaplan.split import split_growth

    found = split_growth(compute, steps_law=steps_law, critical_law=critical_law)
    names = {
        "n_params": "parameters",
        "batch_tokens": "batch",
        "steps": "serial steps",
        "n_tokens": "tokens",
    }
    rows = [
        [words, write_factor(getattr(found, name)), f"C^{found.exponents[name]}"]
        for name, words in names.items()
    ]
    table = format_table([f"compute {shorten(compute)}×", "grow", "as"], rows, right=[1])
    narrate_notes(found.notes)
    if figure:
        from isoflop.draw.growth import draw_growth, growth_figure

        save_drawing(figure, growth_figure(found), draw_growth, reads=(steps_law, critical_law))
    show(found.to_dict(), table, as_json=as_json)


@command.command("overfit")
@click.option("--n-params", type=AMOUNT, required=True, help="Non-embedding parameters.")
@click.option("--tolerance", type=AMOUNT, default=0.02, show_default=True, help="Of the loss.")
@click.option("--n-tokens", type=AMOUNT, help="Distinct tokens at hand: penalty, early stop.")
@click.option("--law", default="kaplan-2020-nd", show_default=True, help="A law of N and D.")
@click.option("--steps-law", default="kaplan-2020-ns", show_default=True, help="For the stop.")
@json_option
def overfit(
    n_params: float,
    tolerance: float,
    n_tokens: float | None,
    law: str,
    steps_law: str,
    as_json: bool,
) -> None:
    """Find the distinct tokens that keep overfitting small, and when to stop on fewer.

    \b
    Example:
      isoflop kaplan overfit --n-params 1B
      isoflop kaplan overfit --n-params 1B --n-tokens 5B --tolerance .01
    \b
    Python:
      isoflop.bound_overfitting(1e9, n_tokens=5e9, tolerance=.01)
    """
    from isoflop.plan.kaplan.overfitting import bound_overfitting

    found = bound_overfitting(
        n_params, tolerance=tolerance, n_tokens=n_tokens, law=law, steps_law=steps_law
    )
    lines = [f"tokens needed     {found.n_tokens_needed} for {100 * tolerance:g} % of the loss"]
    if found.prefactor is not None:
        lines.append(f"as a rule         D ≥ {found.prefactor}·N^{found.exponent}")
    if found.at_hand is not None:
        lines += [
            f"on {shorten(found.at_hand.n_tokens):<15}loss {found.at_hand.loss}, "
            f"{write_share(found.at_hand.penalty)} above that on endless data",
            f"early stop        not before {write_estimate(found.at_hand.stop_after)} steps, far "
            "above the critical batch",
        ]
    narrate_notes(found.notes)
    show(found.to_dict(), "\n".join(lines), as_json=as_json)
