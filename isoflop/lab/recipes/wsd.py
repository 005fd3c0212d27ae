"""One trunk at constant rate; a 1 − √ cooldown leaves it before each budget.

So one trunk gives every budget at about 1.2 times the cost of the longest run, and every point of
the table is a finished run (Hägele et al. 2024).
"""

from isoflop.lab.recipes.track import Branch, Constant, Track
from isoflop.runs.recipes.recipe import Recipe


def wsd_tracks(recipe: Recipe, ends: tuple[int, ...]) -> tuple[Track, ...]:
    """Lay out the one trunk.

    Args:
        recipe: settled.
        ends: steps of each budget, ascending.

    >>> wsd_tracks(Recipe(), (100, 200))[0].branches
    (Branch(start=80, end=100), Branch(start=160, end=200))
    """
    share = 1 - recipe.cooldown_fraction
    return (Track("", Constant(), tuple(Branch(round(share * end), end) for end in ends)),)
