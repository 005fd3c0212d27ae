"""`isoflop count`: parameters by group and FLOPs under each convention; what training costs."""

import click

from isoflop.accounting.flops import CONVENTIONS, flops_per_token
from isoflop.accounting.named import NAMED, NamedModel
from isoflop.accounting.params import count_active_params, count_groups, count_params
from isoflop.base.errors import InputError
from isoflop.base.estimate import shorten
from isoflop.base.units import to_pf_days
from isoflop.cli.amount import AMOUNT
from isoflop.cli.gpt3_table import gpt3_table
from isoflop.cli.hardware_options import Hardware, hardware_options, price
from isoflop.cli.model_options import model_options
from isoflop.cli.output import format_table, json_option, show


@click.command("count")
@model_options
@click.option("--n-tokens", type=AMOUNT, help="Also give training FLOPs for this many tokens.")
@click.option(
    "--convention", type=click.Choice(CONVENTIONS), help="FLOPs to price; matmul by default."
)
@hardware_options
@click.option("--table", type=click.Choice(["gpt3"]), help="Every model of GPT-3's table.")
@click.option("--list", "list_models", is_flag=True, help="List the models with a name.")
@json_option
def command(
    model: NamedModel | None,
    n_tokens: float | None,
    convention: str | None,
    hardware: Hardware,
    table: str | None,
    list_models: bool,
    as_json: bool,
) -> None:
    """Count parameters by group and training FLOPs per token under each convention.

    Transformers (dense, banded, mixture of experts, recurrent), LSTMs and convolutions. The
    conventions are defined in docs/conventions.md; with an accelerator, training is priced too.

    \b
    Example: GPT-3, 300B tokens
      isoflop count --n-layer 96 --d-model 12288 --n-head 96 --n-ctx 2048 --n-tokens 300B
      isoflop count --model gpt3-175b --accelerator h100 --gpus 1024 --mfu .4
      isoflop count --n-layer 24 --d-model 1024 --span alternating --band 256
      isoflop count --n-layer 12 --d-model 768 --n-expert 8 --n-active 2
      isoflop count --n-layer 1 --d-model 1024 --passes 6
      isoflop count --family lstm --n-layer 2 --d-model 1500
      isoflop count --family conv --n-layer 8 --d-model 512 --kernel 4 --gated
      isoflop count --model gpt3-175b --span alternating --band 256
      isoflop count --table gpt3
    \b
    Python:
      isoflop.flops_per_token(isoflop.Architecture(n_layer=96, d_model=12288, n_ctx=2048))
      isoflop.count_groups(isoflop.find_model("mixtral-8x7b").model)
    """
    if table or list_models:
        if model or n_tokens or convention or hardware.asked or (table and list_models):
            raise InputError(f"{'--table' if table else '--list'} stands alone, but for --json")
        show(*(gpt3_table() if table else _names()), as_json=as_json)
        return
    if model is None:
        raise InputError("give --n-layer and --d-model, or --model NAME (--list shows the names)")
    n_tokens = n_tokens or model.n_tokens
    if (hardware.asked or convention) and n_tokens is None:
        raise InputError("a price needs the tokens trained on; give --n-tokens, such as 300B")
    if convention and not hardware.asked:
        raise InputError("--convention says which FLOPs to price; give --accelerator too")
    show(*_count(model, n_tokens, convention or "matmul", hardware), as_json=as_json)


def _count(
    named: NamedModel, n_tokens: float | None, convention: str, hardware: Hardware
) -> tuple[dict[str, object], str]:
    model = named.model
    groups, params = count_groups(model), count_params(model).to_dict()
    active, per_token = count_active_params(model).to_dict(), flops_per_token(model).to_dict()
    document: dict[str, object] = {
        "model": named.name,
        "source": named.source,
        "groups": groups,
        "n_params": params,
        "n_params_active": active,
        "flops_per_token": per_token,
    }
    rows = [_row(f"group {name}", n) for name, n in groups.items()]
    rows += [_row(f"N {name}", n) for name, n in params.items()]
    if active != params:
        rows += [_row(f"N active {name}", n) for name, n in active.items()]
    rows += [_row(f"FLOPs/token {name}", c) for name, c in per_token.items()]
    notes = [f"{named.name}: {named.source}"] if named.source != "the options" else []
    notes += [named.note] if named.note else []
    if not (groups.get("norm") or groups["bias"]):
        notes.append("norms and biases left out, as Kaplan does; --norm and --biases count them")
    training, tail = "", ""
    if n_tokens is not None:
        flops = {name: rate * n_tokens for name, rate in per_token.items()}
        document |= {"n_tokens": n_tokens, "flops": flops}
        document["pf_days"] = {name: to_pf_days(c) for name, c in flops.items()}
        trained = [[name, shorten(c), shorten(to_pf_days(c))] for name, c in flops.items()]
        head = [f"C on {shorten(n_tokens)} tokens", "FLOPs", "PF-days"]
        training = f"\n\n{format_table(head, trained, right=[1, 2])}"
        if hardware.asked:
            document["cost"], text = price(flops[convention], hardware, n_params=params["total"])
            tail = f"\n\n{convention} FLOPs\n{text}"
    document["notes"] = notes
    head = [named.name or "parameters", "exactly", "about"]
    text = format_table(head, rows, right=[1, 2]) + training
    return document, "\n".join([text, *(f"· {note}" for note in notes)]) + tail


def _row(name: str, amount: float) -> list[str]:
    return [name, f"{amount:,.0f}", shorten(float(amount), digits=4)]


def _names() -> tuple[list[dict[str, object]], str]:
    document: list[dict[str, object]] = [
        {
            "name": each.name,
            "n_params": count_params(each.model).total,
            "n_params_active": count_active_params(each.model).total,
            "n_tokens": each.n_tokens,
            "source": each.source,
            "note": each.note,
        }
        for each in NAMED
    ]
    rows = [
        [
            model.name,
            shorten(float(count_params(model.model).total), digits=4),
            shorten(float(count_active_params(model.model).total), digits=4),
            "–" if model.n_tokens is None else shorten(model.n_tokens),
            model.source,
        ]
        for model in NAMED
    ]
    header = ["model", "parameters", "active", "tokens", "source"]
    return document, format_table(header, rows, right=[1, 2, 3])
