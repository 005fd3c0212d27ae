"""`isoflop laws`: the forms and the published constants."""

from dataclasses import asdict

import click

from isoflop.cli.output import format_table, json_option, show
from isoflop.laws.catalog import find_published, published_names, rounding_warning
from isoflop.laws.forms import JOINT_FORMS, PRESETS, SINGLE_FORMS, canonical_name, find_form
from isoflop.laws.law import AbstractLaw
from isoflop.laws.named import ANY, find_named
from isoflop.laws.published.entry import PublishedLaw

AUTO_ROW = ["auto", "loss", "no formula: continues one curve; the slope of log L in log x wanders"]
"""The line of the choice that is not one law; see `isoflop fit --law auto`."""


@click.group("laws", invoke_without_command=True)
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List the forms that can be fitted and the laws that were published.

    \b
    Example:
      isoflop laws
      isoflop laws show besiroglu-2024
    \b
    Python:
      isoflop.find_published("besiroglu-2024")
    """
    if ctx.invoked_subcommand:
        return
    forms = [[name, form.response, form.form] for name, form in JOINT_FORMS.items()]
    forms += [[name, "loss", form("x").form] for name, form in SINGLE_FORMS.items()]
    forms += [[name, "loss", find_form(name).form] for name in PRESETS]
    forms.append(AUTO_ROW)
    entries = [find_published(name) for name in published_names()]
    text = "forms to fit\n" + format_table(["name", "predicts", "formula"], forms)
    rows = [[e.name, e.predicts, e.source] for e in entries]
    text += "\n\npublished laws\n" + format_table(["name", "predicts", "source"], rows)
    show([entry.to_dict() for entry in entries], text, as_json=as_json)


@command.command("show")
@click.argument("name")
@json_option
def show_law(name: str, as_json: bool) -> None:
    """Show one form, with units and bounds, or one published law.

    \b
    Example:
      isoflop laws show chinchilla
      isoflop laws show hoffmann-2022-tex
    \b
    Python:
      isoflop.find_published("hoffmann-2022-tex").to_dict()
    """
    if canonical_name(name) == AUTO_ROW[0]:
        document = dict(zip(("name", "response", "form"), AUTO_ROW, strict=True))
        show(document, "{}: {}; {}".format(*AUTO_ROW), as_json=as_json)
        return
    law = find_named(name)
    if isinstance(law, PublishedLaw):
        show(law.to_dict(), published_text(law), as_json=as_json)
        return
    title = canonical_name(name) if canonical_name(name) in PRESETS else law.name
    show(form_to_dict(law) | {"name": title}, form_text(law, title), as_json=as_json)


def published_text(entry: PublishedLaw) -> str:
    """Write a published law."""
    warning = rounding_warning(entry)
    lines = [
        f"{entry.name}: {entry.predicts} = {entry.form}",
        f"  source      {entry.source}",
        f"  convention  {entry.convention}",
        *(f"  {symbol:<10}  {value:g} {entry.printed_units.get(symbol, '')}".rstrip()
          + (f" (standard error {entry.stderr[symbol]:g})" if symbol in entry.stderr else "")
          for symbol, value in entry.printed.items()),
        *([f"  note        {entry.note}"] if entry.note else []),
        *([f"  warning     {warning}"] if warning else []),
    ]  # fmt: skip
    return "\n".join(lines)


def form_text(law: AbstractLaw, title: str) -> str:
    """Write a form: constants with the bounds of a fit."""
    rows = [
        [f"  {p.name}", p.unit or "1", f"{p.low:g} to {p.high:g}", p.scale] for p in law.parameters
    ]
    lines = [
        f"{title}: {law.response} = {law.form}",
        f"  source      {law.source}",
        f"  variables   {', '.join(law.variables)}"
        + (" (any number column, named with --over)" if law.variables == (ANY,) else ""),
        format_table(["  constant", "unit", "bounds", "scale"], rows),
    ]
    return "\n".join(lines)


def form_to_dict(law: AbstractLaw) -> dict[str, object]:
    """Return a form as a JSON object."""
    return {
        "name": law.name,
        "response": law.response,
        "form": law.form,
        "variables": list(law.variables),
        "parameters": [asdict(parameter) for parameter in law.parameters],
        "source": law.source,
    }
