"""Mistakes of a ladder, all of them, each with its path."""

import itertools
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isoflop.runs.ladder import Evaluation, Ladder, Recipe, Rung

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_TOKENIZER = re.compile(r"bytes|bpe-[1-9][0-9]{2,5}")


def ladder_mistakes(ladder: "Ladder") -> list[str]:
    """Return one sentence per mistake, empty when the ladder can be trained."""
    return [
        *_head_mistakes(ladder),
        *_recipe_mistakes(ladder.recipe),
        *_evaluation_mistakes(ladder.evaluation),
        *itertools.chain.from_iterable(
            _rung_mistakes(f"rungs[{index}]", rung, ladder.recipe)
            for index, rung in enumerate(ladder.rungs)
        ),
    ]


def _head_mistakes(ladder: "Ladder") -> Iterator[str]:
    if not _NAME.fullmatch(ladder.name):
        yield f"name is {ladder.name!r}, expected 1 to 40 of A-Z a-z 0-9 . _ -"
    if not _TOKENIZER.fullmatch(ladder.tokenizer):
        yield f"tokenizer is {ladder.tokenizer!r}, expected bytes or bpe-K with K >= 100"
    if not 0 <= ladder.seed < 2**31:
        yield f"seed is {ladder.seed}, expected 0 to 2147483647"
    if not ladder.rungs:
        yield "rungs is empty, expected at least one"
    names = [rung.name for rung in ladder.rungs]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"rungs: the name {name!r} appears {names.count(name)} times, expected once"
    if len({(r.architecture.n_vocab, r.architecture.n_ctx) for r in ladder.rungs}) > 1:
        yield "rungs: n_vocab and n_ctx must be the same for every rung, or losses do not compare"


def _recipe_mistakes(recipe: "Recipe") -> Iterator[str]:
    for name in ("batch_tokens", "base_width", "warmup_max_steps"):
        if getattr(recipe, name) < 1:
            yield f"recipe.{name} is {getattr(recipe, name)}, expected at least 1"
    for name in ("lr", "eps"):
        if not 0 < getattr(recipe, name) < 1:
            yield f"recipe.{name} is {getattr(recipe, name)}, expected between 0 and 1"
    for name in ("beta1", "beta2", "warmup_fraction", "weight_decay"):
        if not 0 <= getattr(recipe, name) < 1:
            yield f"recipe.{name} is {getattr(recipe, name)}, expected from 0 to below 1"
    if not 0 < recipe.cooldown_fraction <= 0.5:
        yield f"recipe.cooldown_fraction is {recipe.cooldown_fraction}, expected 0 to 0.5"


def _evaluation_mistakes(evaluation: "Evaluation") -> Iterator[str]:
    if evaluation.tokens < 1:
        yield f"evaluation.tokens is {evaluation.tokens}, expected at least 1"
    if not 1 <= evaluation.curve_tokens <= evaluation.tokens:
        yield (
            f"evaluation.curve_tokens is {evaluation.curve_tokens}, expected 1 to "
            f"evaluation.tokens = {evaluation.tokens}"
        )
    if not 1 <= evaluation.curve_points_per_doubling <= 16:
        yield (
            f"evaluation.curve_points_per_doubling is {evaluation.curve_points_per_doubling}, "
            "expected 1 to 16"
        )
    if evaluation.held_out_every < 2:
        yield f"evaluation.held_out_every is {evaluation.held_out_every}, expected at least 2"


def _rung_mistakes(path: str, rung: "Rung", recipe: "Recipe") -> Iterator[str]:
    if not _NAME.fullmatch(rung.name):
        yield f"{path}.name is {rung.name!r}, expected 1 to 40 of A-Z a-z 0-9 . _ -"
    if not 1 <= rung.seeds <= 64:
        yield f"{path}.seeds is {rung.seeds}, expected 1 to 64"
    if recipe.batch_tokens % rung.architecture.n_ctx:
        yield (
            f"{path}.n_ctx is {rung.architecture.n_ctx}, which does not divide "
            f"recipe.batch_tokens = {recipe.batch_tokens}"
        )
    head_width = rung.architecture.d_attn // rung.architecture.n_head
    if rung.architecture.positions == "rotary" and head_width % 2:
        yield f"{path}: rotary positions need an even head width, found {head_width}"
    budgets = rung.token_budgets
    if not budgets:
        yield f"{path}.token_budgets is empty, expected at least one number of tokens"
    if any(low >= high for low, high in itertools.pairwise(budgets)):
        yield f"{path}.token_budgets must increase, found {list(budgets)}"
    shortest = 10 * recipe.batch_tokens
    if any(budget < shortest for budget in budgets):
        yield f"{path}.token_budgets: {min(budgets)} is below 10 steps ({shortest} tokens)"
