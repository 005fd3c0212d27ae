"""Walk many rows downhill at once: Levenberg–Marquardt steps, each row with its own damping.

Legend: B batch, p parameters; phi solver coordinates (log of every positive parameter).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.fitting.solve.coordinates import Coordinates
from isoflop.fitting.solve.picture import Picture, join_pictures, take_picture
from isoflop.fitting.solve.problem import Batch
from isoflop.fitting.solve.projection import settle
from isoflop.fitting.solve.quadratic import solve_within
from isoflop.laws.law import Array

MAX_ITERATIONS = 400
"""Most steps of a start."""
MAX_REFIT = 200
"""Most steps of a refit, which begins near its end."""
MAX_FAILURES = 25
"""Steps in a row that may fail before a row is given up."""
NOISE = 1e-14
"""Relative rounding of a sum of losses."""
ROUNDINGS = 4.0
"""Roundings of a residual, through the product with which it changes its loss. It is they that hide
the last decreases where a law misses its runs by less than a ten thousandth."""
GRADIENT_TOLERANCE = 1e-9
"""Largest projected gradient at convergence, relative to curvature and objective."""
BATCH_CELLS = 300_000
"""Largest B·n·p held at once, so that the Jacobian stays in the cache."""
HELD_BYTES = 24 * 2**20
"""A block this large, given back once, makes the GNU allocator keep what it is given back later.
Without it every array of a step is returned to the system and faulted in again: half the time."""
FURTHEST = 1.0
"""Longest step of a logarithm: a factor of e."""
SHARE = 0.2
"""Longest step of a constant that is not, as a share of itself."""
ROOM = 0.05
"""Or of the room between its bounds, whichever is more."""
IDLE = 0.1
"""Share of a step's promise below which a constant does not hold the others back."""
FAR = 0.03
"""Share of the objective that a step promises to take off, beyond which its linear constants
are solved for again instead of stepped."""


@dataclass(frozen=True)
class State:
    """Where each row stands; its arrays are overwritten as the rows advance.

    Args:
        phi: (B, p) solver coordinates.
        picture: the objective there.
        damping: (B,) Marquardt's, relative to the curvature left.
        safety: (B,) share of the reweighting Hessian; the rest is Newton's.
        poor: (B,) whether the last step was promised badly.
        failures: (B,) steps in a row that failed.
        converged: (B,) whether the projected gradient vanished.
    """

    phi: Array
    picture: Picture
    damping: Array
    safety: Array
    poor: NDArray[np.bool_]
    failures: NDArray[np.intp]
    converged: NDArray[np.bool_]


def descend(batch: Batch, starts: Array, tolerance: float) -> State:
    """Iterate until every row's projected gradient vanishes or it can no longer descend.

    Args:
        batch: the rows.
        starts: (B, p) parameters.
        tolerance: largest projected gradient at convergence, relative to curvature and objective.
    """
    state = begin(batch, starts)
    walk(batch, state, tolerance, min(MAX_REFIT, MAX_ITERATIONS))
    return end(batch, state, tolerance)


def begin(batch: Batch, starts: Array) -> State:
    """Settle the linear constants of every start (B, p) and look around there."""
    np.empty(HELD_BYTES, dtype=np.uint8)
    return _start(batch, starts, _block(batch))


def walk(
    batch: Batch,
    state: State,
    tolerance: float,
    iterations: int,
    followed: NDArray[np.bool_] | None = None,
) -> None:
    """Advance the rows that have not arrived by so many steps at most.

    Args:
        batch: the rows.
        state: where they stand; overwritten.
        tolerance: as of `descend`.
        iterations: most steps of a row.
        followed: (B,) the rows to advance; all of them by default.
    """
    rounding, size = batch.rounding, _block(batch)
    for _ in range(iterations):
        _mark_converged(state, rounding, tolerance)
        moving = under_way(state) if followed is None else under_way(state) & followed
        rows = np.flatnonzero(moving)
        if not rows.size:
            break
        for first in range(0, len(rows), size):
            _advance(state, batch, rows[first : first + size], rounding)


def end(batch: Batch, state: State, tolerance: float) -> State:
    """Take a row that floating point lets no further down for converged, if its slope is small."""
    _mark_converged(state, batch.rounding, 1e3 * tolerance)
    return state


def under_way(state: State) -> NDArray[np.bool_]:
    """Rows (B,) that have neither converged nor come to the end of their descent."""
    stuck = state.failures >= MAX_FAILURES
    return ~state.converged & ~stuck & np.isfinite(state.picture.value)


def _block(batch: Batch) -> int:
    """Rows advanced at once."""
    return max(1, BATCH_CELLS // (batch.weights.shape[1] * len(batch.space.low)))


def _start(batch: Batch, starts: Array, size: int) -> State:
    """Settle the linear constants of every start and look around there."""
    space = batch.space
    phi = np.clip(space.enter(starts), space.floor, space.ceiling)
    slices = [slice(first, first + size) for first in range(0, len(phi), size)]
    if space.linear.any():
        phi = np.concatenate([settle(batch.take(rows), phi[rows]) for rows in slices])
    pictures = [take_picture(batch.take(rows), phi[rows]) for rows in slices]
    return State(
        phi=phi,
        picture=join_pictures(pictures),
        damping=np.full(len(phi), 1e-2),
        safety=np.full(len(phi), 0.3),
        poor=np.ones(len(phi), dtype=bool),
        failures=np.zeros(len(phi), dtype=np.intp),
        converged=np.zeros(len(phi), dtype=bool),
    )


def _mark_converged(state: State, rounding: Array, tolerance: float) -> None:
    """A row has converged when no coordinate promises a decrease worth the name."""
    noise = rounding * max(1.0, tolerance / GRADIENT_TOLERANCE)
    picture = state.picture
    state.converged[:] |= picture.decrease <= tolerance**2 * picture.value + noise


def _advance(state: State, batch: Batch, rows: NDArray[np.intp], rounding: Array) -> None:
    """Try one step of some rows; take it where the objective falls."""
    part, now = batch.take(rows), state.picture.take(rows)
    step, promised = _propose(
        part.space, state.phi[rows], now, state.damping[rows], state.safety[rows]
    )
    trial = np.clip(state.phi[rows] + step, part.space.floor, part.space.ceiling)
    far = np.flatnonzero(state.poor[rows] | (promised > FAR * now.value))
    if far.size and part.space.linear.any():
        trial[far] = settle(part.take(far), trial[far])
    then = take_picture(part, trial)
    # Where rounding hides a decrease, the gradient tells whether the step was one. Decreases that
    # may be rounding are taken, but a row that knows no others for long is given up.
    noise = NOISE * now.value + rounding[rows] + ROUNDINGS * np.sqrt(2 * now.value * rounding[rows])
    level = (then.value <= now.value + noise) & (then.decrease < 0.25 * now.decrease)
    won = (then.value < now.value) | level
    gain = (now.value - then.value) / promised
    progress = (then.value < now.value - noise) | level
    state.failures[rows] = np.where(progress, 0, state.failures[rows] + 1)
    state.phi[rows[won]] = trial[won]
    state.picture.put(rows[won], then, won)
    _adapt(state, rows, won, gain)


def _propose(
    space: Coordinates, phi: Array, picture: Picture, damping: Array, safety: Array
) -> tuple[Array, Array]:
    """Damped step (B, p) within bounds, and the decrease it promises (B,).

    The Hessian is a blend of the reweighting one (safe: it majorises Huber's loss) and the
    Newton one (fast near the optimum). Linear constants are not damped: the model is exact in
    them.
    """
    share = safety[:, None, None]
    hessian = share * picture.safe + (1 - share) * picture.newton
    weight = np.where(space.linear, 0.0, damping[:, None] * picture.scale)
    hessian += weight[:, :, None] * np.eye(phi.shape[1])
    step = solve_within(hessian, picture.gradient, space.floor - phi, space.ceiling - phi)
    reach = _reach(space, phi, picture)
    work = np.abs(picture.gradient * step)
    matters = work > IDLE * work.sum(axis=1, keepdims=True)
    longest = np.where(matters, np.abs(step) / reach, 0.0).max(axis=1)
    step = np.clip(step / np.maximum(longest, 1.0)[:, None], -reach, reach)
    bend = (step * (hessian @ step[..., None])[..., 0]).sum(axis=1)
    return step, -(picture.gradient * step).sum(axis=1) - 0.5 * bend


def _reach(space: Coordinates, phi: Array, picture: Picture) -> Array:
    """Longest step of each coordinate, (B, p); a constant at zero may go where it is felt.

    The constants the law is linear in have none: where they are far off they are solved for.
    """
    felt = np.sqrt(2 * picture.value[:, None] / (picture.scale + 1e-300))
    width = space.high - space.low
    room = np.where(np.isfinite(width), ROOM * width, 0.0)
    share = np.maximum(SHARE * np.where(phi == 0, felt, np.abs(phi)), room)
    return np.where(space.linear, np.inf, np.where(space.logs, FURTHEST, share))


def _adapt(state: State, rows: NDArray[np.intp], won: NDArray[np.bool_], gain: Array) -> None:
    """A row that descends leans towards Newton; one that does not leans back and is damped."""
    damping, safety = state.damping[rows], state.safety[rows]
    eased = np.maximum(np.where(gain > 0.25, 0.1, 1.0) * damping, 1e-14)
    state.damping[rows] = np.where(won, eased, np.clip(6 * damping, 1e-4, 1e10))
    state.safety[rows] = np.where(won, 0.25 * safety, np.clip(6 * safety, 0.1, 1.0))
    state.poor[rows] = ~((gain > 0.5) & (gain < 1.5))
