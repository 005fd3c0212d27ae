"""Search for the best minimum from many starts, of which soon only the promising are followed.

Where a law has many constants most starts end in poor minima or creep along valleys that lead to
none, and the last of a hundred steps is as dear as the first. After a few steps the starts are
ranked: the lowest go on, the others are given up (successive halving; Jamieson & Talwalkar 2016).
A start that has come to where another one is follows it. Starts that arrive meanwhile are not
touched, so that a law all of whose starts arrive is searched as by `minimise`.

Legend: B starts, p parameters.
"""

from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from isoflop.fitting.solve import descent
from isoflop.fitting.solve.coordinates import Coordinates, part_terms
from isoflop.fitting.solve.descent import (
    GRADIENT_TOLERANCE,
    State,
    begin,
    end,
    under_way,
    walk,
)
from isoflop.fitting.solve.problem import Batch, Problem, pose_batch
from isoflop.fitting.solve.solver import Solution, conclude, replace_higher
from isoflop.laws.law import Array

STAGES = ((15, 0.5), (25, 0.25), (60, 1 / 16))
"""Steps taken, and the share of the starts that may then still be under way."""
FEWEST = 6
"""So many are followed however few the starts."""
JOINED = 1e-4
"""Two starts have joined when what lies between them changes the objective by less, relatively."""


@np.errstate(all="ignore")
def search(problem: Problem, starts: Array, weights: Array) -> Solution:
    """Minimise from many starts for the sake of the best minimum.

    Args:
        problem: law, runs and loss function.
        starts: (B, p) parameters within bounds.
        weights: (n,) non-negative weights of the runs.

    Returns:
        One solution a start. A start given up stays where it was and says so; one that has joined
        another ends where that one does.
    """
    batch = pose_batch(problem, np.broadcast_to(weights, (len(starts), problem.n_runs)))
    found, leader = _follow(batch, starts)
    rows, parted = part_terms(problem.law, found.theta)
    own = (leader[rows] == rows) & ~found.given_up[rows]
    rows, parted = rows[own], parted[own]
    if rows.size:
        again, again_leader = _follow(batch.take(rows), parted)
        replace_higher(found, rows, _pick(again, again_leader))
    return _pick(found, leader)


def _follow(batch: Batch, starts: Array) -> tuple[Solution, NDArray[np.intp]]:
    """Descend in stages; say whom each row joined."""
    state = begin(batch, starts)
    followed, leader = np.ones(len(starts), dtype=bool), np.arange(len(starts))
    spent = 0
    for steps, share in STAGES:
        walk(batch, state, GRADIENT_TOLERANCE, min(steps, descent.MAX_ITERATIONS - spent), followed)
        spent += steps
        moving = under_way(state) & followed
        if not moving.any():
            break
        _join(batch.space, state, moving, leader)
        followed &= leader == np.arange(len(leader))
        _give_up(state, moving & followed, followed, max(FEWEST, int(share * len(starts))))
    walk(batch, state, GRADIENT_TOLERANCE, descent.MAX_ITERATIONS - spent, followed)
    found = conclude(batch, end(batch, state, GRADIENT_TOLERANCE))
    found.given_up[:] = ~followed & ~found.converged & (leader == np.arange(len(leader)))
    return found, leader


def _join(
    space: Coordinates, state: State, moving: NDArray[np.bool_], leader: NDArray[np.intp]
) -> None:
    """Let each moving row follow the lowest one that stands where it stands."""
    value, scale = state.picture.value, state.picture.scale
    rows = np.flatnonzero(moving)
    rows = rows[np.argsort(value[rows], kind="stable")]
    for place, row in enumerate(rows.tolist()):
        if leader[row] != row:
            continue
        later = rows[place + 1 :]
        apart = np.where(space.linear, 0.0, state.phi[later] - state.phi[row])
        near = (scale[row] * apart**2).max(axis=1) <= JOINED * value[row]
        near &= value[later] - value[row] <= JOINED * value[row]
        near &= leader[later] == later
        leader[np.isin(leader, later[near])] = row


def _give_up(
    state: State, moving: NDArray[np.bool_], followed: NDArray[np.bool_], kept: int
) -> None:
    """Of the rows under way, follow the lowest only."""
    rows = np.flatnonzero(moving)
    order = np.argsort(state.picture.value[rows], kind="stable")
    followed[rows[order[kept:]]] = False


def _pick(solution: Solution, rows: NDArray[np.intp]) -> Solution:
    """Take some rows, in their order and as often as named."""
    return Solution(*(getattr(solution, part.name)[rows] for part in fields(Solution)))
