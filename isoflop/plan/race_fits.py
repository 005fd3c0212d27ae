"""One form fitted to the runs of two recipes, whose losses must be of one kind."""

from dataclasses import replace

from isoflop.base.errors import InputError, RunTableError, UnderdeterminedError
from isoflop.fitting.fit import Fit
from isoflop.fitting.methods import choose_form
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.law import AbstractLaw
from isoflop.runs.table import RunTable

SAME = ("loss_unit", "eval_set")
"""Columns in which two tables must agree for their losses to be compared."""
PER_BYTE = ("nats/byte", "bits/byte")


def require_comparable(a: RunTable, b: RunTable) -> None:
    """Refuse losses of different units or held-out sets, or per different tokens."""
    units = [sorted(set(t.text("loss_unit")) - {""}) if "loss_unit" in t else [] for t in (a, b)]
    per_byte = all(unit and set(unit) <= set(PER_BYTE) for unit in units)
    for name in (*SAME, *(() if per_byte else ("tokenizer",))):
        if name not in a or name not in b:
            continue
        values = [sorted(set(table.text(name))) for table in (a, b)]
        if values[0] != values[1]:
            shown = " and ".join(", ".join(v or "not recorded" for v in vs) for vs in values)
            raise RunTableError(
                f"{a.source} and {b.source} differ ({shown}), so their losses cannot be compared; "
                "evaluate both on one set, in bits per byte if the tokenizers differ",
                field=name,
            )


def fit_both(
    a: RunTable, b: RunTable, law: str | AbstractLaw | None, spec: FitSpec
) -> tuple[Fit, Fit]:
    """Fit one form to both; the second with a seed of its own, so that draws are independent."""
    joint = all(name in table for table in (a, b) for name in ("n_params", "n_tokens"))
    if law is None and joint:
        try:
            return _fit_each(a, b, choose_form(a, "chinchilla"), spec)
        except UnderdeterminedError:
            pass  # a ray of runs: its loss against compute is still a law
    over = next((n for n in ("flops", "n_tokens", "n_params") if n in a and n in b), None)
    if law is None and over is None:
        raise InputError(
            f"{a.source} and {b.source} share no column of flops, n_tokens and n_params"
        )
    form = law or "power-constant"
    if isinstance(form, str):
        form = choose_form(a, form, over=None if form == "chinchilla" else over)
    return _fit_each(a, b, form, spec)


def _fit_each(a: RunTable, b: RunTable, form: AbstractLaw, spec: FitSpec) -> tuple[Fit, Fit]:
    if len(form.variables) > 1 and set(form.variables) != {"n_params", "n_tokens"}:
        raise InputError(
            f"a race needs a law of compute or of n_params and n_tokens, not {form.name}"
        )
    other = replace(spec, seed=spec.seed + 1)
    return fit_parametric(a, form, spec), fit_parametric(b, form, other)
