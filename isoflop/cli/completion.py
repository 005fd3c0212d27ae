"""`isoflop completion`: the shell's completion script."""

import click
from click.shell_completion import get_completion_class

from isoflop.cli.output import json_option, show


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@json_option
def command(shell: str, as_json: bool) -> None:
    """Print the completion script of a shell.

    \b
    Example:
      isoflop completion bash >> ~/.bashrc
    \b
    Python:
      import click.shell_completion
      click.shell_completion.get_completion_class("bash")
    """
    from isoflop.cli.main import app

    make = get_completion_class(shell)
    if make is None:
        raise click.UsageError(f"no completion for {shell}")
    script = make(app, {}, "isoflop", "_ISOFLOP_COMPLETE").source()
    show({"shell": shell, "script": script}, script, as_json=as_json)
