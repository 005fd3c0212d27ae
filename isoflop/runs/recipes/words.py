"""A recipe in words, for the facts of a report."""

from isoflop.runs.recipes.recipe import Recipe


def describe_recipe(recipe: Recipe) -> dict[str, str]:
    """Return batch, optimizer and schedule in words.

    >>> describe_recipe(Recipe())["batch"]
    '256 tokens a step'
    """
    return {
        "batch": _batch(recipe),
        "optimizer": f"{_optimizer(recipe)}, {_rate(recipe)}, {_beta2(recipe)}",
        "schedule": f"{_warmup(recipe)}, {_shape(recipe)}",
    }


def _batch(recipe: Recipe) -> str:
    if recipe.batch_rule == "fixed":
        return f"{recipe.batch_tokens} tokens a step"
    amount = "D" if recipe.batch_rule == "tokens" else "C (PF-days)"
    return f"{recipe.batch_scale:g}·{amount}^{recipe.batch_exponent:g} tokens a step"


def _optimizer(recipe: Recipe) -> str:
    if recipe.optimizer == "adamw":
        return "AdamW"
    return f"Muon at {recipe.muon_lr:g} for the layers' matrices, AdamW for the rest"


def _rate(recipe: Recipe) -> str:
    if recipe.lr_rule == "transfer":
        return f"peak rate {recipe.lr:g} at width {recipe.base_width}, scaled by width"
    if recipe.lr_rule == "standard":
        return f"peak rate {recipe.lr:g} at every width"
    if recipe.lr_rule == "logarithm":
        return f"peak rate {recipe.lr_scale:g} {recipe.lr_exponent_n:+g}·ln N"
    powers = f"N^{recipe.lr_exponent_n:g}·D^{recipe.lr_exponent_d:g}"
    return f"peak rate {recipe.lr_scale:g}·{powers}"


def _beta2(recipe: Recipe) -> str:
    if recipe.beta2_half_life_tokens:
        return f"β2 of half-life {recipe.beta2_half_life_tokens:,} tokens"
    return f"β2 {recipe.beta2:g}"


def _warmup(recipe: Recipe) -> str:
    if recipe.warmup_rule == "share":
        return f"warm-up {100 * recipe.warmup_fraction:g} % of the shortest run"
    if recipe.warmup_rule == "steps":
        return f"warm-up {recipe.warmup_steps:,} steps"
    return "warm-up as many tokens as parameters, head counted"


def _shape(recipe: Recipe) -> str:
    if recipe.schedule == "wsd":
        return f"constant, 1 − √ cooldown over the last {100 * recipe.cooldown_fraction:g} %"
    if recipe.schedule == "constant":
        return "constant to the end"
    length = "each run" if recipe.schedule == "cosine" else f"{recipe.horizon_steps:,} steps"
    return f"cosine over {length} to {100 * recipe.lr_final:g} % of the peak"
