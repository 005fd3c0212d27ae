"""One form fitted to the runs of two recipes, whose losses must be of one kind."""

from dataclasses import replace

import numpy as np

from isoflop.base.errors import InputError, RefusalError, RunTableError, UnderdeterminedError
from isoflop.fitting.fit import Fit
from isoflop.fitting.methods import choose_form
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.forms import JOINT_FORMS, PRESETS, canonical_name
from isoflop.laws.law import AbstractLaw
from isoflop.runs.finding import Finding
from isoflop.runs.table import RunTable

SAME = ("loss_unit", "eval_set")
"""Columns in which two tables must agree for their losses to be compared."""
PER_BYTE = ("nats/byte", "bits/byte")
JOINT = ("n_params", "n_tokens")
OFF_TREND = 0.1
"""Root mean square of log N about its trend in log C, up to which a compute has one size."""


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
) -> tuple[Fit, Fit, Finding | None]:
    """Fit one form to both; the second with a seed of its own, so that draws are independent.

    Returns:
        Fits of A and of B, and a finding where a law of compute alone had to stand in.

    Raises:
        InputError: no column that both have, or a law of other variables.
        RefusalError: no joint law, and a table whose loss is not one of its compute.
    """
    over = next((n for n in ("flops", "n_tokens", "n_params") if n in a and n in b), None)
    if law is None:
        if over is None:
            raise InputError(
                f"{a.source} and {b.source} share no column of flops, n_tokens and n_params"
            )
        return _fit_usual(a, b, spec)
    if isinstance(law, str):
        own = canonical_name(law) in (*JOINT_FORMS, *PRESETS)  # variables of its own
        law = choose_form(a, law, over=None if own else over)
    return *_fit_each(a, b, law, spec), None


def _fit_usual(a: RunTable, b: RunTable, spec: FitSpec) -> tuple[Fit, Fit, Finding | None]:
    """Chinchilla's law; where it is not determined, loss against compute if that is a law."""
    lacking = [t.source for t in (a, b) if not all(name in t for name in JOINT)]
    reason = f"{' and '.join(lacking)} record no n_params with n_tokens"
    if not lacking:
        try:
            return *_fit_each(a, b, choose_form(a, "chinchilla"), spec), None
        except UnderdeterminedError as error:
            reason = str(error).partition(";")[0]
    a, b = _with_flops(a, reason), _with_flops(b, reason)
    for table in (a, b):
        if _is_scattered(table):
            raise RefusalError(
                f"no race: {reason}, and in {table.source} a compute does not have one size on a "
                "trend, so its loss is no law of compute; add runs that determine both, or name "
                "a --law"
            )
    return *_fit_each(a, b, choose_form(a, "power-constant", over="flops"), spec), Finding(
        code="raced-over-compute",
        severity="warning",
        evidence=f"{reason}; so a power law of flops alone is fitted to both",
        consequence="each recipe is raced at the sizes it was run at, which need not be its best",
        remedy="train a few sizes at each of several budgets, for both",
    )


def _with_flops(table: RunTable, reason: str) -> RunTable:
    if "flops" in table:
        return table
    if not all(name in table for name in JOINT):
        raise RefusalError(
            f"no race: {reason}, and {table.source} has no flops to race over instead; add the "
            "column, or name a --law"
        )
    N, D = (table.numbers(name) for name in JOINT)
    return table.with_column("flops", 6 * N * D, note="flops as 6ND")


def _is_scattered(table: RunTable) -> bool:
    """Whether sizes are recorded and leave a trend N ∝ C^a that grows with data, 0 < a < 1."""
    if "n_params" not in table:
        return False
    sizes, flops = (np.log(table.numbers(name)) for name in ("n_params", "flops"))
    known = np.isfinite(sizes * flops)
    if known.sum() < 2 or np.ptp(flops[known]) < 1e-3:
        return True
    slope, start = np.polyfit(flops[known], sizes[known], 1)
    off = sizes[known] - start - slope * flops[known]
    return not 0.05 < slope < 0.95 or float(np.sqrt(np.mean(off**2))) > OFF_TREND


def _fit_each(a: RunTable, b: RunTable, form: AbstractLaw, spec: FitSpec) -> tuple[Fit, Fit]:
    if len(form.variables) > 1 and set(form.variables) != {"n_params", "n_tokens"}:
        raise InputError(
            f"a race needs a law of compute or of n_params and n_tokens, not {form.name}"
        )
    other = replace(spec, seed=spec.seed + 1)
    return fit_parametric(a, form, spec), fit_parametric(b, form, other)
