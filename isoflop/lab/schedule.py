"""Learning rate by step: warm-up, constant, then a 1 − √ cooldown branch before each budget.

A trunk runs at constant rate; the run of budget D leaves it at (1 − cooldown)·D and cools down to
zero. So one trunk gives every budget at about 1.2 times the cost of the longest run, and every
point of the table is a finished run (Hägele et al. 2024).
"""

import math
from dataclasses import dataclass

from isoflop.runs.ladder import Recipe, Rung


@dataclass(frozen=True)
class Branch:
    """The cooldown of one budget.

    Args:
        start: trunk step at which it leaves.
        end: total optimizer steps of the run.
    """

    start: int
    end: int


@dataclass(frozen=True)
class Schedule:
    """When a trunk warms up, is looked at, and branches.

    Args:
        lr: peak learning rate.
        warmup: steps of linear warm-up.
        branches: one per budget, ascending.
        points: trunk steps at which the held-out loss is recorded, ascending; every branch
            start is one of them.
    """

    lr: float
    warmup: int
    branches: tuple[Branch, ...]
    points: tuple[int, ...]

    def trunk_lr(self, step: int) -> float:
        """Return the rate of the trunk's step `step` (0-based)."""
        return self.lr * min(1.0, (step + 1) / self.warmup)

    def branch_lr(self, branch: Branch, step: int) -> float:
        """Return the rate of a cooldown's step: lr·(1 − √progress)."""
        progress = (step - branch.start + 1) / (branch.end - branch.start + 1)
        return self.trunk_lr(step) * (1 - math.sqrt(progress))


def plan_schedule(rung: Rung, recipe: Recipe, points_per_doubling: int) -> Schedule:
    """Lay out the steps of one trunk.

    Args:
        rung: its token budgets.
        recipe: batch, warm-up, cooldown.
        points_per_doubling: learning-curve points per doubling of steps.
    """
    ends = [max(1, round(budget / recipe.batch_tokens)) for budget in rung.token_budgets]
    share = 1 - recipe.cooldown_fraction
    branches = tuple(Branch(round(share * end), end) for end in ends)
    warmup = max(1, min(recipe.warmup_max_steps, round(recipe.warmup_fraction * ends[0])))
    points = _spaced(branches[-1].start, points_per_doubling) | {b.start for b in branches}
    return Schedule(recipe.lr, warmup, branches, tuple(sorted(points)))


def _spaced(last: int, per_doubling: int) -> set[int]:
    """Steps at equal ratios from 64 up to `last`."""
    count = int(per_doubling * math.log2(max(last, 64) / 64)) + 1
    return {step for i in range(count) if (step := round(64 * 2 ** (i / per_doubling))) <= last}
