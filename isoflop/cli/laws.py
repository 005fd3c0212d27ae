"""`isoflop laws`: the forms and the published constants."""

import click

from isoflop.cli.output import format_table, json_option, show
from isoflop.laws.catalog import find_published, published_names, rounding_warning
from isoflop.laws.forms import JOINT_FORMS, PRESETS, SINGLE_FORMS, find_form


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
    entries = [find_published(name) for name in published_names()]
    text = "forms to fit\n" + format_table(["name", "predicts", "formula"], forms)
    rows = [[e.name, e.predicts, e.source] for e in entries]
    text += "\n\npublished laws\n" + format_table(["name", "predicts", "source"], rows)
    show([entry.to_dict() for entry in entries], text, as_json=as_json)


@command.command("show")
@click.argument("name")
@json_option
def show_law(name: str, as_json: bool) -> None:
    """Show one published law: formula, constants, units, source, convention.

    \b
    Example:
      isoflop laws show hoffmann-2022-tex
    \b
    Python:
      isoflop.find_published("hoffmann-2022-tex").to_dict()
    """
    entry = find_published(name)
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
    show(entry.to_dict(), "\n".join(lines), as_json=as_json)
