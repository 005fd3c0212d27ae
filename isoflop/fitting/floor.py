"""Losses no law can be fitted to: all alike, or below a fixed irreducible loss."""

import numpy as np

from isoflop.base.errors import RunTableError, UnderdeterminedError
from isoflop.laws.fixed import FixedLaw
from isoflop.laws.law import AbstractLaw, Array, Variables
from isoflop.runs.table import RunTable
from isoflop.runs.unit_checks import name_rows

PROBES = 16
"""Parameter vectors at which a constant is shown to be only added to the rest."""


def require_response(law: AbstractLaw, table: RunTable) -> None:
    """Insist that what a law is to predict varies, and can be predicted by it.

    Raises:
        UnderdeterminedError: the same value in every run.
        RunTableError: runs at or below a floor of the law, named by row.
    """
    measured = table.numbers(law.response)
    if np.ptp(measured) <= 1e-12 * np.abs(measured).max():
        raise UnderdeterminedError(
            f"{table.source}: `{law.response}` is {measured[0]:g} in every run, so there is "
            f"nothing for {law.name} to explain; look at how it was recorded"
        )
    require_above_floor(law, table)


def require_above_floor(law: AbstractLaw, table: RunTable) -> None:
    """Insist that every run lies above what the law's added constant is held at or bounded by.

    Raises:
        RunTableError: runs at or below the floor, named by row.

    >>> from isoflop.laws.fixed import fix_constants
    >>> from isoflop.laws.power import PowerConstantLaw
    >>> law = fix_constants(PowerConstantLaw("n_params"), {"E": 2.0})
    >>> rows = [{"n_params": 1e6, "loss": 3.0}, {"n_params": 1e7, "loss": 1.9}]
    >>> require_above_floor(law, RunTable.from_records(rows, source="runs.csv"))
    Traceback (most recent call last):
        ...
    isoflop.base.errors.RunTableError: runs.csv row 2 `loss`: found 1.9, not above E = 2...
    """
    variables = {name: table.numbers(name) for name in law.variables}
    measured = table.numbers(law.response)
    for name, floor, how in _floors(law):
        below = measured <= floor
        if below.any() and _only_added(law, name, variables, measured):
            others = f" (and {name_rows(table.rows[below][1:])})" if below.sum() > 1 else ""
            raise RunTableError(
                f"found {measured[below][0]:g}{others}, not above {name} = {floor:g} as {how}; "
                "lower it, leave it free, or drop the runs",
                source=table.source,
                row=int(table.rows[below][0]),
                field=law.response,
            )


def _floors(law: AbstractLaw) -> list[tuple[str, float, str]]:
    """Constants that could be floors: held ones, and those with a positive lower bound."""
    held = [(n, v, "fixed") for n, v in law.values] if isinstance(law, FixedLaw) else []
    return held + [(p.name, p.low, "bounded") for p in law.parameters if p.low > 1e-6]


def _only_added(law: AbstractLaw, name: str, variables: Variables, measured: Array) -> bool:
    """Whether prediction = constant + something positive, at every probe."""
    inner = law.law if isinstance(law, FixedLaw) else law
    place = inner.parameter_names.index(name)
    rng = np.random.default_rng(0)
    theta = inner.propose_starts(variables, measured, n_starts=PROBES, rng=rng)
    with np.errstate(all="ignore"):
        slope = inner.gradient(theta, variables)[..., place]
        rest = inner.predict(theta, variables) - theta[:, place, None]
    return bool(np.all(np.abs(slope - 1) < 1e-12) and np.all(rest > 0))
