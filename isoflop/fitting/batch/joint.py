"""Least squares of a whole batch sweep: (c, k) of log B_crit = c − k·(log L − its mean).

log S = log S_min(target) + log(1 + B_crit/B): the targets' own log S_min are means, so that only
c and k are searched. Legend: B tokens a step, S steps, L loss, k = 1/alpha_B.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.base.errors import RefusalError
from isoflop.fitting.batch.hyperbola import BEYOND
from isoflop.fitting.procedure import code_sha256

Array = NDArray[np.float64]
_SLOPES = np.geomspace(0.3, 60.0, 12)
_LEVELS = 40
_STEPS = 200


@dataclass(frozen=True)
class Design:
    """A batch sweep, in logarithms.

    Args:
        log_batch: (n,) float.
        log_loss: (n,) float, of the target.
        log_steps: (n,) float, steps to it.
        target: (n,) int, 0 … : which S_min a row shares.
    """

    log_batch: Array
    log_loss: Array
    log_steps: Array
    target: NDArray[np.int_]

    @property
    def centre(self) -> float:
        """Mean log loss: there c is the log critical batch."""
        return float(self.log_loss.mean())

    @property
    def n_targets(self) -> int:
        """Targets, each with its own S_min."""
        return len(np.unique(self.target))

    def keep(self, rows: NDArray[np.bool_]) -> "Design":
        """Return some of the rows; the centre is that of what is kept."""
        return Design(
            self.log_batch[rows], self.log_loss[rows], self.log_steps[rows], self.target[rows]
        )

    def log_critical(self, coefficients: Array, centre: float | None = None) -> Array:
        """(n,) log B_crit at every row's target."""
        c, k = coefficients
        return c - k * (self.log_loss - (self.centre if centre is None else centre))

    def within(self, values: Array) -> Array:
        """Take the mean of its target from every row of (n,) or (n, p)."""
        _, index = np.unique(self.target, return_inverse=True)
        counts = np.bincount(index)
        columns = values.reshape(len(values), -1)
        means = np.stack([np.bincount(index, w) / counts for w in columns.T], axis=-1)
        return (columns - means[index]).reshape(values.shape)

    def residuals(self, coefficients: Array, centre: float | None = None) -> Array:
        """(n,) log predicted − log measured steps."""
        ratio = self.log_critical(coefficients, centre) - self.log_batch
        return self.within(np.logaddexp(0.0, ratio) - self.log_steps)

    def jacobian(self, coefficients: Array, centre: float | None = None) -> Array:
        """(n, 2) derivatives of the residuals."""
        middle = self.centre if centre is None else centre
        share = 1 / (1 + np.exp(self.log_batch - self.log_critical(coefficients, middle)))
        return self.within(np.stack([share, -share * (self.log_loss - middle)], axis=-1))


def fit_design(design: Design, start: Array | None = None, centre: float | None = None) -> Array:
    """Find (c, k) by Levenberg and Marquardt, from the best of a grid unless a start is given."""
    middle = design.centre if centre is None else centre
    point = _best_of_grid(design, middle) if start is None else start
    damping, value = 1e-3, float(np.sum(design.residuals(point, middle) ** 2))
    for _ in range(_STEPS):
        r, jacobian = design.residuals(point, middle), design.jacobian(point, middle)
        gram, slope = jacobian.T @ jacobian, jacobian.T @ r
        damped = gram + damping * np.diag(np.diag(gram) + 1e-12)
        step = -np.linalg.solve(damped, slope)
        trial = np.clip(point + step, *_bounds(design))
        found = float(np.sum(design.residuals(trial, middle) ** 2))
        if found <= value:
            small = np.abs(trial - point).max() < 1e-11
            point, value, damping = trial, found, max(damping / 5, 1e-12)
            if small:
                break
        else:
            damping *= 5
            if damping > 1e12:
                break
    return point


def batch_procedure(n_targets: int) -> dict[str, str]:
    """State how a batch sweep was fitted, for the fit report checklist."""
    return {
        "form": "log S = log S_min(target) + log(1 + B_crit(L)/B), B_crit = B_star/L^(1/alpha_B); "
        f"S_min of {n_targets} targets free",
        "loss": "sum of squared residuals of log steps",
        "optimiser": "Levenberg–Marquardt, exact gradients; log S_min of each target projected out",
        "starts": f"the best of a grid of {_LEVELS} levels and {len(_SLOPES)} slopes",
        "bounds": "1/alpha_B in [0.25, 100]; B_crit at the mean loss around the batches tried",
        "tolerance": f"steps of 1e-11 in the constants; {_STEPS} steps at most",
        "selection": "one search, from the best point of the grid",
        "code": code_sha256(),
    }


def covary_runs(design: Design, coefficients: Array, runs: Sequence[str]) -> tuple[Array, int]:
    """Covariance of (c, k) and its degrees of freedom.

    Args:
        design: the sweep.
        coefficients: the least squares.
        runs: (n,) which learning curve a row came from, to leave out one at a time; empty where
            every row has noise of its own.

    Raises:
        RefusalError: too few rows or runs to tell noise from law.
    """
    if runs:
        return _jackknife(design, coefficients, np.array(runs))
    freedom = len(design.log_steps) - design.n_targets - 2
    if freedom < 1:
        raise RefusalError(
            f"{len(design.log_steps)} rows for {design.n_targets + 2} constants: nothing is left "
            "to tell how well they fit; train at more batches"
        )
    jacobian = design.jacobian(coefficients)
    noise = float(np.sum(design.residuals(coefficients) ** 2)) / freedom
    return np.asarray(noise * np.linalg.pinv(jacobian.T @ jacobian), np.float64), freedom


def _jackknife(design: Design, coefficients: Array, runs: NDArray[np.str_]) -> tuple[Array, int]:
    names = np.unique(runs)
    freedom = len(names) - 3
    if freedom < 1:
        raise RefusalError(f"{len(names)} runs are too few to leave one out; train four or more")
    left = np.array(
        [fit_design(design.keep(runs != name), coefficients, design.centre) for name in names]
    )
    apart = left - coefficients
    return (len(names) - 1) / len(names) * apart.T @ apart, freedom


def _best_of_grid(design: Design, centre: float) -> Array:
    levels = np.linspace(design.log_batch.min() - 4, design.log_batch.max() + 4, _LEVELS)
    grid = np.array([[c, k] for c in levels for k in _SLOPES])
    values = [float(np.sum(design.residuals(point, centre) ** 2)) for point in grid]
    return grid[int(np.argmin(values))]


def _bounds(design: Design) -> tuple[Array, Array]:
    low, high = design.log_batch.min() - BEYOND, design.log_batch.max() + BEYOND
    return np.array([low, -200.0]), np.array([high, 200.0])
