"""`isoflop count`: parameters and FLOPs under each convention."""

import click

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.flops import flops_per_token
from isoflop.accounting.params import count_params
from isoflop.base.errors import InputError
from isoflop.base.units import to_pf_days
from isoflop.cli.amount import AMOUNT
from isoflop.cli.output import format_table, json_option, show


@click.command("count")
@click.option("--n-layer", type=int, required=True, help="Blocks.")
@click.option("--d-model", type=int, required=True, help="Width.")
@click.option("--d-ff", type=int, default=None, help="Feed-forward width; 4·d_model by default.")
@click.option("--d-attn", type=int, default=None, help="Attention width; d_model by default.")
@click.option("--n-head", type=int, default=None, help="Heads; d_attn/64 by default.")
@click.option("--n-ctx", type=int, default=1024, show_default=True, help="Context, tokens.")
@click.option("--n-vocab", type=int, default=50257, show_default=True, help="Vocabulary.")
@click.option("--tied/--untied", default=True, show_default=True, help="Head shares embedding.")
@click.option("--positions", type=click.Choice(["learned", "rotary"]), default="learned")
@click.option("--n-tokens", type=AMOUNT, help="Also give training FLOPs for this many tokens.")
@json_option
def command(
    n_layer: int,
    d_model: int,
    d_ff: int | None,
    d_attn: int | None,
    n_head: int | None,
    n_ctx: int,
    n_vocab: int,
    tied: bool,
    positions: str,
    n_tokens: float | None,
    as_json: bool,
) -> None:
    """Count parameters by group and training FLOPs per token under each convention.

    \b
    Example: GPT-3, 300B tokens
      isoflop count --n-layer 96 --d-model 12288 --n-head 96 --n-ctx 2048 --n-tokens 300B
    \b
    Python:
      isoflop.flops_per_token(isoflop.Architecture(n_layer=96, d_model=12288, n_ctx=2048))
    """
    for name, value in (("--d-ff", d_ff), ("--d-attn", d_attn), ("--n-head", n_head)):
        if value is not None and value < 1:
            raise InputError(f"{name} must be a positive integer, found {value}")
    shape = Architecture(
        n_layer, d_model, d_ff or 0, d_attn or 0, n_head or 0, n_ctx, n_vocab, tied,
        "rotary" if positions == "rotary" else "learned",
    )  # fmt: skip
    params, per_token = count_params(shape).to_dict(), flops_per_token(shape).to_dict()
    document: dict[str, object] = {"n_params": params, "flops_per_token": per_token}
    rows = [[f"N {name}", f"{n:,}", f"{n:.4g}"] for name, n in params.items()]
    rows += [[f"FLOPs/token {name}", f"{c:,.0f}", f"{c:.4g}"] for name, c in per_token.items()]
    if n_tokens is not None:
        flops = {name: rate * n_tokens for name, rate in per_token.items()}
        document |= {"n_tokens": n_tokens, "flops": flops}
        document["pf_days"] = {name: to_pf_days(c) for name, c in flops.items()}
        rows += [
            [f"C {name}", f"{c:.3g} FLOPs", f"{to_pf_days(c):.3g} PF-days"]
            for name, c in flops.items()
        ]
    show(document, format_table(["count", "", ""], rows, right=[1, 2]), as_json=as_json)
