"""Any law by its name: a published one, or a form."""

from isoflop.base.errors import UnknownNameError
from isoflop.laws.catalog import CATALOG, find_published
from isoflop.laws.forms import (
    AMOUNT_FORMS,
    CURVE_FORMS,
    SINGLE_FORMS,
    canonical_name,
    find_form,
    form_names,
)
from isoflop.laws.law import AbstractLaw
from isoflop.laws.published.entry import PublishedLaw
from isoflop.laws.registered import find_registered, registered_names
from isoflop.laws.schedules.curve import ScheduleCurve

ANY = "x"
"""Stands for the variable of a form of any one variable."""

_SCHEDULE = ScheduleCurve.from_runs("any", ((1.0, 1),))
"""Stands for the schedules of a form of loss curves."""


def find_named(name: str) -> PublishedLaw | AbstractLaw:
    """Return the published law, or the form, of a name; one-variable forms are of `x`.

    Raises:
        UnknownNameError: neither.

    >>> find_named("m4").variables
    ('x',)
    """
    key = canonical_name(name)
    if key in CATALOG:
        return find_published(name)
    if key in AMOUNT_FORMS:
        return AMOUNT_FORMS[key](ANY)  # pyright: ignore[reportCallIssue]
    if key in CURVE_FORMS:
        return CURVE_FORMS[key]((_SCHEDULE,))  # pyright: ignore[reportCallIssue]
    if key in SINGLE_FORMS:
        return find_form(key, over=ANY)
    if key in form_names():
        return find_form(key)
    law_class = find_registered(name.strip())
    if law_class is None:
        known = (*CATALOG, *form_names(), *AMOUNT_FORMS, *CURVE_FORMS, *registered_names())
        raise UnknownNameError("law", name, known)
    single = "variable" in law_class.__dataclass_fields__
    return find_form(name, over=ANY if single else None)
