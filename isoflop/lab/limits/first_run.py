"""Whether limits reach any run at all, told before a folder is made."""

from isoflop.accounting.flops import flops_per_token
from isoflop.base.errors import BudgetError
from isoflop.base.estimate import shorten
from isoflop.lab.limits.budget import seconds_left
from isoflop.lab.price.cost import START_SECONDS
from isoflop.lab.schedule import plan_schedules
from isoflop.runs.counted import counted
from isoflop.runs.ladders.ladder import Ladder, Rung
from isoflop.runs.settle import settle_recipe
from isoflop.store.spent import Limits, Spent


def check_reach(ladder: Ladder, limits: Limits) -> None:
    """Refuse limits that the first run of every rung would pass, or the start of a worker.

    Args:
        ladder: of which nothing is trained yet.
        limits: of its study.

    Raises:
        BudgetError: names the limit, and of FLOPs the rung whose first run costs least.
    """
    if (left := seconds_left(limits, Spent())) <= START_SECONDS:
        option = "--max-seconds" if limits.seconds == left else "--max-dollars"
        raise BudgetError(
            f"{option} allows {counted(left, 'second')} and reaches no run: a worker takes about "
            f"{START_SECONDS:g} seconds to start; give a larger one"
        )
    if limits.flops is None:
        return
    least, name = min((first_run_flops(rung, ladder), rung.name) for rung in ladder.rungs)
    if least > limits.flops:
        raise BudgetError(
            f"--max-flops {shorten(limits.flops)} reaches no run: the first of {name} needs "
            f"{shorten(least)}, and no other less; give a larger one"
        )


def first_run_flops(rung: Rung, ladder: Ladder) -> float:
    """Return what a rung trains until its first runs are over, of every seed and rate."""
    points = ladder.evaluation.curve_points_per_doubling
    first = plan_schedules(rung, ladder.recipe, points)[0].branches[0]
    tokens = rung.members * first.end * settle_recipe(ladder.recipe, rung).batch_tokens
    return tokens * flops_per_token(rung.architecture).matmul
