"""Laws of your own, found by name: registered in the session, or by an installed package."""

from importlib.metadata import entry_points
from typing import TypeVar

from isoflop.base.errors import InputError
from isoflop.laws.law import AbstractLaw

GROUP = "isoflop.laws"
"""Entry-point group in which a package names its law classes."""

LawClass = TypeVar("LawClass", bound=type[AbstractLaw])

_REGISTERED: dict[str, type[AbstractLaw]] = {}


def register_law(law_class: LawClass) -> LawClass:
    """Make a law known by its name, so that `isoflop.fit` and saved fits find it.

    A package does so for everyone who installs it, the command line included, with
    `[project.entry-points."isoflop.laws"]` and a line `my-law = "my_package:MyLaw"`.

    Args:
        law_class: a final subclass of `AbstractLaw`; used as a decorator.

    Raises:
        InputError: another class already has this name.
    """
    known = _REGISTERED.get(law_class.name)
    same = known is None or (known.__module__, known.__qualname__) == (
        law_class.__module__, law_class.__qualname__)  # fmt: skip
    if not same:
        raise InputError(f"a law named {law_class.name} is registered already; choose another name")
    _REGISTERED[law_class.name] = law_class
    return law_class


def find_registered(name: str) -> type[AbstractLaw] | None:
    """Return the class registered under a name, None if nobody did.

    Raises:
        InputError: a package names a law that cannot be imported or is none.
    """
    if name in _REGISTERED:
        return _REGISTERED[name]
    for entry in entry_points(group=GROUP, name=name):
        try:
            found = entry.load()
        except (ImportError, AttributeError) as error:
            raise InputError(f"law {name} of {entry.value} cannot be imported ({error})") from None
        if not (isinstance(found, type) and issubclass(found, AbstractLaw)):
            raise InputError(f"{entry.value} is not a law; expected a subclass of AbstractLaw")
        return found
    return None


def registered_names() -> tuple[str, ...]:
    """Return the names of laws that are not isoflop's own."""
    return (*_REGISTERED, *(entry.name for entry in entry_points(group=GROUP)))
