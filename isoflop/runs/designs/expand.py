"""From a design to its rungs.

Legend: N parameters, D tokens, C FLOPs of one run.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.flops import flops_per_token
from isoflop.accounting.params import count_params
from isoflop.runs.designs.dial import Dial, Own, rung_name, shape_at
from isoflop.runs.designs.nearest import nearest_shape
from isoflop.runs.designs.tables import DepthLadder, Design, IsoflopGrid, ProposedRuns, TokenGrid
from isoflop.runs.ladders.ladder import Rung


def expand_design(design: Design, n_vocab: int) -> tuple[Rung, ...]:
    """Return the rungs of a design, smallest model first.

    Args:
        design: without mistakes.
        n_vocab: the tokenizer's tokens, where the design's dial does not say.

    >>> dial = Dial(widths=(8, 16), n_ctx=16)
    >>> [rung.token_budgets for rung in expand_design(TokenGrid(dial, (4096, 8192)), 256)]
    [(4096, 8192), (4096, 8192)]
    """
    if not design.dial.n_vocab:
        design = replace(design, dial=replace(design.dial, n_vocab=n_vocab))
    if isinstance(design, ProposedRuns):
        return _proposed(design)
    budgets = {size: size_budgets(design, size) for size in design.dial.sizes}
    return tuple(
        make_rung(design.dial, rung_name(design.dial, size), shape_at(design.dial, size), tokens)
        for size, tokens in budgets.items()
        if tokens
    )


def make_rung(
    dial: Dial, name: str, shape: Architecture, tokens: tuple[int, ...], repeats: int = 1
) -> Rung:
    """Return one rung, with what it has of its own."""
    own = dial.own.get(name, Own())
    seeds = (own.seeds or dial.seeds) * repeats
    return Rung(name, shape, seeds, tokens, lrs=own.lrs or dial.lrs)


def size_budgets(design: DepthLadder | IsoflopGrid | TokenGrid, size: int) -> tuple[int, ...]:
    """Return the numbers of tokens of one size, ascending."""
    if isinstance(design, TokenGrid):
        return tuple(sorted(set(design.token_budgets)))
    shape = shape_at(design.dial, size)
    if isinstance(design, DepthLadder):
        count = count_params(shape)
        n_params = count.non_embedding + shape.n_vocab * shape.d_model  # the head, tied or not
        return tuple(sorted({round(ratio * n_params) for ratio in design.tokens_per_param}))
    served = [C for C in design.budgets if size in valley(design, C)]
    return tuple(sorted({round(C / flops_per_token(shape).matmul) for C in served}))


def valley(grid: IsoflopGrid, flops: float) -> tuple[int, ...]:
    """Return the sizes trained at one budget of an IsoFLOP grid.

    >>> grid = IsoflopGrid(Dial(widths=(8, 16, 32, 64, 128), n_ctx=16, n_vocab=256), (1e10,), 3)
    >>> valley(grid, 1e10)
    (8, 16, 32)
    """
    sizes, wanted = grid.dial.sizes, grid.sizes_per_budget
    if not wanted or wanted >= len(sizes):
        return sizes
    ratios = [_tokens_per_param(shape_at(grid.dial, size), flops) for size in sizes]
    off = [abs(math.log(ratio / grid.tokens_per_param)) for ratio in ratios]
    first = min(max(0, off.index(min(off)) - wanted // 2), len(sizes) - wanted)
    return sizes[first : first + wanted]


def _tokens_per_param(shape: Architecture, flops: float) -> float:
    return flops / flops_per_token(shape).matmul / count_params(shape).total


def _proposed(design: ProposedRuns) -> tuple[Rung, ...]:
    """One rung a shape and number of repeats: its seeds hold for all its budgets."""
    asked: dict[Architecture, Counter[int]] = {}
    for n_params, n_tokens in design.runs:
        asked.setdefault(nearest_shape(design, n_params), Counter())[round(n_tokens)] += 1
    rungs = []
    for shape in sorted(asked, key=lambda shape: count_params(shape).total):
        for repeats, tokens in sorted(_by_repeats(asked[shape]).items()):
            name = f"l{shape.n_layer}-d{shape.d_model}" + (f"-x{repeats}" if repeats > 1 else "")
            rungs.append(make_rung(design.dial, name, shape, tokens, repeats))
    return tuple(rungs)


def _by_repeats(tokens: Mapping[int, int]) -> dict[int, tuple[int, ...]]:
    return {
        repeats: tuple(sorted(D for D, times in tokens.items() if times == repeats))
        for repeats in set(tokens.values())
    }
