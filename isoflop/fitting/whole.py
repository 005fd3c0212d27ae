"""Whole: what a saved fit must hold, so that nothing missing is read as a default.

What a fit may leave unsaid, the fit report counts as not stated: `procedure` and `definitions`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from isoflop.base.errors import InputError
from isoflop.fitting.objective import Objective
from isoflop.fitting.record import DataRecord
from isoflop.fitting.starts import Basins
from isoflop.fitting.uncertainty.intervals import Interval


def _within(name: str, kind: type, *, but: str = "") -> tuple[str, ...]:
    return tuple(f"{name}.{field.name}" for field in fields(kind) if field.name != but)


DATA = _within("data", DataRecord, but="definitions")
COMMON = ("findings", "level", "seed")
FIT = (
    *COMMON, *_within("loss", Objective), *_within("basins", Basins),
    *_within("interval", Interval), *DATA,
    "objective", "outcome", "condition", "convention", "noise_power", "noise_unit", "scales",
    "misfit", "profiles", "versions.isoflop", "versions.numpy",
    "arrays.theta", "arrays.draws", "arrays.residuals", "arrays.n_units", "arrays.covariance",
    "arrays.law", "arrays.misfit",
)  # fmt: skip
"""Keys of a fit of all runs at once; a dot leads into an object."""
FRONTIER = (
    *COMMON, *DATA, "objective", "method", "n_runs", "points", "convention", "bias",
    "arrays.theta", "arrays.draws", "arrays.n_sizes",
)  # fmt: skip
CURVE = ("u", "y", "noise", "record", "n_points", "start", "stands_for")
AUTOMATIC = (*COMMON, "n_runs", "over", *(f"curve.{name}" for name in CURVE))


def require_whole(document: Mapping[str, Any], *, source: str) -> None:
    """Insist that a saved fit lacks nothing.

    Raises:
        InputError: it does; lists all of it.
    """
    missing = missing_keys(document)
    if missing:
        listed = ", ".join(f"`{key}`" for key in missing)
        raise InputError(
            f"{source}: not a complete fit: {listed} missing, and nothing is taken for granted; "
            "fit the runs again (isoflop fit -o)"
        )


def missing_keys(document: Mapping[str, Any]) -> list[str]:
    """List the keys that a saved fit lacks.

    >>> missing_keys({"law": "auto", "data": None, "findings": [], "level": 0.9, "seed": 0,
    ...               "n_runs": 9, "over": "flops", "curve": dict.fromkeys(CURVE[1:], 0)})
    ['curve.u']
    """
    law = document.get("law")
    if law is None:
        return ["law"]
    wanted = {"auto": AUTOMATIC, "frontier": FRONTIER}.get(str(law), FIT)
    if law == "auto":
        wanted += ("data",) if document.get("data", 0) is None else DATA
    return list(_lacking(document, wanted))


def _lacking(document: Mapping[str, Any], wanted: tuple[str, ...]) -> Iterator[str]:
    """Keys that are absent; of an object that is absent itself, the object, once."""
    told = set()
    for key in wanted:
        outer, _, inner = key.partition(".")
        inside = document.get(outer)
        if outer not in document:
            key = outer
        elif not inner or (isinstance(inside, Mapping) and inner in inside):
            continue
        if key not in told:
            told.add(key)
            yield key
