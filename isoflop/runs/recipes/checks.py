"""Mistakes of a recipe, alone and on a rung, each with its path."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from isoflop.base.errors import did_you_mean
from isoflop.runs.recipes import RECIPES
from isoflop.runs.recipes.recipe import Recipe
from isoflop.runs.settle import settle_recipe

if TYPE_CHECKING:
    from isoflop.runs.ladders.ladder import Rung

LEAST_STEPS = 10
"""Steps of a run at the least."""


def recipe_mistakes(recipe: Recipe) -> Iterator[str]:
    """Yield one sentence per mistake a recipe has whatever is trained by it."""
    if recipe.name not in RECIPES:
        yield f"recipe.name is {recipe.name!r}{did_you_mean(recipe.name, list(RECIPES))}"
    for name in ("batch_tokens", "base_width", "warmup_max_steps"):
        if getattr(recipe, name) < 1:
            yield f"recipe.{name} is {getattr(recipe, name)}, expected at least 1"
    for name in ("lr", "eps", "muon_lr"):
        if not 0 < getattr(recipe, name) < 1:
            yield f"recipe.{name} is {getattr(recipe, name)}, expected between 0 and 1"
    for name in ("beta1", "beta2", "warmup_fraction", "weight_decay", "lr_final", "muon_momentum"):
        if not 0 <= getattr(recipe, name) < 1:
            yield f"recipe.{name} is {getattr(recipe, name)}, expected from 0 to below 1"
    if not 0 < recipe.cooldown_fraction <= 0.5:
        yield f"recipe.cooldown_fraction is {recipe.cooldown_fraction}, expected 0 to 0.5"
    if recipe.beta2_half_life_tokens < 0:
        yield (
            f"recipe.beta2_half_life_tokens is {recipe.beta2_half_life_tokens}, expected 0 (beta2 "
            "as it stands) or more"
        )
    yield from _rule_mistakes(recipe)


def _rule_mistakes(recipe: Recipe) -> Iterator[str]:
    """Rules that lack a number of theirs."""
    for field, rule, number in (
        ("schedule", "cosine-fixed", "horizon_steps"),
        ("warmup_rule", "steps", "warmup_steps"),
        ("lr_rule", "power", "lr_scale"),
        ("lr_rule", "logarithm", "lr_scale"),
        ("batch_rule", "tokens", "batch_scale"),
        ("batch_rule", "compute", "batch_scale"),
    ):
        if getattr(recipe, field) == rule and not 0 < getattr(recipe, number) < float("inf"):
            yield (
                f"recipe.{number} is {getattr(recipe, number)}, but {field} = {rule} needs it "
                "above 0"
            )


def recipe_and_rung_mistakes(path: str, rung: "Rung", recipe: Recipe) -> Iterator[str]:
    """Yield one sentence per mistake of a rung under a recipe.

    Args:
        path: of the rung, such as `rungs[0]`.
        rung: what is trained.
        recipe: by what.
    """
    if not rung.token_budgets or recipe.batch_tokens < 1:
        return
    if min(rung.token_budgets) < 1:  # of no tokens no rule gives a batch
        yield from batch_mistakes(path, None, rung.token_budgets, recipe.batch_tokens)
        return
    if any(_rule_mistakes(recipe)):
        return
    try:
        settled = settle_recipe(recipe, rung)
    except (OverflowError, ValueError, ZeroDivisionError):
        yield f"{path}: the recipe's rules give no number here; check its scales and exponents"
        return
    if not 0 < settled.lr < 1 and not rung.lrs and settled.lr != recipe.lr:
        yield f"{path}: recipe.lr_rule gives the rate {settled.lr:.4g}, expected between 0 and 1"
    n_ctx, budgets = rung.architecture.n_ctx, rung.token_budgets
    yield from batch_mistakes(path, n_ctx, budgets, settled.batch_tokens, recipe.batch_rule)
    yield from _horizon_mistakes(path, rung, settled)


def batch_mistakes(
    path: str,
    n_ctx: int | None,
    token_budgets: tuple[int, ...] | None,
    batch_tokens: int,
    rule: str = "fixed",
) -> Iterator[str]:
    """Yield what a batch makes of a rung's context and budgets; None is not known."""
    shortest = LEAST_STEPS * batch_tokens
    name = "recipe.batch_tokens" if rule == "fixed" else f"the batch of batch_rule {rule}"
    if n_ctx is not None and n_ctx > 0 and batch_tokens % n_ctx:
        yield f"{path}.n_ctx is {n_ctx}, which does not divide {name} = {batch_tokens}"
    short = [budget for budget in token_budgets or () if budget < shortest]
    if short:
        are = "is" if len(short) == 1 else "are"
        said = " and ".join(map(str, short))
        yield f"{path}.token_budgets: {said} {are} below {LEAST_STEPS} steps ({shortest} tokens)"


def _horizon_mistakes(path: str, rung: "Rung", settled: Recipe) -> Iterator[str]:
    """A fixed cosine is over when its rate is zero: no run may be longer."""
    steps = round(rung.token_budgets[-1] / settled.batch_tokens)
    if settled.schedule == "cosine-fixed" and steps > settled.horizon_steps:
        yield (
            f"{path}.token_budgets: {rung.token_budgets[-1]} tokens are {steps} steps, beyond "
            f"recipe.horizon_steps = {settled.horizon_steps}; lengthen it or drop the budget"
        )
