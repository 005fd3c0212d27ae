"""The forms a fit may take, by name."""

from collections.abc import Mapping

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.kaplan import KaplanStepsLaw, KaplanTokensConstantLaw, KaplanTokensLaw
from isoflop.laws.law import AbstractLaw
from isoflop.laws.power import PowerConstantLaw, PowerLaw
from isoflop.laws.repeated import RepeatedLaw

JOINT_FORMS: Mapping[str, AbstractLaw] = {
    law.name: law
    for law in (
        ChinchillaLaw(),
        KaplanTokensLaw(),
        KaplanTokensConstantLaw(),
        KaplanStepsLaw(),
        RepeatedLaw(),
    )
}
"""Forms in several variables."""

SINGLE_FORMS: Mapping[str, type[PowerLaw] | type[PowerConstantLaw]] = {
    PowerLaw.name: PowerLaw,
    PowerConstantLaw.name: PowerConstantLaw,
}
"""Forms in one variable, which must be named."""

SYNONYMS: Mapping[str, str] = {
    "power-law": "power",
    "power-law-constant": "power-constant",
    "power-law-plus-constant": "power-constant",
    "power-plus-constant": "power-constant",
    "power-offset": "power-constant",
    "kaplan": "kaplan-nd",
    "kaplan-l-n-d": "kaplan-nd",
    "kaplan-l-n-s": "kaplan-ns",
    "hoffmann": "chinchilla",
}

SINGLE_VARIABLES = ("n_params", "n_params_non_embedding", "n_tokens", "flops", "steps")


def form_names() -> tuple[str, ...]:
    """Return the names `find_form` knows."""
    return (*SINGLE_FORMS, *JOINT_FORMS)


def find_form(name: str, *, over: str | None = None) -> AbstractLaw:
    """Return the law of that name.

    Args:
        name: such as `chinchilla`; case, `_` and a few synonyms are forgiven.
        over: the variable of a one-variable form.

    Raises:
        UnknownNameError: no such form.
        InputError: a one-variable form without its variable.

    >>> find_form("chinchilla").form
    'E + A/n_params**alpha + B/n_tokens**beta'
    """
    key = name.strip().lower().replace("_", "-")
    key = SYNONYMS.get(key, key)
    if key in JOINT_FORMS and over is not None and over not in JOINT_FORMS[key].variables:
        raise InputError(f"{key} is a law of {', '.join(JOINT_FORMS[key].variables)}, not {over}")
    if key in JOINT_FORMS:
        return JOINT_FORMS[key]
    if key not in SINGLE_FORMS:
        raise UnknownNameError("law", name, form_names())
    if over is None:
        raise InputError(f"{key} is a law of one variable; say which, such as --over flops")
    if over not in SINGLE_VARIABLES:
        raise UnknownNameError("variable", over, SINGLE_VARIABLES)
    return SINGLE_FORMS[key](over)
