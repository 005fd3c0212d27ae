"""One door to the three methods."""

from typing import Literal

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.fitting.envelope import fit_envelope
from isoflop.fitting.fit import Fit
from isoflop.fitting.frontier import Frontier
from isoflop.fitting.isoflop import fit_isoflop
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.forms import find_form
from isoflop.laws.law import AbstractLaw
from isoflop.runs.columns import NUMBER_COLUMNS, TEXT_COLUMNS
from isoflop.runs.table import RunTable

Method = Literal["parametric", "isoflop", "envelope"]
METHODS: tuple[Method, ...] = ("parametric", "isoflop", "envelope")
"""Approaches 3, 2 and 1 of Hoffmann et al. 2022."""


def fit(
    table: RunTable,
    law: str | AbstractLaw = "chinchilla",
    *,
    method: Method = "parametric",
    over: str | None = None,
    spec: FitSpec | None = None,
) -> Fit | Frontier:
    """Fit a run table by any method.

    Args:
        table: the runs.
        law: name of the form, or a law, for the parametric method.
        method: parametric (a law through all runs), isoflop (parabolas a budget) or envelope
            (best run at each compute).
        over: variable of a one-variable law; guessed only when the table has just one.
        spec: how to fit.

    Raises:
        UnknownNameError: no such law or method.
        InputError: bad input; see `fit_parametric`, `fit_isoflop`, `fit_envelope`.
    """
    if method == "isoflop":
        return fit_isoflop(table, spec)
    if method == "envelope":
        return fit_envelope(table, spec)
    if method != "parametric":
        raise UnknownNameError("method", method, METHODS)
    if over and over not in table and over not in NUMBER_COLUMNS:
        numeric = [name for name in table.columns if name not in TEXT_COLUMNS]
        raise UnknownNameError("variable", over, numeric)
    if isinstance(law, str):
        law = find_form(law, over=over or only_variable(table))
    return fit_parametric(table, law, spec)


def only_variable(table: RunTable) -> str | None:
    """Return the one of n_params, n_tokens and flops a table has, None if several or none."""
    present = [name for name in ("n_params", "n_tokens", "flops") if name in table]
    return present[0] if len(present) == 1 else None


def require_method(name: str) -> Method:
    """Check a method's name."""
    for method in METHODS:
        if method == name:
            return method
    raise InputError(str(UnknownNameError("method", name, METHODS)))
