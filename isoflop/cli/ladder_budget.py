"""What a study may spend, as options: --max-flops, --max-seconds, --max-dollars, deadlines."""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from isoflop.cli.amount import Amount

if TYPE_CHECKING:
    from isoflop.store.spent import Limits

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = {
    "flops": ("--max-flops", "Training FLOPs in all; evaluation is counted apart."),
    "seconds": ("--max-seconds", "Wall-clock of every run and resume together."),
    "dollars": ("--max-dollars", "Dollars of that wall-clock, by --dollars-per-hour."),
    "dollars_per_hour": ("--dollars-per-hour", "Price of this machine, or of all of a cluster."),
    "rung_seconds": ("--deadline", "Seconds after which a rung is given up as `timeout`."),
    "silence_seconds": ("--silence", "Seconds without a step after which it is given up."),
}
_EXAMPLES = {
    "flops": "1e15",
    "seconds": "3600",
    "dollars": "20",
    "dollars_per_hour": "2.5",
    "rung_seconds": "3600",
    "silence_seconds": "300",
}
_PRICE = "dollars_per_hour"
"""No limit by itself."""


def budget_options(command: Command) -> Command:
    """Hand a command its limits as `given`: {field: value} of what was said.

    The command raises UsageError where --unlimited stands beside a limit.
    """

    @functools.wraps(command)
    def call(*args: Any, **named: Any) -> Any:
        given = {field: named.pop(field) for field in _OPTIONS}
        given = {field: value for field, value in given.items() if value is not None}
        limits = [_OPTIONS[field][0] for field in given if field != _PRICE]
        if named["unlimited"] and limits:
            said = f"{' and '.join(limits)} {'set some' if len(limits) > 1 else 'sets one'}"
            raise click.UsageError(
                f"--unlimited lifts every limit, {said}: give either; a limit alone replaces its "
                "own of before, the others stay"
            )
        return command(*args, given=given, **named)

    wrapped: Any = call
    wrapped = click.option("--unlimited", is_flag=True, help="Lift every limit of before.")(wrapped)
    for field, (flag, text) in reversed(_OPTIONS.items()):
        wrapped = click.option(flag, field, type=Amount(_EXAMPLES[field]), help=text)(wrapped)
    return wrapped


def limits_of(study: Path, given: Mapping[str, float], *, unlimited: bool) -> "Limits | None":
    """Return the limits said now, over those of last time; None if nothing was said."""
    from dataclasses import replace

    from isoflop.store.spent import Limits, read_limits

    if not given and not unlimited:
        return None
    return replace(Limits() if unlimited else read_limits(study), **given)
