"""`isoflop century`: a budget of a century through the laws, and the slides it comes from."""

from pathlib import Path

import click

from isoflop.base.estimate import Estimate, shorten
from isoflop.cli.amount import AMOUNT
from isoflop.cli.figure_option import figure_option, save_drawing
from isoflop.cli.output import format_table, json_option, show
from isoflop.plan.forecast.audit import SLIDES, AuditRow, audit_slides
from isoflop.plan.forecast.century import Anchor, Century, CenturySpec, forecast_century
from isoflop.plan.forecast.reading import exhaust_stocks
from isoflop.plan.forecast.stock import STOCKS, Exhaustion, choose_stocks, read_stocks

GPT3 = Anchor()
USUAL = CenturySpec()


@click.command("century")
@click.option("--usd", type=AMOUNT, default=USUAL.usd, show_default=True, help="Money, dollars.")
@click.option("--flops-per-usd", type=AMOUNT, default=USUAL.flops_per_usd, show_default=True)
@click.option("--growth", type=AMOUNT, help="Times the anchor's compute; from the money if left.")
@click.option("--params-exponent", type=float, default=USUAL.params_exponent, show_default=True)
@click.option("--tokens-exponent", type=float, default=USUAL.tokens_exponent, show_default=True)
@click.option("--exponent-error", type=float, default=USUAL.exponent_error, show_default=True,
              help="Relative half width of every exponent's 90 % interval.")  # fmt: skip
@click.option("--anchor-flops", type=AMOUNT, default=GPT3.flops, show_default=True)
@click.option("--anchor-params", type=AMOUNT, default=GPT3.n_params, show_default=True)
@click.option("--anchor-tokens", type=AMOUNT, default=GPT3.n_tokens, show_default=True)
@click.option("--data-law", default=USUAL.data_law, show_default=True, help="Loss of tokens.")
@click.option("--compute-law", default=USUAL.compute_law, show_default=True, help="Loss of FLOPs.")
@click.option("--ratios", default=USUAL.ratios, show_default=True, help="Tokens, words, bytes.")
@click.option("--inventory", type=click.Path(path_type=Path), help="CSV of stocks of your own.")
@click.option("--stock", multiple=True, help="Keep this stock or modality; may be repeated.")
@click.option("--rule", multiple=True, help="Law that says how much text a budget reads.")
@click.option("--per-year", type=AMOUNT, help="Growth of compute a year, to date exhaustion.")
@click.option("--from-year", type=float, default=2020.0, show_default=True)
@click.option("--audit", is_flag=True, help="The slides' numbers, printed beside recomputed.")
@figure_option
@json_option
def command(
    usd: float,
    flops_per_usd: float,
    growth: float | None,
    params_exponent: float,
    tokens_exponent: float,
    exponent_error: float,
    anchor_flops: float,
    anchor_params: float,
    anchor_tokens: float,
    data_law: str,
    compute_law: str,
    ratios: str,
    inventory: Path | None,
    stock: tuple[str, ...],
    rule: tuple[str, ...],
    per_year: float | None,
    from_year: float,
    audit: bool,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Carry money through FLOPs to parameters, bytes and loss, and to the data there are.

    \b
    Example:
      isoflop century
      isoflop century --audit
    \b
    Python:
      isoflop.forecast_century()
      isoflop.audit_slides()
    """
    name = GPT3.name if anchor_flops == GPT3.flops else "the anchor"
    anchor = Anchor(name, anchor_flops, anchor_params, anchor_tokens)
    growth = SLIDES.growth if audit and growth is None else growth
    spec = CenturySpec(usd, flops_per_usd, anchor, growth, params_exponent, tokens_exponent,
                       exponent_error, data_law, compute_law, ratios)  # fmt: skip
    if audit:
        rows = audit_slides(spec)
        show({"audit": [row.to_dict() for row in rows]}, audit_text(rows), as_json=as_json)
        return
    found = forecast_century(spec)
    stocks = choose_stocks(stock, read_stocks(inventory) if inventory else STOCKS)
    ends = exhaust_stocks(found, stocks, rules=rule, per_year=per_year, from_year=from_year)
    if figure:
        from isoflop.draw.century import century_figure, draw_century

        save_drawing(figure, century_figure(found, ends), draw_century, reads=(inventory,))
    document = {**found.to_dict(), "exhaustion": [end.to_dict() for end in ends]}
    show(document, century_text(found, ends), as_json=as_json)


def century_text(found: Century, ends: list[Exhaustion]) -> str:
    """Write the chain, the stocks it exhausts, and what to know."""
    bits, chars = found.loss_in("bits/token"), found.loss_in("bits/char")
    spec = found.spec
    lines = [
        f"{shorten(spec.usd)} dollars at {shorten(spec.flops_per_usd)} FLOPs a dollar",
        f"C     {found.flops} FLOPs = {found.pf_days} PF-days, {found.growth} times "
        f"{spec.anchor.name}",
        f"N     {found.n_params} parameters",
        f"D     {found.n_tokens} tokens = {found.n_bytes} bytes",
        *(f"{name:<5} {loss} nats/token = {bits[key]} bits/token = {chars[key]} bits/char"
          for name, key, loss in (("L(D)", "data_loss", found.data_loss),
                                  ("L(C)", "compute_loss", found.compute_loss))),
    ]  # fmt: skip
    if ends:
        lines += ["data there are, and the compute at which a plan has read them once",
                  _stocks_text(ends)]  # fmt: skip
    for finding in found.findings:
        lines.append(f"{finding.severity}: {finding.code}: {finding.evidence}")
        lines.append(f"    {finding.consequence}; {finding.remedy}")
    return "\n".join(lines)


def audit_text(rows: tuple[AuditRow, ...]) -> str:
    """Write the audit as a table."""
    cells = [
        [row.what, row.printed, f"{row.recomputed:.{row.digits}g} {row.unit}", row.verdict, row.why]
        for row in rows
    ]
    return format_table(["quantity", "printed", "recomputed", "verdict", "why they differ"], cells)


def _stocks_text(ends: list[Exhaustion]) -> str:
    head = ["stock", "holds", "tokens", "rule", "C, FLOPs", "passes of this plan"]
    dated = any(end.year is not None for end in ends)
    rows = [
        [end.stock.name, f"{shorten(end.stock.amount)} {end.stock.unit}",
         shorten(end.stock.n_tokens.value), end.rule, str(end.flops), str(end.epochs),
         *([_year(end.year)] if dated else [])]
        for end in ends
    ]  # fmt: skip
    return format_table([*head, *(["year"] if dated else [])], rows)


def _year(year: Estimate | None) -> str:
    if year is None:
        return ""
    if year.low is None or year.high is None:
        return f"{year.value:.0f}"
    return f"{year.value:.0f} [{year.low:.0f}, {year.high:.0f}]"
