"""A learning-rate schedule, step by step, and the sums that laws of learning curves read.

Legend: s step (from 0), eta_s learning rate of step s, S1(s) = eta_0 + … + eta_s, g_k = eta_(k-1)
- eta_k the drop before step k, negative in a warm-up.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from isoflop.base.errors import InputError
from isoflop.laws.law import Array, Variables

Steps = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ScheduleCurve:
    """The learning rate of every step of one training.

    Args:
        name: what to call it.
        lr: (n_steps,) float, learning rate of each step, warm-up included; zero or more.

    Raises:
        InputError: no steps, a rate that is negative or not finite, or none above zero.

    >>> curve = ScheduleCurve("staircase", [1.0, 1.0, 0.5, 0.5])
    >>> curve.rate_sums, curve.drop_steps
    (array([1. , 2. , 2.5, 3. ]), array([2]))
    """

    name: str
    lr: Array

    def __post_init__(self) -> None:
        lr = np.array(self.lr, dtype=np.float64)
        if lr.ndim != 1 or not lr.size or not np.isfinite(lr).all() or (lr < 0).any():
            raise InputError(f"schedule {self.name}: expected learning rates, zero or more, found "
                             f"{lr.size} values of which some are not")  # fmt: skip
        if not (lr > 0).any():
            raise InputError(f"schedule {self.name}: the learning rate is zero throughout")
        lr.flags.writeable = False
        object.__setattr__(self, "lr", lr)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ScheduleCurve):
            return NotImplemented
        return other.name == self.name and np.array_equal(other.lr, self.lr)

    def __hash__(self) -> int:
        return hash((self.name, self.lr.tobytes()))

    def __len__(self) -> int:
        return len(self.lr)

    @cached_property
    def rate_sums(self) -> Array:
        """Sum of the rates up to and with each step, (n_steps,)."""
        return np.cumsum(self.lr)

    @cached_property
    def drop_steps(self) -> Steps:
        """Steps k whose rate differs from the one before, (n_drops,)."""
        return np.flatnonzero(np.diff(self.lr)) + 1

    @cached_property
    def drops(self) -> Array:
        """g_k at those steps, (n_drops,); where the rate is constant nothing is summed."""
        return self.lr[self.drop_steps - 1] - self.lr[self.drop_steps]

    @cached_property
    def trained_until(self) -> Steps:
        """Latest step at or before each that moved the weights, (n_steps,)."""
        return np.maximum.accumulate(np.where(self.lr > 0, np.arange(len(self)), 0))

    def runs(self) -> list[list[float]]:
        """Return [[rate, for how many steps], …], which `from_runs` reads back exactly."""
        edges = np.concatenate([[0], self.drop_steps, [len(self)]])
        return [
            [float(self.lr[start]), int(stop - start)] for start, stop in itertools.pairwise(edges)
        ]

    @staticmethod
    def from_runs(name: str, runs: Sequence[Sequence[float]]) -> "ScheduleCurve":
        """Rebuild a schedule from `runs`."""
        rates, counts = zip(*runs, strict=True)
        return ScheduleCurve(name, np.repeat(np.array(rates, dtype=np.float64), counts))


def require_steps(curve: ScheduleCurve, steps: Array) -> Steps:
    """Return steps as indices into a schedule.

    Raises:
        InputError: a step before the schedule begins or after it ends, or a fraction of one.
    """
    whole = np.asarray(np.round(steps), dtype=np.int64)
    outside = (whole < 0) | (whole >= len(curve)) | (np.abs(steps - whole) > 1e-6)
    if outside.any():
        raise InputError(
            f"schedule {curve.name} has steps 0 to {len(curve) - 1}, found step "
            f"{np.asarray(steps)[outside][0]:g}"
        )
    return whole


def split_by_curve(
    curves: Sequence[ScheduleCurve], variables: Variables
) -> list[tuple[ScheduleCurve, Steps, Steps]]:
    """Sort measurements by the schedule they were made under.

    Args:
        curves: the schedules.
        variables: `steps` (n,), and `curve` (n,), numbered from 1, where there are several.

    Returns:
        Of each schedule measured: itself, the rows (n_rows,) and their steps (n_rows,).

    Raises:
        InputError: a number that is no schedule's, or a step outside one.
    """
    steps = np.asarray(variables["steps"], dtype=np.float64)
    if len(curves) == 1:
        return [(curves[0], np.arange(len(steps)), require_steps(curves[0], steps))]
    numbers = np.asarray(variables["curve"], dtype=np.float64)
    strangers = ~np.isin(numbers, np.arange(1, len(curves) + 1))
    if strangers.any():
        raise InputError(
            f"curve {numbers[strangers][0]:g} is none of the law's {len(curves)}, numbered from 1"
        )
    parts = []
    for number, curve in enumerate(curves, start=1):
        rows = np.flatnonzero(numbers == number)
        if rows.size:
            parts.append((curve, rows, require_steps(curve, steps[rows])))
    return parts
