"""`isoflop`: the group of commands, imported one at a time; errors become one line."""

import errno
import importlib
import inspect
import keyword
import os
import re
import sys
from collections.abc import Mapping, Sequence

import click

from isoflop.base.errors import IsoflopError, SpecError

SUMMARIES: Mapping[str, str] = {
    "tour": "Train a ladder on real text, fit, plan and report, in minutes.",
    "count": "Count parameters and FLOPs under each convention.",
    "convert": "Convert compute, losses and amounts of data between units.",
    "cost": "Price compute on accelerators: hours, days, dollars, energy.",
    "laws": "List the forms and the published laws, or show one.",
    "predict": "Predict a loss from a law.",
    "check": "Find what would ruin a law in a run table, what it costs, what to do.",
    "fit": "Fit a law, or the compute-optimal frontier, to a run table.",
    "compare": "Hold laws, or the three methods, against each other on one run table.",
    "backtest": "Hide the largest runs, predict them, count the intervals that hold.",
    "breaks": "Test whether a law still holds at the largest scales measured.",
    "sensitivity": "Show how the answer moves with the loss function and with each run.",
    "race": "Hold two recipes against each other: exponents, compute multiplier, crossing.",
    "downstream": "Predict a task's score at a scale not yet trained.",
    "plan": "Find the compute-optimal N and D for a budget.",
    "next": "Rank runs to train next by what they take off a forecast's error.",
    "design": "Propose a whole ladder for a budget and a forecast.",
    "size": "Price a model smaller or larger than a budget's optimum.",
    "data": "Allocate a budget on data that repeat, and price more distinct data.",
    "inference": "Find the cheapest model of a quality, counting what it will serve.",
    "overtrain": "Price a smaller model on more tokens than the optimum.",
    "kaplan": "Batch, steps and time; when to stop, which size, how many tokens.",
    "batch": "Measure the critical batch: batch sweeps, gradient noise, S_min and C_min.",
    "tune": "Set learning rates and batches of every rule side by side.",
    "crossing": "Find where the compute and the data law must contradict each other.",
    "regime": "Say what limits a plan: its model, its distinct tokens, or worn-out repeats.",
    "orders": "Count orders of magnitude from benchmark scores to human level.",
    "century": "Carry a budget through the laws to parameters, bytes and loss, and audit it.",
    "corpus": "List, get and show the texts that ladders train on.",
    "ladder": "Price, train, watch and resume a ladder of models.",
    "import": "Bring in runs from tables, trackers and logs, and say what was read as what.",
    "published": "List, show and get public run tables.",
    "report": "Write a self-contained HTML report of a study or a run table.",
    "completion": "Print the shell completion script.",
}
"""{command: one line}; the module of a command is imported only when it is used."""


INTERRUPTED = 130
"""Exit code of a command that was asked to stop, as shells have it: 128 + SIGINT."""
_REMEDIES = {
    **dict.fromkeys((errno.EACCES, errno.EPERM), "; check its rights, or name another place"),
    errno.EROFS: "; name a place that can be written",
    errno.ENOSPC: "; make room, or name another place",
}
"""What to do about what the system refuses."""


class LazyGroup(click.Group):
    """A group whose commands are imported on use, so that --help is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of a newcomer's path."""
        return list(SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module."""
        if cmd_name not in SUMMARIES:
            return None
        module = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name
        return _examples_last(importlib.import_module(f"isoflop.cli.{module}").command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest the nearest command for an unknown one."""
        if args and args[0] not in SUMMARIES and not args[0].startswith("-"):
            from isoflop.base.errors import did_you_mean

            raise click.UsageError(f"unknown command {args[0]!r}{did_you_mean(args[0], SUMMARIES)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the summaries without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


def _examples_last(command: click.Command) -> click.Command:
    """Move the example and the Python line behind the options: help ends with them."""
    for each in (command, *getattr(command, "commands", {}).values()):
        text, mark, rest = inspect.cleandoc(each.help or "").partition("\b\nExample")
        if mark:
            each.help, each.epilog = text.rstrip(), mark + rest
    return command


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Every command takes --json and --help; its help ends with the Python line.",
)
@click.version_option(package_name="isoflop", message="isoflop %(version)s")
def app() -> None:
    """The laboratory for neural scaling laws: from runs to a decision you can defend."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exit 0 done, 1 a finding or failure, 2 bad usage or bad input."""
    try:
        code = run(arguments)
        if code == INTERRUPTED:
            sys.stdout.flush()
            sys.stderr.flush()
    except KeyboardInterrupt:  # a second Ctrl+C, while the first was being told
        code = INTERRUPTED
    if code == INTERRUPTED:  # torch takes seconds to unload; who pressed Ctrl+C wants to be out
        os._exit(code)
    sys.exit(code)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        result = app.main(
            args=None if arguments is None else list(arguments),
            prog_name="isoflop",
            standalone_mode=False,
        )
    except IsoflopError as error:
        listed = error.mistakes if isinstance(error, SpecError) else ()
        if len(listed) > 1:  # a line each below the one that names the file
            return _complain(str(error).partition("\n")[0], error.exit_code, listed)
        return _complain(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 0
    except click.ClickException as error:
        return _complain(error.format_message(), 2)
    except (click.Abort, KeyboardInterrupt):
        return _complain("interrupted", INTERRUPTED)
    except BrokenPipeError:
        return 0
    except OSError as error:
        said = f"{error.filename or 'a file'}: {error.strerror or error}"
        return _complain(said + _REMEDIES.get(error.errno or 0, ""), 2)
    return result if isinstance(result, int) else 0


def _complain(message: str, code: int, listed: Sequence[str] = ()) -> int:
    click.echo(f"error: {_short(message)}", err=True)
    for each in listed:
        click.echo(f"  {_short(each)}", err=True)
    return code


def _short(message: str) -> str:
    # A name of a thousand letters, such as a cell taken for a header, is not repeated in full.
    return re.sub(r"(\w{60})\w{60,}", r"\1…", " ".join(message.split()))


if __name__ == "__main__":
    main()
