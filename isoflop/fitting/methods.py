"""One door to the three methods."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.fitting.automatic.automatic import AutomaticFit
from isoflop.fitting.automatic.table import fit_automatic_table
from isoflop.fitting.fit import Fit
from isoflop.fitting.frontiers.envelope import fit_envelope
from isoflop.fitting.frontiers.frontier import Frontier
from isoflop.fitting.frontiers.isoflop import fit_isoflop
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.fitting.uncertainty.intervals import require_estimator
from isoflop.laws.catalog import CATALOG
from isoflop.laws.fixed import fix_constants
from isoflop.laws.forms import JOINT_FORMS, PRESETS, canonical_name, find_form
from isoflop.laws.formula.formula import FormulaLaw, is_formula
from isoflop.laws.law import AbstractLaw
from isoflop.laws.registered import find_registered
from isoflop.runs.cells import Cell
from isoflop.runs.columns import NUMBER_COLUMNS, TEXT_COLUMNS
from isoflop.runs.table import RunTable

Method = Literal["parametric", "isoflop", "envelope"]
METHODS: tuple[Method, ...] = ("parametric", "isoflop", "envelope")
"""Approaches 3, 2 and 1 of Hoffmann et al. 2022."""

AUTO = "auto"
"""Name of the choice that is not one law; see `isoflop.fitting.automatic.automatic`."""


def fit(
    runs: RunTable | Sequence[Mapping[str, Cell]],
    law: str | AbstractLaw = "chinchilla",
    *,
    method: Method = "parametric",
    over: str | None = None,
    spec: FitSpec | None = None,
    fixed: Mapping[str, float] | None = None,
    interval: str | None = None,
) -> Fit | Frontier | AutomaticFit:
    """Fit runs by any method.

    Args:
        runs: the runs, as a table or as one mapping a run: {"n_params": …, "loss": …}.
        law: name of the form, a formula such as `E + A/n_params**alpha`, or a law, for the
            parametric method; `auto` continues a curve of one variable without choosing a law.
        method: parametric (a law through all runs), isoflop (parabolas a budget) or envelope
            (best run at each compute).
        over: variable of a one-variable law; guessed only when the table has just one.
        spec: how to fit.
        fixed: {constant: value} of the law that are known and not fitted.
        interval: what intervals rest on, such as `profile`; the spec's own if left out.

    Raises:
        UnknownNameError: no such law, method or constant.
        InputError: bad input; see `fit_parametric`, `fit_isoflop`, `fit_envelope`.
    """
    if interval is not None:
        spec = replace(spec or FitSpec(), interval=require_estimator(interval))
    if fixed and method in ("isoflop", "envelope"):
        raise InputError(f"the {method} method has no constants to hold; fix those of a law")
    table = runs if isinstance(runs, RunTable) else RunTable.from_records(runs)
    if method == "isoflop":
        return fit_isoflop(table, spec)
    if method == "envelope":
        return fit_envelope(table, spec)
    if method != "parametric":
        raise UnknownNameError("method", method, METHODS)
    if law == AUTO:
        return fit_automatic_table(table, over, spec, fixed=fixed)
    if isinstance(law, str):
        law = choose_form(table, law, over=over)
    return fit_parametric(table, fix_constants(law, fixed or {}), spec)


def choose_form(
    table: RunTable, law: str, *, over: str | None = None, params: Sequence[str] = ()
) -> AbstractLaw:
    """Return the law of a name or a formula, with the columns of a table in mind.

    Args:
        table: the runs; names of its columns are variables of a formula.
        law: name of a form, or a formula such as `E + A/n_params**alpha`.
        over: variable of a one-variable form.
        params: declarations of a formula's constants; see `FormulaLaw.parse`.

    Raises:
        UnknownNameError: no such law, or no such variable.
        InputError: not a formula, declarations without one, `auto`, or columns that are absent.
    """
    if law.strip().lower() == AUTO:
        raise InputError(
            "auto continues one curve and is not a law with constants, so it cannot be compared "
            "or tested for a break; use `isoflop backtest --law auto`"
        )
    if is_formula(law):
        return FormulaLaw.parse(law, columns=table.columns, params=params)
    if params:
        raise InputError(f"--param declares constants of a formula, and {law} has its own")
    if over and over not in table and over not in NUMBER_COLUMNS:
        numeric = [name for name in table.columns if name not in TEXT_COLUMNS]
        raise UnknownNameError("variable", over, numeric)
    _require_form(law)
    if over:
        return find_form(law, over=over)
    form = find_form(law, over=_guess_variable(law, table))
    return _with_columns(form, law, table)


def _require_form(name: str) -> None:
    """Refuse the name of published constants, which are fitted already."""
    published = CATALOG.get(canonical_name(name))
    if published and find_registered(name.strip()) is None:
        form = published.law.name
        raise InputError(
            f"{published.name} is published constants of the form {form}; fit --law {form}, or use "
            f"them as they are, such as isoflop predict --law {published.name}"
        )


def _guess_variable(law: str, table: RunTable) -> str | None:
    """Return the variable for a one-variable form; the others know their own."""
    key = canonical_name(law)
    return None if key in PRESETS or key in JOINT_FORMS else only_variable(table)


def _with_columns(form: AbstractLaw, law: str, table: RunTable) -> AbstractLaw:
    """Return the form, or say what else suits a table whose only variable is not one of its."""
    only = only_variable(table)
    if only is None or only in form.variables:
        return form
    absent = [name for name in form.variables if name not in table]
    if not absent:
        return form
    are = "columns {} are" if len(absent) > 1 else "column {} is"
    other = f"; try --law power-constant --over {only}" if form.response == "loss" else ""
    raise InputError(
        f"{table.source}: {law} is a law of {', '.join(form.variables)}; "
        f"{are.format(', '.join(absent))} absent (found: {only}){other}"
    )


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
