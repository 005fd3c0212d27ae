"""How a ladder is trained, as options of `run` and `resume`: workers, launcher, limits, --force."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from isoflop.cli.ladder_budget import budget_options, limits_of
from isoflop.cli.ladder_folder import narrate_forced
from isoflop.cli.ladder_launcher import Wanted, launcher_options, make_launcher

if TYPE_CHECKING:
    from isoflop.runs.ladders.ladder import Ladder

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Training:
    """What the user said of a training.

    Args:
        workers: processes; None for one a core.
        wanted: the launcher.
        force: go on though something changed.
        unlimited: lift the limits of before.
        given: {field: value} of the limits said now.
    """

    workers: int | None
    wanted: Wanted
    force: bool
    unlimited: bool
    given: Mapping[str, float]

    def train(self, ladder: "Ladder", study: Path, *, device: str = "cpu") -> None:
        """Train what is missing of a study, and say what --force went on over."""
        from isoflop.lab import run_ladder

        run_ladder(
            ladder,
            study,
            device=device,
            workers=self.workers,
            limits=limits_of(study, self.given, unlimited=self.unlimited),
            launcher=make_launcher(self.wanted),
            force=self.force,
        )
        if self.force:
            narrate_forced(study)


def training_options(command: Command) -> Command:
    """Hand a command how to train, as `training`."""

    @functools.wraps(command)
    def call(
        *args: Any,
        workers: int | None,
        wanted: Wanted,
        force: bool,
        unlimited: bool,
        given: Mapping[str, float],
        **named: Any,
    ) -> Any:
        training = Training(workers, wanted, force, unlimited, given)
        return command(*args, training=training, **named)

    wrapped: Any = budget_options(call)
    wrapped = click.option(
        "--force", is_flag=True, help="Go on though code, data, ladder or torch changed."
    )(wrapped)
    wrapped = launcher_options(wrapped)
    return click.option(
        "--workers", type=click.IntRange(1), help="Processes; one a core by default."
    )(wrapped)
