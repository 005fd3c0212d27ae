"""What differs between two ladders, in the words of their files."""

import tomllib
from collections.abc import Iterator
from typing import Any

from isoflop.runs.ladders.ladder import Ladder
from isoflop.runs.ladders.print import print_ladder


def ladder_differences(before: Ladder, now: Ladder) -> list[str]:
    """Return one phrase per key that differs, rungs by their names; empty for equal ladders.

    >>> from dataclasses import replace
    >>> from isoflop.runs.designs.examples import EXAMPLES
    >>> from isoflop.runs.ladders.toml import parse_ladder
    >>> ladder = parse_ladder(EXAMPLES["grid"])
    >>> other = replace(ladder, recipe=replace(ladder.recipe, lr=0.008), rungs=ladder.rungs[:2])
    >>> ladder_differences(ladder, other)
    ['recipe.lr 0.004, now 0.008', 'rung d32, now gone']
    """
    old, new = _flat(before), _flat(now)
    found = [
        f"{key} {old.get(key, 'left out')!r}, now {new.get(key, 'left out')!r}"
        for key in dict.fromkeys([*old, *new])
        if old.get(key) != new.get(key)
    ]
    return found + list(_rung_differences(before, now))


def changed_rungs(before: Ladder, now: Ladder) -> set[str]:
    """Return the rungs whose training so far is of no use to the new ladder.

    A rung that only has other token budgets goes on where it is: under one schedule its trunk is
    the same.
    """
    old, new = _document(before), _document(now)
    if any(old[key] != new[key] for key in ("corpus", "tokenizer", "seed", "recipe")):
        return {rung.name for rung in now.rungs}
    old_rungs, new_rungs = _rungs(before), _rungs(now)
    return {
        name
        for name in old_rungs.keys() & new_rungs.keys()
        if _without_budgets(old_rungs[name]) != _without_budgets(new_rungs[name])
    }


def _rung_differences(before: Ladder, now: Ladder) -> Iterator[str]:
    old, new = _rungs(before), _rungs(now)
    for name in dict.fromkeys([*old, *new]):
        if name not in new:
            yield f"rung {name}, now gone"
        elif name not in old:
            yield f"rung {name} is new"
        else:
            keys = dict.fromkeys([*old[name], *new[name]])
            for key in keys:
                was, is_now = old[name].get(key), new[name].get(key)
                if was != is_now:
                    yield f"rung {name}: {key} {was!r}, now {is_now!r}"


def _document(ladder: Ladder) -> dict[str, Any]:
    return tomllib.loads(print_ladder(ladder))


def _rungs(ladder: Ladder) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in _document(ladder)["rungs"]}


def _without_budgets(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "token_budgets"}


def _flat(ladder: Ladder) -> dict[str, Any]:
    """Return {path: value} of everything but the rungs."""
    flat: dict[str, Any] = {}
    for key, value in _document(ladder).items():
        if isinstance(value, dict):
            flat |= {f"{key}.{name}": each for name, each in value.items()}
        elif key != "rungs":
            flat[key] = value
    return flat
