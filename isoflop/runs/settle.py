"""What a recipe's rules come to on one rung: rate, batch, β2 and warm-up as plain numbers.

Legend: N non-embedding parameters, D tokens, C = 6·N·D FLOPs, B tokens a step.
"""

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from isoflop.accounting.families import take_inventory
from isoflop.accounting.params import count_params
from isoflop.base.units import PF_DAY
from isoflop.runs.recipes.recipe import Recipe

if TYPE_CHECKING:
    from isoflop.runs.ladders.ladder import Rung


def settle_recipe(recipe: Recipe, rung: "Rung") -> Recipe:
    """Return the recipe with every rule worked out for a rung, as `fixed` numbers.

    A rung's own learning rates (`lrs`) come before any rule: the first of them is the rate, the
    others are factors of it. Settling twice changes nothing.

    Args:
        recipe: rules and numbers.
        rung: shape and budgets.

    >>> from isoflop.accounting.architecture import Architecture
    >>> from isoflop.runs.ladders.ladder import Rung
    >>> rung = Rung("d64", Architecture(n_layer=2, d_model=64, n_ctx=64, n_vocab=256), 1, (2**24,))
    >>> rule = Recipe(batch_rule="tokens", batch_scale=0.58, batch_exponent=0.571)
    >>> settle_recipe(rule, rung).batch_tokens
    8192
    """
    batch = _batch(recipe, rung)
    half_life = recipe.beta2_half_life_tokens
    return replace(
        recipe,
        batch_tokens=batch,
        batch_rule="fixed",
        lr=rung.lrs[0] if rung.lrs else _lr(recipe, rung),
        lr_rule="transfer",
        base_width=_base_width(recipe, rung),
        beta2=2 ** (-batch / half_life) if half_life else recipe.beta2,
        beta2_half_life_tokens=0,
    )


def warmup_steps(recipe: Recipe, rung: "Rung", end: int) -> int:
    """Return the steps of linear warm-up of a trunk.

    Args:
        recipe: settled.
        rung: what is trained.
        end: steps of the trunk's shortest run.
    """
    if recipe.warmup_rule == "share":
        return max(1, min(recipe.warmup_max_steps, round(recipe.warmup_fraction * end)))
    if recipe.warmup_rule == "steps":
        return max(1, recipe.warmup_steps)
    counts = count_params(rung.architecture)
    head = rung.architecture.n_vocab * take_inventory(rung.architecture).d_out  # tied or not
    steps = (counts.non_embedding + head) / recipe.batch_tokens
    # Porian's cosines: min(N, D/6) tokens, by the configurations of their runs.
    return max(1, round(min(steps, end / 6) if recipe.schedule == "cosine" else steps))


def _lr(recipe: Recipe, rung: "Rung") -> float:
    if recipe.lr_rule in ("transfer", "standard"):
        return recipe.lr
    n_params = count_params(rung.architecture).non_embedding
    if recipe.lr_rule == "logarithm":
        return recipe.lr_scale + recipe.lr_exponent_n * math.log(n_params)
    n_tokens = rung.token_budgets[-1]
    return recipe.lr_scale * n_params**recipe.lr_exponent_n * n_tokens**recipe.lr_exponent_d


def _base_width(recipe: Recipe, rung: "Rung") -> int:
    """At a base of its own width a matrix learns at the rate itself: standard parametrisation."""
    if recipe.lr_rule == "transfer":
        return recipe.base_width
    return rung.architecture.d_model


def _batch(recipe: Recipe, rung: "Rung") -> int:
    if recipe.batch_rule == "fixed":
        return recipe.batch_tokens
    amount = float(rung.token_budgets[0])
    if recipe.batch_rule == "compute":
        amount *= 6 * count_params(rung.architecture).non_embedding / PF_DAY
    wanted = recipe.batch_scale * amount**recipe.batch_exponent
    n_ctx = rung.architecture.n_ctx
    return n_ctx * 2 ** max(0, round(math.log2(wanted / n_ctx)))
