"""How long jobs take side by side."""

from collections.abc import Iterable


def makespan(seconds: Iterable[float], at_once: int) -> float:
    """Return the wall-clock of jobs, the longest first, each where there is room first.

    Args:
        seconds: of each job.
        at_once: jobs side by side.

    >>> makespan([30.0, 90.0, 40.0], 2)
    90.0
    >>> makespan([], 2)
    0.0
    """
    free = [0.0] * max(1, at_once)
    for job in sorted(seconds, reverse=True):
        free[free.index(min(free))] += job
    return max(free)
