"""Recipes of the papers, by the name that a ladder file's `[recipe]` may give.

A sixth recipe is one file here and one line below.
"""

from collections.abc import Mapping

from isoflop.runs.recipes.chinchilla import CHINCHILLA
from isoflop.runs.recipes.kaplan import KAPLAN
from isoflop.runs.recipes.porian import PORIAN
from isoflop.runs.recipes.recipe import PublishedRecipe
from isoflop.runs.recipes.wsd import WSD

RECIPES: Mapping[str, PublishedRecipe] = {
    "wsd": WSD,
    "kaplan": KAPLAN,
    "chinchilla": CHINCHILLA,
    "porian": PORIAN,
}
