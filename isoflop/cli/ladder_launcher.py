"""What starts the workers, as options: --launcher, and of torchrun --processes and --shard."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from isoflop.lab.launchers.launcher import Launcher

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Wanted:
    """The launcher that was asked for.

    Args:
        name: see `find_launcher`.
        processes: of torchrun, on each rung.
        shard: whether they divide the weights too.
    """

    name: str
    processes: int | None
    shard: bool


def launcher_options(command: Command) -> Command:
    """Hand a command its launcher as `wanted`."""

    @functools.wraps(command)
    def call(*args: Any, launcher: str, processes: int | None, shard: bool, **named: Any) -> Any:
        return command(*args, wanted=Wanted(launcher, processes, shard), **named)

    wrapped: Any = click.option(
        "--shard", is_flag=True, help="Of torchrun: divide the weights too (FSDP2)."
    )(call)
    wrapped = click.option(
        "--processes", type=click.IntRange(1), help="Of torchrun: on each rung; one a device."
    )(wrapped)
    return click.option(
        "--launcher",
        default="local",
        show_default=True,
        help="local, torchrun, ray, slurm, or another package's.",
    )(wrapped)


def make_launcher(wanted: Wanted) -> "Launcher":
    """Return the launcher.

    Raises:
        UsageError: torchrun's options with another.
        UnknownNameError: nobody knows it.
    """
    from isoflop.lab.launchers.find import find_launcher
    from isoflop.lab.launchers.torchrun import TorchrunLauncher

    if wanted.name == "torchrun":
        return TorchrunLauncher(processes=wanted.processes, shard=wanted.shard)
    if wanted.processes or wanted.shard:
        raise click.UsageError("--processes and --shard are options of --launcher torchrun")
    return find_launcher(wanted.name)
