"""Find a launcher by name: the project's own, an installed package's, or a dotted name."""

import importlib
from collections.abc import Mapping
from importlib.metadata import entry_points

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.lab.launchers.launcher import Launcher

GROUP = "isoflop.launchers"
"""Entry points of other packages: `name = "package.module:Class"`."""
_OWN: Mapping[str, str] = {
    "local": "isoflop.lab.launchers.local:LocalLauncher",
    "torchrun": "isoflop.lab.launchers.torchrun:TorchrunLauncher",
    "ray": "isoflop.lab.launchers.ray:RayLauncher",
    "slurm": "isoflop.lab.launchers.slurm:SlurmLauncher",
}


def launcher_names() -> list[str]:
    """Return the names that can be asked for."""
    return [*_OWN, *(found.name for found in entry_points(group=GROUP) if found.name not in _OWN)]


def find_launcher(name: str) -> Launcher:
    """Return a launcher with its default settings.

    Args:
        name: `local`, `torchrun`, `ray`, `slurm`, the name of an entry point of the group
            `isoflop.launchers`, or `package.module:Class`.

    Raises:
        UnknownNameError: nobody knows it.
        InputError: what is found there is no launcher.

    >>> find_launcher("local").name
    'local'
    """
    home = _OWN.get(name) or _installed(name) or name
    module, colon, attribute = home.partition(":")
    if not colon:
        raise UnknownNameError("launcher", name, launcher_names())
    called = name if home == name else f"{name} ({home})"
    try:
        launcher = getattr(importlib.import_module(module), attribute)()
    except (ImportError, AttributeError, TypeError) as error:
        raise InputError(f"launcher {called} cannot be made ({error})") from None
    if not isinstance(launcher, Launcher):
        raise InputError(f"launcher {called} has no `name` or no `launch`")
    return launcher


def _installed(name: str) -> str | None:
    return next((found.value for found in entry_points(group=GROUP, name=name)), None)
