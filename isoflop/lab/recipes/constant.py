"""One trunk at constant rate, read at each budget without a cooldown (Porian et al. 2024).

Losses lie .03 to .13 nats above cooled ones (training.md): never fit the two together.
"""

from isoflop.lab.recipes.track import Constant, Track, read_on_the_way
from isoflop.runs.recipes.recipe import Recipe


def constant_tracks(_: Recipe, ends: tuple[int, ...]) -> tuple[Track, ...]:
    """Lay out the one trunk.

    Args:
        ends: steps of each budget, ascending.
    """
    return (Track("", Constant(), read_on_the_way(ends)),)
