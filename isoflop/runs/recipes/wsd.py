"""Constant rate, then a 1 − √ cooldown from the trunk to each budget: the default."""

from isoflop.runs.recipes.recipe import DEFAULT, PublishedRecipe

WSD = PublishedRecipe(
    recipe=DEFAULT,
    source="Hägele et al. 2024 (arXiv 2405.18392)",
    taken="the schedule: constant, then η0·(1 − √((n − n0)/n_cd)) over the last 20 % of steps, "
    "from any checkpoint, so that one trunk serves every budget",
    left="batch, rates, β2 and warm-up are this lab's own, measured at this size "
    "(docs/tour-design.md)",
)
