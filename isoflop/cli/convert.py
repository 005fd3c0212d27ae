"""`isoflop convert`: units of compute, of loss and of data."""

import click

from isoflop.accounting.conversion import convert_units
from isoflop.accounting.ratios import RATIO_SETS, find_ratios, parse_ratio
from isoflop.base.errors import InputError
from isoflop.cli.amount import AMOUNT
from isoflop.cli.output import format_table, json_option, show


@click.command("convert")
@click.argument("amount", type=AMOUNT, required=False)
@click.argument("unit", required=False)
@click.argument("to", required=False)
@click.option("--ratio", "ratios", multiple=True, help="A tie, such as '4.3 char/token'.")
@click.option("--using", multiple=True, help="A published set of ratios; --list shows them.")
@click.option("--list", "list_sets", is_flag=True, help="List the published ratios.")
@json_option
def command(
    amount: float | None,
    unit: str | None,
    to: str | None,
    ratios: tuple[str, ...],
    using: tuple[str, ...],
    list_sets: bool,
    as_json: bool,
) -> None:
    """Convert units: PF-days and FLOPs; nats and bits per token, char, byte, image; words, bytes.

    Compute: FLOP, GFLOP … ZFLOP, PF-days. Loss: nats or bits per token, word, char, byte or
    image. Data: tokens, words, chars, images, bytes, KB … PB. Between tokens and anything else
    a ratio is needed and none is assumed.

    \b
    Example:
      isoflop convert 3.14e23 FLOP PF-days
      isoflop convert 1.7 nats/token bits/char --ratio "4.3 char/token"
      isoflop convert 300B tokens TB --using slides
      isoflop convert 2.64 nats/token nats/image --using image-16x16
    \b
    Python:
      isoflop.convert_units(3.14e23, "FLOP", "PF-days")
    """
    if list_sets:
        show(*_sets(), as_json=as_json)
        return
    if amount is None or unit is None or to is None:
        raise InputError("give an amount and two units: isoflop convert 3.14e23 FLOP PF-days")
    ties = [parse_ratio(text) for text in ratios]
    ties += [ratio for name in using for ratio in find_ratios(name).ratios]
    value = convert_units(amount, unit, to, ratios=ties)
    document = {"value": value, "unit": to, "from": {"value": amount, "unit": unit}}
    sources = [find_ratios(name).source for name in using]
    text = "\n".join([f"{value:.6g} {to}", *(f"· {source}" for source in sources)])
    show({**document, "ratios": [*ratios, *using]}, text, as_json=as_json)


def _sets() -> tuple[list[dict[str, object]], str]:
    document: list[dict[str, object]] = []
    rows = []
    for name, each in RATIO_SETS.items():
        ties = [f"{ratio.value:.4g} {ratio.many}/{ratio.one}" for ratio in each.ratios]
        document.append({"name": name, "ratios": ties, "source": each.source})
        rows.append([name, ", ".join(ties), each.source])
    return document, format_table(["ratios", "", "source"], rows)
