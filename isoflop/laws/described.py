"""A law as JSON and back: its name and the fields it was made with.

A law is rebuilt from a name that isoflop knows and from plain values, never from code in a file.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from isoflop.base.errors import InputError
from isoflop.laws.fixed import FixedLaw
from isoflop.laws.forms import find_class
from isoflop.laws.formula.formula import FormulaLaw
from isoflop.laws.law import AbstractLaw, Parameter
from isoflop.laws.schedules.curve import ScheduleCurve

FIXED = "fixed"
"""A law with constants held keeps the name of the inner one; a description says what it is."""

MADE: Mapping[str, type[AbstractLaw]] = {FIXED: FixedLaw, FormulaLaw.name: FormulaLaw}
"""Laws that are made rather than named."""

PLAIN = (str, int, float, bool, type(None))


def describe_law(law: AbstractLaw) -> dict[str, Any]:
    """Return {"name", "fields"}, which `restore_law` reads.

    Raises:
        InputError: a law with a field that is not text, a number, a law, a schedule or a tuple
            of these.

    >>> from isoflop.laws.power import PowerLaw
    >>> describe_law(PowerLaw("n_params"))
    {'name': 'power', 'fields': {'variable': 'n_params'}}
    """
    values = {field.name: getattr(law, field.name) for field in fields(law) if field.init}
    name = FIXED if isinstance(law, FixedLaw) else law.name
    return {"name": name, "fields": {name: _plain(law, v) for name, v in values.items()}}


def restore_law(document: Mapping[str, Any]) -> AbstractLaw:
    """Rebuild a law from its description.

    Raises:
        UnknownNameError: no law of that name.
        InputError: fields that the law does not have, or values it does not take.

    >>> restore_law({"name": "power", "fields": {"variable": "n_params"}}).form
    'A/n_params**alpha'
    """
    name, given = str(document["name"]), document["fields"]
    law_class = MADE.get(name) or find_class(name)
    known = {field.name: field for field in fields(law_class) if field.init}
    strangers = sorted(set(given) - set(known))
    if strangers:
        raise InputError(f"law {document['name']} has no field {', '.join(strangers)}")
    try:
        values = {name: _value(value) for name, value in given.items()}
    except RecursionError:
        raise InputError(f"law {name}: nested too deeply to be one of ours") from None
    for name, value in values.items():
        wanted = {"str": str, "int": int, "float": float, str: str, int: int, float: float}.get(
            known[name].type  # pyright: ignore[reportArgumentType]
        )
        if wanted is not None and (not isinstance(value, wanted) or isinstance(value, bool)):
            raise InputError(f"law {document['name']}: field {name} must be {wanted.__name__}")
    return law_class(**values)


def _plain(law: AbstractLaw, value: object) -> object:
    if isinstance(value, AbstractLaw):
        return {"law": describe_law(value)}
    if isinstance(value, Parameter):
        return {"parameter": dict(vars(value))}
    if isinstance(value, ScheduleCurve):
        return {"schedule": {"name": value.name, "runs": value.runs()}}
    if isinstance(value, tuple):
        return [_plain(law, item) for item in value]
    if not isinstance(value, PLAIN):
        raise InputError(
            f"law {law.name} has a field of {type(value).__name__}, which JSON has not"
        )
    return value


def _value(document: object) -> object:
    if isinstance(document, list):
        return tuple(_value(item) for item in document)
    if isinstance(document, Mapping):
        ((kind, content),) = document.items()
        if kind == "law":
            return _inner_law(content)
        if kind == "parameter":
            return _parameter(content)
        if kind == "schedule":
            return ScheduleCurve.from_runs(content["name"], content["runs"])
        raise InputError(f"expected a law, a parameter or a schedule, found {kind!r}")
    return document


def _inner_law(content: Mapping[str, Any]) -> AbstractLaw:
    """Rebuild the law another one holds constants of; there is but one level."""
    if content["name"] == FIXED:
        raise InputError("a law with held constants cannot hold another such law")
    return restore_law(content)


def _parameter(content: Mapping[str, Any]) -> Parameter:
    parameter = Parameter(**content)
    bounds = (parameter.low, parameter.high)
    numbers = all(isinstance(end, float | int) and not isinstance(end, bool) for end in bounds)
    if not numbers or parameter.scale not in ("log", "linear") or not bounds[0] < bounds[1]:
        raise InputError(f"constant {parameter.name}: expected bounds in order and a scale")
    if parameter.scale == "log" and parameter.low <= 0:
        raise InputError(f"constant {parameter.name}: a log scale needs a positive lower bound")
    return parameter
