"""How a recipe is trained: its schedules and its optimizers, one file each.

The recipes themselves are data, in `isoflop.runs.recipes`. A further schedule is a file here, a
line below, and its name in `isoflop.runs.recipes.recipe.ScheduleName`.
"""

from collections.abc import Callable, Mapping

from isoflop.lab.recipes.constant import constant_tracks
from isoflop.lab.recipes.cosine import fixed_tracks, matched_tracks
from isoflop.lab.recipes.track import Track
from isoflop.lab.recipes.wsd import wsd_tracks
from isoflop.runs.recipes.recipe import Recipe, ScheduleName

TRACKS: Mapping[ScheduleName, Callable[[Recipe, tuple[int, ...]], tuple[Track, ...]]] = {
    "wsd": wsd_tracks,
    "cosine": matched_tracks,
    "cosine-fixed": fixed_tracks,
    "constant": constant_tracks,
}
"""Schedule → the trunks of a rung, of (settled recipe, steps of each budget)."""
