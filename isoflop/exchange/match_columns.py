"""Decide which name of a source is which column of the run table, or ask."""

import math
from collections.abc import Mapping, Sequence

from isoflop.base.errors import InputError
from isoflop.exchange.candidates import candidates, columns_sought
from isoflop.exchange.foreign_json import Scalar, number
from isoflop.exchange.found import Found, SourceRun
from isoflop.runs.columns import NUMBER_COLUMNS, check_overrides, map_columns

MAX_SHOWN = 12


def match_columns(
    found: Found, overrides: Mapping[str, str] | None = None, *, table: bool = False
) -> dict[str, str]:
    """Return {column of the run table: name in the source}, every other name under its own.

    Args:
        found: what the source holds.
        overrides: {column: name in the source}; wins over what the format says and any guess.
        table: whether the source is a run table rather than a tracker's log.

    Raises:
        InputError: several names could be one column and differ; lists them.
        UnknownNameError: an override names nothing in the source.
    """
    names = list(dict.fromkeys(name for run in found.runs for name in names_of(run)))
    chosen = {c: n for c, n in (overrides or {}).items() if found.taken.get(c) != n}
    check_overrides(chosen, names, lambda name: _meant(name, table=table))
    known = {c: n for c, n in found.known.items() if n in names and c not in chosen}
    mapping = {**known, **chosen}
    for canonical in columns_sought():
        if canonical not in mapping:
            free = [name for name in names if name not in mapping.values()]
            name = _choose(canonical, candidates(canonical, free, table=table), found, table)
            if name is not None:
                mapping[canonical] = name
    taken = set(mapping.values())
    for name in names:
        if name not in taken:
            mapping[_own_name(name, mapping)] = name
    return mapping


def names_of(run: SourceRun) -> list[str]:
    """Return the names of a run's metrics, then of its settings."""
    return list(dict.fromkeys([*run.curves, *run.summary, *run.settings]))


def value_of(run: SourceRun, name: str) -> Scalar:
    """Return the last value of a name in a run, None where it has none."""
    if name in run.curves:
        values = run.curves[name].value
        return float(values[-1]) if len(values) else None
    return run.summary[name] if name in run.summary else run.settings.get(name)


def _meant(name: str, *, table: bool) -> str:
    """The column a name reads as by itself, "" if it reads as none."""
    return next((c for c in columns_sought() if candidates(c, [name], table=table)), "")


def _choose(canonical: str, names: Sequence[str], found: Found, table: bool) -> str | None:
    if canonical in NUMBER_COLUMNS:
        # In a table, a column of that name that holds no number is a mistake to be told.
        names = [n for n in names if _has_numbers(n, found)] or (list(names[:1]) if table else [])
    if canonical == "lr":  # the rate a run was set to; a logged rate ends near zero
        names = [name for name in names if not _is_curve(name, found)] or names
    if len(names) < 2:
        return names[0] if names else None
    if all(_agree(names, run) for run in found.runs):
        return names[0]
    shown = ", ".join(repr(name) for name in names[:MAX_SHOWN])
    more = f" and {len(names) - MAX_SHOWN} more" if len(names) > MAX_SHOWN else ""
    raise InputError(
        f"{len(names)} columns could be `{canonical}`: {shown}{more}; "
        f"say which with --columns {canonical}=NAME"
    )


def _has_numbers(name: str, found: Found) -> bool:
    return any(number(value_of(run, name)) is not None for run in found.runs)


def _is_curve(name: str, found: Found) -> bool:
    return any(name in run.curves for run in found.runs)


def _agree(names: Sequence[str], run: SourceRun) -> bool:
    values = [value_of(run, name) for name in names]
    numbers = [number(value) for value in values]
    if all(one is not None and math.isfinite(one) for one in numbers):
        return len(set(numbers)) == 1
    return len(set(map(str, values))) == 1


def _own_name(name: str, taken: Mapping[str, str]) -> str:
    """A name under which the written table reads back as it is: no alias, no clash."""
    own = " ".join(name.replace("\0", "").split())[:120] or "unnamed"
    if next(iter(map_columns([own]))) != own or own in columns_sought():
        own = f"{own}_as_read"
    count = 2
    while own in taken:
        own, count = f"{own}_{count}", count + 1
    return own
