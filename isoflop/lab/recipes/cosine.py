"""Linear warm-up, then half a cosine: of each run's own length, or of one fixed length.

A cosine that fits its run cannot be cut short, so every budget has a trunk of its own (Hoffmann et
al. 2022, figure A1: one 25 % too long costs). One of fixed length is shared, and its runs are read
before it is over, as Kaplan et al. 2020 did.
"""

import math
from dataclasses import dataclass

from isoflop.lab.recipes.track import Track, read_on_the_way
from isoflop.runs.recipes.recipe import Recipe


@dataclass(frozen=True)
class Cosine:
    """share(n) = f + (1 − f)·½(1 + cos π(n − w)/(h − w)) after w steps of warm-up.

    Args:
        horizon: h, steps at whose end the rate is `final`.
        final: f, share of the peak.
    """

    horizon: int
    final: float

    def share(self, step: int, warmup: int) -> float:
        """(step + 1)/warmup while warming up, then the cosine.

        >>> [round(Cosine(4, 0.1).share(step, 1), 3) for step in range(5)]
        [1.0, 1.0, 0.775, 0.325, 0.1]
        """
        if step < warmup:
            return (step + 1) / warmup
        progress = (step - warmup) / max(1, self.horizon - warmup)
        return self.final + (1 - self.final) * 0.5 * (1 + math.cos(math.pi * progress))


def matched_tracks(recipe: Recipe, ends: tuple[int, ...]) -> tuple[Track, ...]:
    """Lay out one trunk a budget.

    Args:
        recipe: settled.
        ends: steps of each budget, ascending.

    >>> [track.name for track in matched_tracks(Recipe(batch_tokens=256), (100, 200))]
    ['t25600', 't51200']
    """
    return tuple(
        Track(
            f"t{end * recipe.batch_tokens}", Cosine(end, recipe.lr_final), read_on_the_way((end,))
        )
        for end in ends
    )


def fixed_tracks(recipe: Recipe, ends: tuple[int, ...]) -> tuple[Track, ...]:
    """Lay out the one trunk, whose cosine goes on beyond its longest run.

    Args:
        recipe: settled.
        ends: steps of each budget, ascending.
    """
    return (Track("", Cosine(recipe.horizon_steps, recipe.lr_final), read_on_the_way(ends)),)
