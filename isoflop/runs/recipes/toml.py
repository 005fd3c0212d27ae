"""The `[recipe]` table of a ladder file: a published recipe's constants, and what differs."""

from dataclasses import asdict, fields
from typing import Any

from isoflop.runs.recipes import RECIPES
from isoflop.runs.recipes.recipe import FIRST_FIELDS, Recipe


def fill_recipe(document: dict[str, Any]) -> dict[str, Any]:
    """Put a named recipe's constants where the file gives none of its own.

    Args:
        document: a ladder file as read; a name that is none is left for the checks.

    >>> fill_recipe({"recipe": {"name": "kaplan", "batch_tokens": 256}})["recipe"]["lr_rule"]
    'logarithm'
    """
    table = document.get("recipe")
    name = table.get("name") if isinstance(table, dict) else None
    if not isinstance(table, dict) or not isinstance(name, str) or name not in RECIPES:
        return document
    return {**document, "recipe": {**recipe_row(RECIPES[name].recipe), **table}}


def recipe_row(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe's keys as a ladder file has them, defaults of later releases left out.

    A default is written where the recipe's name would fill in something else.

    >>> from dataclasses import replace
    >>> recipe_row(replace(RECIPES["kaplan"].recipe, horizon_steps=0))["horizon_steps"]
    0
    """
    row = asdict(recipe)
    named = asdict(RECIPES[recipe.name].recipe) if recipe.name in RECIPES else row
    later = {
        field.name
        for field in fields(Recipe)[FIRST_FIELDS:]
        if row[field.name] == field.default == named[field.name]
    }
    return {key: value for key, value in row.items() if key not in later}
