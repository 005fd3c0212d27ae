"""Mistakes of rungs in the places of the file: one that many rungs share is said once.

The checks speak of `rungs[3].n_ctx`. Where the rungs follow from a table, the file has no such
place: what was written is `n_ctx` in that table.
"""

import re
from collections.abc import Mapping, Sequence

from isoflop.runs.designs.dial import DIAL_KEYS, Own
from isoflop.runs.designs.tables import (
    DepthLadder,
    Design,
    IsoflopGrid,
    ProposedRuns,
    TokenGrid,
    table_name,
)

_MOST_PLACES = 4
"""Places named beside the first before they are only counted."""
_BUDGETS: Mapping[type[Design], str] = {
    DepthLadder: "tokens_per_param",
    IsoflopGrid: "budgets",
    TokenGrid: "token_budgets",
    ProposedRuns: "runs",
}
"""The key of a table that the token budgets of its rungs follow from."""
_RUNG = re.compile(r"(rungs\[(\d+)\])(?:\.(\w+))?(?=[.: \[])")


def say_mistakes(
    sentences: Sequence[str], design: Design | None = None, names: Sequence[str] = ()
) -> list[str]:
    """Put sentences of rungs where the file has their keys.

    Args:
        sentences: of `ladder_mistakes` and others; those of rungs begin with `rungs[i]`.
        design: the table that the rungs follow from, if they do.
        names: of its rungs; none if it could not be laid out.

    >>> from isoflop.runs.designs.dial import Dial
    >>> grid = TokenGrid(Dial(widths=(8, 16), n_ctx=16), (4096,))
    >>> say_mistakes(["rungs[0].n_ctx is 16", "rungs[1].n_ctx is 16"], grid, ["d8", "d16"])
    ['grid.n_ctx is 16']
    >>> say_mistakes(["rungs[0].n_ctx is 16", "seed is -1", "rungs[1].n_ctx is 16"])
    ['rungs[0].n_ctx is 16 (also rungs[1])', 'seed is -1']
    """
    merged: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for sentence in sentences:
        path, place, rest = _placed(sentence, design, names)
        alike = _without_numbers(rest) if place and design else rest
        merged.setdefault((path, alike), []).append((place, rest))
    found: list[str] = []
    for (path, _), each in merged.items():
        place, rest = each[0]
        places = list(dict.fromkeys(place for place, _ in each))
        if rest.startswith(" is ") and any(said.startswith(f"{path} is ") for said in found):
            continue  # one value, held against a narrower range by the table itself
        if design is None and place:
            found.append(f"{place}{path}{rest}{also(places)}")
        else:
            found.append(f"{path}{f': at {place}' if place else ''}{rest}{also(places)}")
    return found


def also(places: Sequence[str]) -> str:
    """Say where else a mistake is.

    >>> also(["d8"]), also(["d8", "d16", "d32"])
    ('', ' (also d16, d32)')
    """
    rest = places[1:]
    more = f" and {len(rest) - _MOST_PLACES} more" if len(rest) > _MOST_PLACES else ""
    return f" (also {', '.join(rest[:_MOST_PLACES])}{more})" if rest else ""


def _placed(sentence: str, design: Design | None, names: Sequence[str]) -> tuple[str, str, str]:
    """Return a sentence's path in the file, the rung it speaks of, and what is left of it.

    The rung is empty where the path says it, or every rung has it from there.
    """
    match = _RUNG.match(sentence)
    if match is None:
        return "", "", sentence
    place, index, key = match[1], int(match[2]), match[3] or ""
    rest = sentence[match.end() :]
    if design is None:
        return f".{key}" if key else "", place, rest
    table, name = table_name(design), names[index] if names else ""
    own = design.dial.own.get(name, Own())
    if key in ("seeds", "lrs") and getattr(own, key):
        return f"{table}.own.{name}.{key}", "", rest
    if key in DIAL_KEYS or (key == "token_budgets" and isinstance(design, TokenGrid)):
        return f"{table}.{key}", "", rest
    if key == "token_budgets":
        return f"{table}.{_BUDGETS[type(design)]}", name, rest
    return table, name, f".{key}{rest}" if key else rest


def _without_numbers(sentence: str) -> str:
    return re.sub(r"\d[\d.,e+]*", "#", sentence)
