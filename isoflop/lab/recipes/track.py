"""A track: one trunk of a rung, the shape of its rate, and the runs that end or leave it."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Branch:
    """The end of one budget: a cooldown, or, where it starts at its end, the trunk's own loss.

    Args:
        start: trunk step at which it leaves.
        end: total optimizer steps of the run.
    """

    start: int
    end: int


class Shape(Protocol):
    """The learning rate along a trunk."""

    def share(self, step: int, warmup: int) -> float:
        """Return the rate of step `step` (0-based) as a share of the peak.

        Args:
            step: of the trunk.
            warmup: steps of linear warm-up, the first at 1/warmup of the peak.
        """
        ...


@dataclass(frozen=True)
class Constant:
    """Linear warm-up, then the peak."""

    def share(self, step: int, warmup: int) -> float:
        """min(1, (step + 1)/warmup)."""
        return min(1.0, (step + 1) / warmup)


@dataclass(frozen=True)
class Track:
    """One trunk.

    Args:
        name: folder of its files below the rung's; empty where the rung has one trunk.
        shape: of its learning rate.
        branches: one per budget that it serves, ascending.
    """

    name: str
    shape: Shape
    branches: tuple[Branch, ...]


def read_on_the_way(ends: tuple[int, ...]) -> tuple[Branch, ...]:
    """Return branches that are points of the trunk itself, without a cooldown."""
    return tuple(Branch(end, end) for end in ends)
