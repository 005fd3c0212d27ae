"""Mistakes of a design, all of them, each with its path."""

import math
from collections.abc import Iterator, Sequence

from isoflop.runs.designs.dial import Dial
from isoflop.runs.designs.tables import (
    DepthLadder,
    Design,
    IsoflopGrid,
    ProposedRuns,
    TokenGrid,
    table_name,
)
from isoflop.runs.ladders.unread import without_unread

MOST_SIZE = 2**20
"""Widths and depths from here on are typing errors."""
MOST_AMOUNT = 1e40
"""FLOPs, tokens, and tokens a parameter: products of them stay finite."""


def design_mistakes(design: Design, unread: frozenset[str] = frozenset()) -> list[str]:
    """Return one sentence per mistake that keeps a design from being expanded.

    Args:
        design: what could be read of it.
        unread: fields that could not; they are empty and not held against it.
    """
    path = table_name(design)
    proposed = isinstance(design, ProposedRuns)
    found = list(_dial_mistakes(path, design.dial, proposed=proposed))
    if not proposed and not unread & {"widths", "depths"}:
        found += _size_mistakes(path, design.dial)
    if isinstance(design, DepthLadder):
        found += _positive(f"{path}.tokens_per_param", design.tokens_per_param)
    elif isinstance(design, IsoflopGrid):
        found += _positive(f"{path}.budgets", design.budgets)
        if not 0 < design.tokens_per_param < math.inf:
            value = design.tokens_per_param
            found.append(f"{path}.tokens_per_param is {value:g}, expected a positive number")
        if not unread & {"widths", "depths"}:
            found += _valley_mistakes(path, design)
    elif isinstance(design, TokenGrid):
        found += _positive(f"{path}.token_budgets", design.token_budgets)
    else:
        found += _proposed_mistakes(path, design)
    return without_unread(found, [f"{path}.{name}" for name in unread])


def _size_mistakes(path: str, dial: Dial) -> Iterator[str]:
    if bool(dial.widths) == bool(dial.depths):
        yield f"{path}: give widths or depths, one of them"


def _valley_mistakes(path: str, grid: IsoflopGrid) -> Iterator[str]:
    wanted, sizes = grid.sizes_per_budget, grid.dial.sizes
    if wanted < 0 or (sizes and wanted > len(sizes)):
        most = f"1 to {len(sizes)} (the number of sizes)" if sizes else "more"
        yield f"{path}.sizes_per_budget is {wanted}, expected 0 (all) or {most}"


def _dial_mistakes(path: str, dial: Dial, *, proposed: bool) -> Iterator[str]:
    if proposed and dial.sizes:
        yield f"{path}: widths and depths follow from the runs; leave them out"
    for name, sizes in (("widths", dial.widths), ("depths", dial.depths)):
        for index, size in enumerate(sizes):
            if not 1 <= size < MOST_SIZE:
                yield f"{path}.{name}[{index}] is {size}, expected 1 to {MOST_SIZE - 1}"
        yield from _twice(f"{path}.{name}", sizes)
    least = {"n_layer": 0 if proposed else 1, "aspect": 1, "n_ctx": 1}
    least |= {"n_head": 0, "head_width": 0, "n_vocab": 0}
    for name, low in least.items():
        value = getattr(dial, name)
        if not low <= value < MOST_SIZE:
            yield f"{path}.{name} is {value}, expected {low} to {MOST_SIZE - 1}"
    if dial.n_head and dial.head_width:
        yield f"{path}: give n_head or head_width, not both"


def _proposed_mistakes(path: str, design: ProposedRuns) -> Iterator[str]:
    if not design.runs:
        yield f"{path}.runs is empty, expected at least one [n_params, n_tokens]"
    for index, (n_params, n_tokens) in enumerate(design.runs):
        if not (1 <= n_params < 1e15 and 1 <= n_tokens < 1e18):
            yield (
                f"{path}.runs[{index}] is [{n_params:g}, {n_tokens:g}], expected parameters up to "
                "1e15 and tokens up to 1e18"
            )
    if not 1 <= design.width_step < MOST_SIZE:
        yield f"{path}.width_step is {design.width_step}, expected 1 to {MOST_SIZE - 1}"


def _twice(path: str, values: Sequence[float]) -> Iterator[str]:
    for value in sorted({value for value in values if value > 0 and values.count(value) > 1}):
        yield f"{path}: {value:.12g} appears {values.count(value)} times, expected once"


def _positive(path: str, values: Sequence[float]) -> Iterator[str]:
    if not values:
        yield f"{path} is empty, expected at least one number"
    for index, value in enumerate(values):
        if not 0 < value <= MOST_AMOUNT:
            most = f" up to {MOST_AMOUNT:g}" if value > 0 else ""
            yield f"{path}[{index}] is {value:g}, expected a positive number{most}"
    yield from _twice(path, values)
