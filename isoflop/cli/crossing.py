"""`isoflop crossing`: where the compute and the data law contradict each other."""

import click

from isoflop.base.estimate import shorten
from isoflop.cli.output import json_option, show
from isoflop.plan.contradiction.crossing import find_crossing


@click.command("crossing")
@click.option("--compute-law", default="kaplan-2020-l-cmin", show_default=True)
@click.option("--data-law", default="kaplan-2020-l-d", show_default=True)
@click.option("--tokens-rule", default="kaplan-2020-d-opt", show_default=True)
@click.option("--params-rule", default="kaplan-2020-n-opt", show_default=True)
@json_option
def command(
    compute_law: str, data_law: str, tokens_rule: str, params_rule: str, as_json: bool
) -> None:
    """Find the compute beyond which L(C) promises less loss than L(D(C)) allows.

    \b
    Example:
      isoflop crossing
    \b
    Python:
      isoflop.find_crossing()
    """
    found = find_crossing(compute_law, data_law, tokens_rule=tokens_rule, params_rule=params_rule)
    lines = [
        f"C*  {found.flops} FLOPs = {found.pf_days} PF-days",
        f"N*  {found.n_params} parameters",
        f"D*  {found.n_tokens} tokens",
        f"L*  {found.loss} nats/token",
        "constants used",
        *(f"  {role:<12} {law.name}: {law.form}, "
          + ", ".join(f"{k} = {v:g} {law.printed_units.get(k, '')}".rstrip()
                      for k, v in law.printed.items())
          + f" ({law.source})" for role, law in found.constants.items()),
        "C* if an exponent were a little different",
        *(f"  {s.exponent} {100 * s.change:+.0f} %: "
          + (f"{shorten(s.flops / 8.64e19)} PF-days" if s.flops else "no crossing")
          for s in found.sensitivity),
    ]  # fmt: skip
    show(found.to_dict(), "\n".join(lines), as_json=as_json)
