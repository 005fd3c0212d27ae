"""From how many starts a law is searched, and what became of them."""

from dataclasses import dataclass

import numpy as np

from isoflop.base.errors import RefusalError
from isoflop.fitting.solve.robust import solve
from isoflop.fitting.solve.solver import Problem, Solution
from isoflop.laws.law import AbstractLaw

SAME = 1e-6
"""Two objectives as close as this, relatively, belong to one minimum."""
USUAL_STARTS = ((2, 16), (4, 64))
"""(nonlinear constants, starts): from how many starts a law with at most so many is searched. With
one or two, all of 300 random starts arrive on the 240 digitised Chinchilla points; with four
(M4, one break), .3 to 1 of 64 do on eleven learning curves (docs/LOG.md)."""
MANY_STARTS = 128
"""With more: of two and three breaks, one start in fifty may find the best minimum."""


@dataclass(frozen=True)
class Basins:
    """What the starts found.

    Args:
        n_starts: starts tried.
        share_best: share of those followed to their end that ended in the best minimum.
        n_basins: distinct minima among the converged starts.
        gap: relative rise of the objective from the best minimum to the next, None if one.
        n_given_up: starts left on the way because others were lower by then.
    """

    n_starts: int
    share_best: float
    n_basins: int
    gap: float | None
    n_given_up: int = 0

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return dict(vars(self))


def usual_starts(law: AbstractLaw) -> int:
    """Starts from which a law is searched if nobody says, by the constants it bends in.

    >>> from isoflop.laws.chinchilla import ChinchillaLaw
    >>> usual_starts(ChinchillaLaw())
    16
    """
    bent = len(law.parameters) - len(law.linear)
    return next((starts for most, starts in USUAL_STARTS if bent <= most), MANY_STARTS)


QUICK = frozenset({"kaplan-nd", "kaplan-nd-constant"})
"""Laws that bend in four constants and are foreseen as soon as Chinchilla's all the same: in 2.3 to
3.0 s against 2.4 s on the 121 and 131 runs of one recipe of Porian et al. 2024."""


def is_quick(law: AbstractLaw) -> bool:
    """Whether a law is fitted often enough in a second or two to foresee with it unasked.

    It bends in two constants at most, or was measured to be as quick.

    >>> from isoflop.laws.chinchilla import ChinchillaLaw
    >>> is_quick(ChinchillaLaw())
    True
    """
    return law.name in QUICK or len(law.parameters) - len(law.linear) <= USUAL_STARTS[0][0]


def search_starts(
    problem: Problem, n_starts: int | None, seed: int
) -> tuple[Problem, Solution, int]:
    """Minimise from many starts.

    Args:
        problem: law, runs and objective.
        n_starts: random starts; None for as many as the law is usually searched from.
        seed: their seed.

    Returns:
        The problem with its threshold known, where every start ended, and which is the best.

    Raises:
        RefusalError: the law overflows on these runs whatever its parameters.
    """
    law, rng = problem.law, np.random.default_rng(seed)
    starts = law.propose_starts(
        problem.variables, problem.measured, n_starts=n_starts or usual_starts(law), rng=rng
    )
    problem, found = solve(problem, starts)
    if not np.isfinite(found.objective).any():
        raise RefusalError(
            f"{law.name} overflows at every start on these runs; look at the ranges of "
            f"{', '.join((*law.variables, law.response))}"
        )
    best = np.argmin(np.where(found.converged, found.objective, found.objective + 1e-9))
    return problem, found, int(best)


def count_basins(found: Solution) -> Basins:
    """Group converged starts whose objectives agree to six digits."""
    values = np.sort(found.objective[found.converged])
    left = found.given_up & ~found.converged  # one given up may be taken on by a later search
    n_starts, given_up = len(found.objective), int(left.sum())
    if not values.size:
        return Basins(n_starts, 0.0, 0, None, given_up)
    tolerance = SAME * values + 1e-18
    breaks = np.flatnonzero(np.diff(values) > tolerance[:-1])
    arrived = int((found.objective[~left] <= values[0] + tolerance[0]).sum())
    gap = None
    if breaks.size:
        gap = float(values[breaks[0] + 1] / max(values[0], 1e-300) - 1)
    share = arrived / max(1, n_starts - given_up)
    return Basins(n_starts, share, len(breaks) + 1, gap, given_up)
