"""Usual learning-rate schedules, as curves: warm-up, then constant, cosine, a step or a cooldown.

Legend: eta_s learning rate of step s, counted from 0; the warm-up rises linearly from zero.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from isoflop.base.errors import InputError
from isoflop.laws.law import Array
from isoflop.laws.schedules.curve import ScheduleCurve

Decay = Literal["linear", "exponential", "sqrt"]


@dataclass(frozen=True)
class Frame:
    """What schedules share.

    Args:
        n_steps: steps in all, warm-up included.
        peak: highest rate.
        n_warmup: steps of warm-up.

    Raises:
        InputError: a warm-up longer than the training, or a peak that is not positive.
    """

    n_steps: int
    peak: float
    n_warmup: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.n_warmup < self.n_steps or not 0 < self.peak < np.inf:
            raise InputError(
                f"a schedule of {self.n_steps} steps cannot have {self.n_warmup} of warm-up to "
                f"{self.peak:g}"
            )


def constant_schedule(frame: Frame) -> ScheduleCurve:
    """Hold the peak to the end.

    >>> constant_schedule(Frame(4, 2.0, 2)).lr
    array([0., 2., 2., 2.])
    """
    return _curve("constant", frame, np.full(frame.n_steps - frame.n_warmup, frame.peak))


def cosine_schedule(frame: Frame, *, floor: float = 0.0) -> ScheduleCurve:
    """Fall from peak to floor along half a cosine.

    >>> cosine_schedule(Frame(4, 2.0), floor=1.0).lr.round(3)
    array([2.   , 1.854, 1.5  , 1.146])
    """
    share = _shares(frame.n_steps - frame.n_warmup)
    falling = floor + 0.5 * (frame.peak - floor) * (1 + np.cos(np.pi * share))
    return _curve("cosine", frame, falling)


def step_schedule(frame: Frame, *, at: int, to: float) -> ScheduleCurve:
    """Hold the peak until a step, then another rate.

    Args:
        frame: length, peak and warm-up.
        at: first step of the other rate.
        to: the other rate.
    """
    held = at - frame.n_warmup
    _require_inside(frame, at)
    after = np.full(frame.n_steps - at, to)
    return _curve("step", frame, np.concatenate([np.full(held, frame.peak), after]))


def cooldown_schedule(
    frame: Frame, *, at: int, floor: float = 0.0, decay: Decay = "linear"
) -> ScheduleCurve:
    """Hold the peak until a step, then decay to a floor at the end (WSD).

    Args:
        frame: length, peak and warm-up.
        at: first step of the decay.
        floor: rate at the end, positive where the decay is exponential.
        decay: linear, exponential, or 1 - sqrt of the share of the decay gone by.

    Raises:
        InputError: a decay outside the training, or to zero exponentially.

    >>> cooldown_schedule(Frame(6, 1.0), at=2, floor=0.0).lr
    array([1.  , 1.  , 1.  , 0.75, 0.5 , 0.25])
    """
    _require_inside(frame, at)
    share = _shares(frame.n_steps - at)
    if decay == "exponential":
        if floor <= 0:
            raise InputError("an exponential decay never reaches zero; give a positive floor")
        falling = frame.peak ** (1 - share) * floor**share
    else:
        gone = np.sqrt(share) if decay == "sqrt" else share
        falling = frame.peak * (1 - gone) + floor * gone
    held = np.full(at - frame.n_warmup, frame.peak)
    return _curve(f"cooldown {decay}", frame, np.concatenate([held, falling]))


def _shares(n_steps: int) -> Array:
    """Share of a decay gone by at each of its steps, 0 at the first."""
    return np.arange(n_steps) / n_steps


def _require_inside(frame: Frame, at: int) -> None:
    if not frame.n_warmup <= at < frame.n_steps:
        raise InputError(
            f"the rate must change between step {frame.n_warmup} and {frame.n_steps - 1}, "
            f"found {at}"
        )


def _curve(name: str, frame: Frame, after: Array) -> ScheduleCurve:
    warm_up = np.linspace(0.0, frame.peak, frame.n_warmup)
    return ScheduleCurve(f"{name} {frame.n_steps}", np.concatenate([warm_up, after]))
