"""Mistakes of a ladder, all of them, each with its path."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from isoflop.runs.ladders.evaluation import evaluation_mistakes, noise_mistakes
from isoflop.runs.ladders.rung_checks import NAME, RungParts, parts_of, rung_mistakes
from isoflop.runs.ladders.unread import without_unread
from isoflop.runs.recipes.checks import (
    batch_mistakes,
    recipe_and_rung_mistakes,
    recipe_mistakes,
)

if TYPE_CHECKING:
    from isoflop.runs.ladders.ladder import Evaluation, Ladder, Recipe, Rung

BYTES_VOCAB = 256
"""Tokens of the byte tokenizer."""
BPE_VOCAB = (257, 65536)
"""Least and most tokens of `bpe-K`: 256 bytes and an end token; two bytes a token on disk."""

_BPE = re.compile(r"bpe-([1-9][0-9]{0,9})")


@dataclass(frozen=True)
class Parts:
    """What could be read of a ladder with mistakes of form; None is what could not.

    Args:
        name, tokenizer, seed, max_epochs: of the head.
        recipe: unread fields at their defaults, as those of `evaluation`.
        evaluation: likewise.
        rungs: each in its parts.
        unread: paths of fields with mistakes of form, such as `recipe.lr`.
    """

    name: str | None
    tokenizer: str | None
    seed: int | None
    max_epochs: float | None
    recipe: "Recipe | None"
    evaluation: "Evaluation | None"
    rungs: tuple[RungParts | None, ...] | None
    unread: frozenset[str] = frozenset()


def parts_of_ladder(ladder: "Ladder") -> Parts:
    """Return a whole ladder as its parts."""
    return Parts(
        name=ladder.name,
        tokenizer=ladder.tokenizer,
        seed=ladder.seed,
        max_epochs=ladder.max_epochs,
        recipe=ladder.recipe,
        evaluation=ladder.evaluation,
        rungs=tuple(parts_of(rung) for rung in ladder.rungs),
    )


def ladder_mistakes(parts: Parts) -> list[str]:
    """Return one sentence per mistake, empty when the ladder can be trained.

    What follows from a field that could not be read is left out: its own mistake is told.
    """
    found = list(_head_mistakes(parts))
    if parts.recipe is not None:
        found += recipe_mistakes(parts.recipe)
    if parts.evaluation is not None:
        found += evaluation_mistakes(parts.evaluation)
        for n_ctx in sorted({rung.n_ctx for rung in parts.rungs or () if rung and rung.n_ctx}):
            found += noise_mistakes(n_ctx, parts.evaluation)
    for index, rung in enumerate(parts.rungs or ()):
        if rung is not None:
            found += _rung_mistakes(f"rungs[{index}]", rung, parts)
    return without_unread(found, parts.unread)


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


def _head_mistakes(parts: Parts) -> Iterator[str]:
    if parts.name is not None and not NAME.fullmatch(parts.name):
        yield f"name is {parts.name!r}, expected 1 to 40 of A-Z a-z 0-9 . _ -"
    if parts.tokenizer is not None and tokenizer_vocab(parts.tokenizer) is None:
        yield (
            f"tokenizer is {parts.tokenizer!r}, expected bytes, or bpe-K with K from "
            f"{BPE_VOCAB[0]} to {BPE_VOCAB[1]}"
        )
    if parts.seed is not None and not 0 <= parts.seed < 2**31:
        yield f"seed is {parts.seed}, expected 0 to 2147483647"
    if parts.max_epochs is not None and not 0 < parts.max_epochs < math.inf:
        yield f"max_epochs is {parts.max_epochs}, expected a positive number"
    if parts.rungs is not None and not parts.rungs:
        yield "rungs is empty, expected at least one"
    yield from _name_mistakes([rung.name if rung else None for rung in parts.rungs or ()])
    rungs = [rung for rung in parts.rungs or () if rung]
    contexts = sorted({rung.n_ctx for rung in rungs if rung.n_ctx is not None})
    if len(contexts) > 1:
        yield (
            f"rungs: n_ctx is {' and '.join(map(str, contexts))}, expected the same for every "
            "rung, or losses do not compare"
        )


def _name_mistakes(names: Sequence[str | None]) -> Iterator[str]:
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        places = [f"rungs[{index}]" for index, each in enumerate(names) if each == name]
        yield (
            f"rungs: the name {name!r} appears {len(places)} times ({', '.join(places)}), "
            "expected once"
        )


def _rung_mistakes(path: str, rung: RungParts, parts: Parts) -> Iterator[str]:
    yield from rung_mistakes(path, rung)
    vocab = tokenizer_vocab(parts.tokenizer) if parts.tokenizer is not None else None
    if vocab is not None and rung.n_vocab is not None and rung.n_vocab != vocab:
        yield (
            f"{path}.n_vocab is {rung.n_vocab}, but tokenizer {parts.tokenizer} has {vocab} "
            f"tokens; set n_vocab = {vocab}, or leave it out"
        )
    recipe, whole = parts.recipe, _whole_rung(rung)
    if recipe is None or parts.unread & {"recipe.batch_tokens", "recipe.batch_rule"}:
        return
    if whole is not None and not any(field.startswith("recipe.") for field in parts.unread):
        yield from recipe_and_rung_mistakes(path, whole, recipe)
    elif recipe.batch_rule == "fixed":
        yield from batch_mistakes(path, rung.n_ctx, rung.token_budgets, recipe.batch_tokens)


def _whole_rung(parts: RungParts) -> "Rung | None":
    """A rung to hold against a recipe, where its shape and budgets are known."""
    from isoflop.runs.ladders.ladder import Rung

    if parts.architecture is None or not parts.token_budgets:
        return None
    seeds, lrs = parts.seeds or 1, parts.lrs or ()
    return Rung(parts.name or "", parts.architecture, seeds, parts.token_budgets, lrs=lrs)
