"""Laws become JSON and come back; what a file cannot mean is refused."""

import importlib.metadata
from typing import Any

import pytest

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.base.strict_json import dumps, loads
from isoflop.laws import registered
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.described import describe_law, restore_law
from isoflop.laws.fixed import fix_constants
from isoflop.laws.forms import JOINT_FORMS, SINGLE_FORMS, find_form
from isoflop.laws.formula.formula import FormulaLaw
from isoflop.laws.law import AbstractLaw
from isoflop.laws.power import PowerLaw
from isoflop.laws.registered import find_registered

LAWS: dict[str, AbstractLaw] = {
    **JOINT_FORMS,
    **{name: form("n_experts") for name, form in SINGLE_FORMS.items()},
    "formula": FormulaLaw.parse("accuracy = a - b*log(loss)", params=["b=any", "a=0..1@0.5"]),
    "held": fix_constants(ChinchillaLaw(), {"E": 0.1 + 0.2}),
    "held formula": fix_constants(FormulaLaw.parse("E + A/N**p"), {"p": 1 / 3}),
}


@pytest.mark.parametrize("name", LAWS)
def test_a_law_comes_back_from_json_as_it_was(name: str) -> None:
    law = LAWS[name]
    again = restore_law(loads(dumps(describe_law(law))))
    assert again == law
    assert (again.form, again.parameters) == (law.form, law.parameters)


POWER = describe_law(PowerLaw("flops"))
FORMULA = describe_law(FormulaLaw.parse("E + A/N**p"))


NESTED = describe_law(fix_constants(PowerLaw("flops"), {"alpha": 0.1}))


def changed(document: dict[str, Any], **fields: object) -> dict[str, Any]:
    return {**document, "fields": {**document["fields"], **fields}}


def with_parameter(**changes: object) -> dict[str, Any]:
    first, *rest = FORMULA["fields"]["constants"]
    return changed(FORMULA, constants=[{"parameter": {**first["parameter"], **changes}}, *rest])


@pytest.mark.parametrize(
    "document",
    [
        {"name": "powr", "fields": {}},
        {"name": "os.system", "fields": {"variable": "x"}},
        changed(POWER, variable=5),
        changed(POWER, variable=None),
        changed(POWER, command="touch owned"),
        changed(POWER, variable={"call": "os.system"}),
        changed(FORMULA, text="E + A/N**p + __import__('os')"),
        changed(FORMULA, text="E + A/n_params"),
        with_parameter(low="0"),
        with_parameter(low=5.0, high=1.0),
        with_parameter(scale="log", low=0.0),
        with_parameter(scale="cube"),
        {"name": "fixed", "fields": {"law": {"law": NESTED}, "values": [["A", 1.0]]}},
    ],
)
def test_a_description_that_means_no_law_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        restore_law(document)


def test_a_description_nested_too_deeply_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(InputError, match="nested too deeply"):
        restore_law(changed(POWER, variable=deep))


def entry(value: str) -> importlib.metadata.EntryPoint:
    return importlib.metadata.EntryPoint("guest", value, registered.GROUP)


def provide(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """Pretend that an installed package names a law `guest`."""

    def entry_points(*, group: str, name: str = "guest") -> list[importlib.metadata.EntryPoint]:
        return [entry(value)] if (group, name) == (registered.GROUP, "guest") else []

    monkeypatch.setattr(registered, "entry_points", entry_points)


def test_a_law_of_an_installed_package_is_found_by_name(monkeypatch) -> None:
    provide(monkeypatch, "isoflop.laws.power:PowerLaw")
    assert find_registered("guest") is PowerLaw
    assert find_form("guest", over="n_tokens") == PowerLaw("n_tokens")
    with pytest.raises(InputError, match="guest is a law of one variable"):
        find_form("guest")
    with pytest.raises(UnknownNameError, match="unknown law 'gest'; did you mean guest"):
        find_form("gest")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("isoflop.no_such_module:Law", "law guest of .* cannot be imported"),
        ("isoflop.laws.power:NoLaw", "law guest of .* cannot be imported"),
        ("isoflop.laws.power:EXPONENT", "is not a law; expected a subclass of AbstractLaw"),
    ],
)
def test_a_package_that_names_no_law_is_told_so(monkeypatch, value: str, message: str) -> None:
    provide(monkeypatch, value)
    with pytest.raises(InputError, match=message):
        find_registered("guest")
