"""Learning rate by step: a trunk's warm-up and shape, and the cooldown branches that leave it."""

import math
from dataclasses import dataclass, field

from isoflop.lab.recipes import TRACKS
from isoflop.lab.recipes.track import Branch as Branch
from isoflop.lab.recipes.track import Constant, Shape, Track
from isoflop.runs.ladders.ladder import Recipe, Rung
from isoflop.runs.settle import settle_recipe, warmup_steps


@dataclass(frozen=True)
class Schedule:
    """When a trunk warms up, is looked at, and branches.

    Args:
        lr: peak learning rate.
        warmup: steps of linear warm-up.
        branches: one per budget, ascending.
        points: trunk steps at which the held-out loss is recorded, ascending; every branch
            start is one of them.
        shape: of the rate along the trunk.
        name: folder of the trunk's files below the rung's, empty for the only trunk.
    """

    lr: float
    warmup: int
    branches: tuple[Branch, ...]
    points: tuple[int, ...]
    shape: Shape = field(default_factory=Constant)
    name: str = ""

    def trunk_lr(self, step: int) -> float:
        """Return the rate of the trunk's step `step` (0-based)."""
        return self.lr * self.shape.share(step, self.warmup)

    def branch_lr(self, branch: Branch, step: int) -> float:
        """Return the rate of a cooldown's step: lr·(1 − √progress)."""
        progress = (step - branch.start + 1) / (branch.end - branch.start + 1)
        return self.trunk_lr(step) * (1 - math.sqrt(progress))


def plan_schedules(rung: Rung, recipe: Recipe, points_per_doubling: int) -> tuple[Schedule, ...]:
    """Lay out the steps of every trunk of a rung: one, or under `cosine` one a budget.

    Args:
        rung: its token budgets.
        recipe: schedule, batch, warm-up, cooldown.
        points_per_doubling: learning-curve points per doubling of steps.
    """
    recipe = settle_recipe(recipe, rung)
    ends = tuple(max(1, round(budget / recipe.batch_tokens)) for budget in rung.token_budgets)
    return tuple(
        _schedule(track, rung, recipe, points_per_doubling)
        for track in TRACKS[recipe.schedule](recipe, ends)
    )


def _schedule(track: Track, rung: Rung, recipe: Recipe, points_per_doubling: int) -> Schedule:
    branches = track.branches
    warmup = warmup_steps(recipe, rung, branches[0].end)
    points = _spaced(branches[-1].start, points_per_doubling) | {b.start for b in branches}
    return Schedule(recipe.lr, warmup, branches, tuple(sorted(points)), track.shape, track.name)


def _spaced(last: int, per_doubling: int) -> set[int]:
    """Steps at equal ratios from 64 up to `last`."""
    count = int(per_doubling * math.log2(max(last, 64) / 64)) + 1
    return {step for i in range(count) if (step := round(64 * 2 ** (i / per_doubling))) <= last}
