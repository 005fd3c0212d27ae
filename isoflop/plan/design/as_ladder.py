"""Runs that a planner asks for as a ladder file, ready for `isoflop ladder plan` and `run`."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from isoflop.base.errors import InputError
from isoflop.base.estimate import shorten
from isoflop.runs.counted import counted
from isoflop.runs.designs.dial import Dial
from isoflop.runs.designs.expand import expand_design
from isoflop.runs.designs.nearest import count_shape, nearest_shape
from isoflop.runs.designs.tables import ProposedRuns
from isoflop.runs.ladders.checks import tokenizer_vocab
from isoflop.runs.ladders.ladder import Ladder, Recipe
from isoflop.runs.recipes.checks import LEAST_STEPS

SMALL = 1e6
"""Parameters below which widths go in steps of 4 instead of 8."""
FAR = 1.2
"""Ratio of a shape's parameters to those asked for from which it is said to be another size."""
STEPS = 1000
"""Steps of the shortest run at the least, where its tokens allow."""


@dataclass(frozen=True)
class Trained:
    """What the runs are trained on, and the shape of their models.

    Args:
        corpus: registered, or the path of a text file or folder.
        tokenizer: `bytes` or `bpe-K`.
        n_layer: of every model; 0 takes the depth from `aspect`.
        aspect: d_model per layer, where the depth follows from the size.
        n_ctx: context length, tokens.
        counting: which parameters the planner's sizes count.
    """

    corpus: str = "sotu"
    tokenizer: str = "bytes"
    n_layer: int = 0
    aspect: int = 64
    n_ctx: int = 64
    counting: Literal["total", "non_embedding"] = "total"


def ladder_of_runs(
    runs: Iterable[tuple[float, float]], trained: Trained | None = None, *, name: str = "design"
) -> Ladder:
    """Return the ladder that trains runs of given sizes and tokens, each at the nearest shape.

    Args:
        runs: (n_params, n_tokens) of every run; one that stands there twice gets two seeds.
        trained: corpus and shapes.
        name: of the ladder.

    Raises:
        InputError: no runs, runs of fewer than ten steps, or a tokenizer nobody knows.
        SpecError: runs that cannot be trained for another reason.

    >>> ladder = ladder_of_runs([(3e4, 2e6), (1e5, 2e6)], Trained(n_layer=2))
    >>> [(rung.name, rung.token_budgets) for rung in ladder.rungs]
    [('l2-d32', (2000000,)), ('l2-d60', (2000000,))]
    """
    trained = trained or Trained()
    asked = tuple((float(f"{n:.6g}"), float(f"{d:.6g}")) for n, d in runs)
    n_vocab = tokenizer_vocab(trained.tokenizer)
    if not asked or n_vocab is None:
        found = f"tokenizer {trained.tokenizer!r}" if asked else "no runs"
        raise InputError(f"a ladder needs runs, and bytes or bpe-K as its tokenizer; found {found}")
    dial = Dial(
        n_layer=trained.n_layer, aspect=trained.aspect, n_ctx=trained.n_ctx, positions="rotary"
    )
    step = 4 if min(n for n, _ in asked) < SMALL else 8
    design = ProposedRuns(dial, asked, trained.counting, step)
    recipe = Recipe(batch_tokens=_batch(min(d for _, d in asked), trained.n_ctx))
    _refuse_short(asked, recipe.batch_tokens)
    rungs = expand_design(design, n_vocab)
    return Ladder(name, trained.corpus, trained.tokenizer, rungs, recipe, design=design)


def far_sizes(ladder: Ladder) -> list[tuple[float, int]]:
    """Return (asked, nearest) parameters of the runs whose shape is off by a fifth or more."""
    design = ladder.design
    if not isinstance(design, ProposedRuns):
        return []
    n_vocab = ladder.rungs[0].architecture.n_vocab
    filled = replace(design, dial=replace(design.dial, n_vocab=n_vocab))
    found = {n: count_shape(filled, nearest_shape(filled, n)) for n, _ in design.runs}
    return [(n, near) for n, near in found.items() if abs(math.log(near / n)) > math.log(FAR)]


def _refuse_short(runs: Sequence[tuple[float, float]], batch: int) -> None:
    """Refuse runs of fewer steps than a ladder trains, in the planner's words and options."""
    short = [(d, n) for n, d in runs if round(d) < LEAST_STEPS * batch]
    if not short:
        return
    n_tokens, n_params = min(short)
    raise InputError(
        f"{len(short)} of {counted(len(runs), 'proposed run')} {'is' if len(short) == 1 else 'are'}"
        f" too short to train: the shortest is {shorten(n_params)} parameters on {n_tokens:.0f} "
        f"tokens, and a run takes at least {LEAST_STEPS} steps of {batch} tokens; ask for dearer "
        "runs (`isoflop design`: a larger --smallest or --budget, a smaller --spread; "
        "`isoflop next`: a larger --largest)"
    )


def _batch(shortest: float, n_ctx: int) -> int:
    """The tour's 256 tokens or one context, doubled while the shortest run keeps its steps."""
    batch = n_ctx * max(1, 256 // n_ctx)
    while 2 * batch * STEPS * 8 <= shortest:
        batch *= 2
    return batch
