"""`isoflop regime`: what holds a plan back, and how much of its data is distinct."""

import math

import click

from isoflop.base.errors import InputError
from isoflop.base.estimate import shorten
from isoflop.cli.amount import AMOUNT
from isoflop.cli.law_line import law_line, loss_unit, lost_unit
from isoflop.cli.output import format_table, json_option, show
from isoflop.plan.contradiction.extractor import GPT_2_VOCABULARY
from isoflop.plan.contradiction.mixture import MixUse, read_mix, use_mix
from isoflop.plan.contradiction.regime import PlanRegime, find_regime
from isoflop.plan.optimum.choose import plan_budget


@click.command("regime")
@click.option("--law", help="Joint law of N and D: a published law, or a file of fit -o.")
@click.option("--n-params", type=AMOUNT, help="Parameters.")
@click.option("--n-tokens", type=AMOUNT, help="Tokens processed, repeats counted.")
@click.option("--n-tokens-unique", type=AMOUNT, help="Distinct tokens; all distinct by default.")
@click.option("--flops", type=AMOUNT, help="Budget instead: the law's compute-optimal plan.")
@click.option("--mix", help="CSV of source, n_tokens, weight; or gpt-3. Gives distinct tokens.")
@click.option("--data-law", help="L(D) to measure by; the limit of --law by default.")
@click.option("--n-vocab", type=AMOUNT, default=GPT_2_VOCABULARY, show_default=True,
              help="Vocabulary of a model that knows nothing.")  # fmt: skip
@json_option
def command(
    law: str | None,
    n_params: float | None,
    n_tokens: float | None,
    n_tokens_unique: float | None,
    flops: float | None,
    mix: str | None,
    data_law: str | None,
    n_vocab: float,
    as_json: bool,
) -> None:
    """Say what limits a plan: its model, its distinct tokens, or repeats worn out.

    \b
    Example:
      isoflop regime --mix gpt-3 --n-tokens 300B
      isoflop regime --law kaplan-2020-nd --n-params 175B --n-tokens 300B --mix gpt-3
    \b
    Python:
      isoflop.find_regime("besiroglu-2024", 7e10, 1.4e12)
    """
    if flops is not None:
        if n_params or n_tokens or law is None:
            raise InputError("--flops plans N and D by --law; give it without them")
        plan = plan_budget(law, flops)
        n_params, n_tokens = plan.n_params.value, plan.n_tokens.value
    if n_tokens is None:
        raise InputError("give --n-tokens, the tokens processed, or --flops with --law")
    if mix is not None and n_tokens_unique is not None:
        raise InputError("--mix counts the distinct tokens; leave --n-tokens-unique out")
    used = None if mix is None else use_mix(read_mix(mix), n_tokens)
    unique = used.n_tokens_unique if used else n_tokens_unique
    if law is None and used:
        if n_params:
            raise InputError("--n-params needs --law, the law to judge the plan by")
        show(used.to_dict(), mix_text(used), as_json=as_json)
        return
    if law is None or n_params is None:
        raise InputError("a regime needs --law with --n-params, or --mix alone for its tokens")
    found = find_regime(
        law,
        n_params,
        n_tokens,
        n_tokens_unique=unique,
        data_law=data_law,
        ignorant=math.log(n_vocab),
    )
    document = found.to_dict() | ({"mix": used.to_dict()} if used else {})
    text = regime_text(found, law) + (f"\n\n{mix_text(used)}" if used else "")
    show(document, text, as_json=as_json)


def regime_text(found: PlanRegime, law: str) -> str:
    """Write a plan's regime under a law on one screen."""
    shares = ", ".join(f"{name} {100 * s:.0f} %" for name, s in found.shares.items() if s)
    verdict = "credible" if found.first_epoch_credible else "not credible"
    unit = loss_unit(law)
    worths = [name for name in found.margins if name != "epochs" or found.knows_repeats]
    lines = [
        f"{found.regime}" + (f" (draws: {shares})" if shares else ""),
        f"N {shorten(found.n_params)}, {shorten(found.n_tokens)} tokens of which "
        f"{shorten(found.n_tokens_unique)} distinct: {found.effective_epochs:.2f} effective epochs",
        f"loss                  {found.loss} {unit}",
        f"L(D = E)              {found.floor} {unit}  without limit of size, all tokens distinct",
        f"extractor efficiency  {found.efficiency}",
        f"first epoch           {found.one_epoch} {unit}, where its tokens allow "
        f"{found.converged}:",
        f"{'':22}above the irreducible loss {found.first_epoch_ratio} times as much, {verdict} by "
        "the rule of 1.1",
        f"worth of one e-fold more, {lost_unit(law)}",
        *(f"  {name:<11} {found.margins[name]}" for name in worths),
        law_line(law),
    ]
    return "\n".join([*lines, *(f"note: {note}" for note in found.notes)])


def mix_text(used: MixUse) -> str:
    """Write what becomes of a mix."""
    cells = [
        [source.name, shorten(source.n_tokens_unique), f"{source.epochs:.2f}"]
        for source in used.sources
    ]
    return "\n".join(
        [
            f"{shorten(used.n_tokens)} tokens processed, {shorten(used.n_tokens_unique)} of them "
            f"distinct: {used.effective_epochs:.2f} effective epochs",
            format_table(["source", "distinct tokens seen", "epochs"], cells, right=[1, 2]),
        ]
    )
