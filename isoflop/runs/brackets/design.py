"""A ladder that tries several learning rates a rung, and the ladder tuned by what it found."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from isoflop.base.errors import InputError
from isoflop.runs.ladders.ladder import Ladder, Rung
from isoflop.runs.settle import settle_recipe

MOST_RATE = 0.9
"""Rates from here on are not tried; every optimizer here diverges below."""


def bracket_ladder(
    ladder: Ladder,
    *,
    n_rates: int = 5,
    ratio: float = 2.0,
    at: Literal["shortest", "longest"] = "shortest",
) -> Ladder:
    """Return the ladder that brackets the learning rate of every rung.

    Each rung keeps its seeds and one budget, and is trained at lr·ratio^k, k from −(n − 1)/2 to
    (n − 1)/2, all packed as one batched model. The rate in the middle is the one that the recipe
    gives the rung.

    Args:
        ladder: what is to be tuned.
        n_rates: rates a rung, odd, at least 3.
        ratio: from one rate to the next, above 1.
        at: the budget at which rates are compared.

    Raises:
        InputError: too few rates, an even number of them, or a ratio that is not above 1.

    >>> from isoflop.accounting.architecture import Architecture
    >>> shape = Architecture(n_layer=2, d_model=16, n_head=1, n_ctx=64, n_vocab=256)
    >>> ladder = Ladder("demo", "sotu", "bytes", (Rung("d16", shape, 1, (8192, 16384)),))
    >>> bracket_ladder(ladder, n_rates=3).rungs[0].lrs
    (0.002, 0.004, 0.008)
    """
    if n_rates < 3 or n_rates % 2 == 0:
        raise InputError(f"n_rates is {n_rates}, expected an odd number of at least 3")
    if not 1.05 <= ratio <= 100:
        raise InputError(f"ratio is {ratio}, expected 1.05 to 100")
    rungs = tuple(_bracketed(rung, ladder, n_rates, ratio, at) for rung in ladder.rungs)
    return replace(ladder, name=f"{ladder.name[:36]}-lrs", rungs=rungs)


def tuned_ladder(ladder: Ladder, rates: Mapping[str, float]) -> Ladder:
    """Return the ladder with a learning rate of its own for every rung named.

    Args:
        ladder: what is to be trained.
        rates: {rung: peak learning rate}; the others keep the recipe's.
    """
    rungs = tuple(
        replace(rung, lrs=(rates[rung.name],)) if rung.name in rates else rung
        for rung in ladder.rungs
    )
    return replace(ladder, rungs=rungs)


def _bracketed(rung: Rung, ladder: Ladder, n_rates: int, ratio: float, at: str) -> Rung:
    middle = settle_recipe(ladder.recipe, rung).lr
    powers = range(-(n_rates // 2), n_rates // 2 + 1)
    lrs = tuple(float(f"{middle * ratio**power:.4g}") for power in powers)
    budget = rung.token_budgets[0 if at == "shortest" else -1]
    tried = tuple(lr for lr in lrs if lr < MOST_RATE)
    return replace(rung, token_budgets=(budget,), lrs=tried)
