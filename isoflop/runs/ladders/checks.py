"""Mistakes of a ladder, all of them, each with its path."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from isoflop.runs.ladders.evaluation import evaluation_mistakes, noise_mistakes
from isoflop.runs.ladders.rung_checks import NAME, RungParts, rung_mistakes
from isoflop.runs.recipe_checks import recipe_and_rung_mistakes, recipe_mistakes

if TYPE_CHECKING:
    from isoflop.runs.ladders.ladder import Evaluation, Ladder, Recipe, Rung

BYTES_VOCAB = 256
"""Tokens of the byte tokenizer."""
BPE_VOCAB = (257, 65536)
"""Least and most tokens of `bpe-K`: 256 bytes and an end token; two bytes a token on disk."""

_BPE = re.compile(r"bpe-([1-9][0-9]{0,9})")


@dataclass(frozen=True)
class Parts:
    """What could be read of a ladder with mistakes of form; None is what could not."""

    name: str | None
    tokenizer: str | None
    seed: int | None
    max_epochs: float | None
    recipe: "Recipe | None"
    evaluation: "Evaluation | None"
    rungs: "tuple[Rung | RungParts | None, ...] | None"


def ladder_mistakes(ladder: "Ladder | Parts") -> list[str]:
    """Return one sentence per mistake, empty when the ladder can be trained."""
    found = list(_head_mistakes(ladder))
    if ladder.recipe is not None:
        found += recipe_mistakes(ladder.recipe)
    if ladder.evaluation is not None:
        found += evaluation_mistakes(ladder.evaluation)
    for index, rung in enumerate(ladder.rungs or ()):
        if isinstance(rung, RungParts):
            found += rung_mistakes(f"rungs[{index}]", rung)
        elif rung is not None:
            found += _rung_mistakes(f"rungs[{index}]", rung, ladder)
    return found


def tokenizer_vocab(tokenizer: str) -> int | None:
    """Return the tokens a tokenizer is asked to have, None if it is none.

    >>> tokenizer_vocab("bytes"), tokenizer_vocab("bpe-1024"), tokenizer_vocab("bpe-100")
    (256, 1024, None)
    """
    if tokenizer == "bytes":
        return BYTES_VOCAB
    found = _BPE.fullmatch(tokenizer)
    least, most = BPE_VOCAB
    return int(found[1]) if found and least <= int(found[1]) <= most else None


def _head_mistakes(ladder: "Ladder | Parts") -> Iterator[str]:
    if ladder.name is not None and not NAME.fullmatch(ladder.name):
        yield f"name is {ladder.name!r}, expected 1 to 40 of A-Z a-z 0-9 . _ -"
    if ladder.tokenizer is not None and tokenizer_vocab(ladder.tokenizer) is None:
        yield (
            f"tokenizer is {ladder.tokenizer!r}, expected bytes, or bpe-K with K from "
            f"{BPE_VOCAB[0]} to {BPE_VOCAB[1]}"
        )
    if ladder.seed is not None and not 0 <= ladder.seed < 2**31:
        yield f"seed is {ladder.seed}, expected 0 to 2147483647"
    if ladder.max_epochs is not None and not 0 < ladder.max_epochs < math.inf:
        yield f"max_epochs is {ladder.max_epochs}, expected a positive number"
    if ladder.rungs is not None and not ladder.rungs:
        yield "rungs is empty, expected at least one"
    rungs = [rung for rung in ladder.rungs or () if rung and not isinstance(rung, RungParts)]
    names = [rung.name for rung in rungs]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"rungs: the name {name!r} appears {names.count(name)} times, expected once"
    if len({(r.architecture.n_vocab, r.architecture.n_ctx) for r in rungs}) > 1:
        yield "rungs: n_vocab and n_ctx must be the same for every rung, or losses do not compare"


def _rung_mistakes(path: str, rung: "Rung", ladder: "Ladder | Parts") -> Iterator[str]:
    yield from rung_mistakes(path, rung)
    vocab = tokenizer_vocab(ladder.tokenizer) if ladder.tokenizer is not None else None
    if vocab is not None and rung.architecture.n_vocab != vocab:
        yield (
            f"{path}.n_vocab is {rung.architecture.n_vocab}, but tokenizer {ladder.tokenizer} "
            f"has {vocab} tokens; set n_vocab = {vocab}"
        )
    if ladder.evaluation is not None:
        yield from noise_mistakes(path, rung.architecture.n_ctx, ladder.evaluation)
    if ladder.recipe is not None:
        yield from recipe_and_rung_mistakes(path, rung, ladder.recipe)
