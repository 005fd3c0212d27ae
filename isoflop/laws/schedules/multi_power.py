"""The multi-power law: the loss curve under any learning-rate schedule.

Legend: s step, eta_k learning rate of step k, S1(s) sum of the rates up to s, S_k(s) the part of
it since step k, g_k = eta_(k-1) - eta_k drop of the rate before step k, L loss.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from isoflop.base.errors import InputError
from isoflop.laws.law import (
    AbstractLaw,
    Array,
    Parameter,
    Variables,
    clip_to_bounds,
    solve_coefficients,
)
from isoflop.laws.power import COEFFICIENT, EXPONENT, IRREDUCIBLE
from isoflop.laws.schedules.curve import ScheduleCurve, Steps, split_by_curve

CELLS = 400_000
"""Steps times drops held at once, so that temporaries stay near the cache."""

SMALLEST_RATE = 1e-200
"""Stands for a rate of zero, so that eta^-gamma is finite; no weight moves there."""


@dataclass(frozen=True)
class MultiPowerLaw(AbstractLaw):
    """L(s) = L0 + A·S1^-alpha - B·Σ_(k≤s) g_k·[1 - (1 + C·eta_k^-gamma·S_k)^-beta].

    What a drop of the rate brings comes with the training after it; S1 includes the warm-up.

    Args:
        curves: the schedules, in the order of the column `curve`, numbered from 1; where there
            is but one, the law reads `steps` alone.
        resolution: drops within this many steps are summed as one, at their mean; 1 is exact.

    >>> from isoflop.laws.schedules.usual import Frame, cosine_schedule
    >>> law = MultiPowerLaw((cosine_schedule(Frame(24_000, 3e-4, 2_160), floor=3e-5),))
    >>> theta = np.array([3.04045406, 0.52468604, 0.50786857, 363.78751622, 2.06560812,
    ...                   0.58279013, 0.64142257])
    >>> law.predict(theta, {"steps": np.array([2160.0, 23920.0])}).round(4)
    array([4.0704, 3.3153])
    """

    curves: tuple[ScheduleCurve, ...]
    resolution: int = 1

    name: ClassVar[str] = "multi-power"
    source: ClassVar[str] = "Luo et al. 2025, multi-power law"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("L0", "nats", *IRREDUCIBLE, scale="linear"),
        Parameter("A", "nats·rate^alpha", *COEFFICIENT),
        Parameter("alpha", "", *EXPONENT),
        Parameter("B", "nats/rate", *COEFFICIENT),
        Parameter("C", "rate^(gamma-1)", 1e-8, 1e8),
        Parameter("beta", "", *EXPONENT),
        Parameter("gamma", "", 0.0, 4.0, scale="linear"),
    )
    linear: ClassVar[tuple[str, ...]] = ("L0", "A", "B")

    def __post_init__(self) -> None:
        if not self.curves or self.resolution < 1:
            raise InputError(f"{self.name} needs a schedule, and a resolution of one step or more")

    @property
    def form(self) -> str:
        """The formula."""
        place = "steps" if len(self.curves) == 1 else "steps of curve"
        return f"L0 + A*S1({place})**-alpha - B*sum(drop*(1 - (1 + C*rate**-gamma*S_since)**-beta))"

    @property
    def variables(self) -> tuple[str, ...]:
        """The columns it reads."""
        return ("steps",) if len(self.curves) == 1 else ("curve", "steps")

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict the loss, (..., n)."""
        L0, A, alpha, B = (theta[..., k, None] for k in range(4))
        S1 = _rate_sums(self.curves, variables)
        return L0 + A * np.exp(-alpha * np.log(S1)) - B * self._sums(theta, variables, 1)[..., 0]

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n, 7)."""
        _, A, alpha, B = (theta[..., k, None] for k in range(4))
        log_S1 = np.log(_rate_sums(self.curves, variables))
        decay = np.exp(-alpha * log_S1)
        sums = self._sums(theta, variables, 4)
        columns = [np.ones_like(decay), decay, -A * log_S1 * decay, -sums[..., 0],
                   *(-B * sums[..., k] for k in (1, 2, 3))]  # fmt: skip
        return np.stack(columns, axis=-1)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw the exponents and C around the published ones, solve for the coefficients."""
        drawn = rng.uniform(0.3, 1.0, (n_starts, 3))
        C = np.exp(rng.uniform(np.log(0.3), np.log(10.0), n_starts))
        alpha, beta, gamma = drawn.T
        columns = [np.ones(n_starts)] * 2 + [alpha, np.ones(n_starts), C, beta, gamma]
        theta = np.stack(columns, axis=-1)
        decay = np.exp(-alpha[:, None] * np.log(_rate_sums(self.curves, variables)))
        sums = self._sums(theta, variables, 1)[..., 0]
        basis = np.stack([np.ones_like(decay), decay, -sums], axis=-1)
        theta[:, [0, 1, 3]] = solve_coefficients(basis, loss)
        return clip_to_bounds(self, theta)

    def derive(self, theta: Array) -> dict[str, Array]:
        """Loss that a drop of the rate by 1e-4 brings in the end."""
        return {"gain_per_1e-4": 1e-4 * theta[..., 3]}

    def _sums(self, theta: Array, variables: Variables, n_terms: int) -> Array:
        """Σ g_k·G_k and its derivatives by C, beta and gamma, (..., n, n_terms)."""
        flat = theta.reshape(-1, theta.shape[-1])
        n = len(variables["steps"])
        found = np.zeros((len(flat), n, n_terms), dtype=theta.dtype)
        for curve, rows, steps in split_by_curve(self.curves, variables):
            for part, drops in _blocks(curve, steps, self.resolution):
                for b, constants in enumerate(flat):
                    found[b, rows[part]] = _block_sums(constants, *drops, n_terms)
        return found.reshape(*theta.shape[:-1], n, n_terms)


def _block_sums(theta: Array, drop: Array, log_eta: Array, since: Array, n_terms: int) -> Array:
    """Sums over blocks, (n_steps, n_terms), of arrays (n_steps, n_blocks)."""
    C, beta, gamma = theta[4], theta[5], theta[6]
    x = C * np.exp(-gamma * log_eta) * since
    log = np.log1p(x)
    gains = [-np.expm1(-beta * log)]
    if n_terms > 1:
        fade = np.exp(-beta * log)
        by_log_x = beta * fade * x / (1 + x)
        gains += [by_log_x / C, fade * log, -log_eta * by_log_x]
    return np.stack([np.einsum("sb,sb->s", drop, gain) for gain in gains], axis=-1)


def _rate_sums(curves: tuple[ScheduleCurve, ...], variables: Variables) -> Array:
    """S1 of every measurement, (n,)."""
    found = np.zeros(len(variables["steps"]))
    for curve, rows, steps in split_by_curve(curves, variables):
        found[rows] = curve.rate_sums[steps]
    if not (found > 0).all():
        raise InputError("the learning rates before a measured step sum to zero; leave it out")
    return found


def _blocks(
    curve: ScheduleCurve, steps: Steps, resolution: int
) -> Iterator[tuple[Steps, tuple[Array, Array, Array]]]:
    """Merge the drops of a schedule, and give them for a few measured steps at a time.

    A block ends where its steps, its rate or the size of its drops have changed; of a block that
    a measured step cuts, the drops before it count, each at the mean of their own rate and S1.

    Yields:
        Rows (n_rows,) of `steps`, and of each with each block: the drop, zero where it is yet to
        come, the log of its rate and S_k, (n_rows, n_blocks) each.
    """
    k, g = curve.drop_steps, curve.drops
    log_eta = np.log(np.maximum(curve.lr[k], SMALLEST_RATE))
    marks = [k // resolution, np.floor(log_eta / 0.05), np.floor(np.log2(np.abs(g))), np.sign(g)]
    new = np.any([np.diff(mark) != 0 for mark in marks], axis=0) | (resolution == 1)
    starts = np.concatenate([[0], np.flatnonzero(new) + 1]) if k.size else np.zeros(0, np.int64)
    totals = np.zeros((3, k.size + 1))
    totals[:, 1:] = np.cumsum([g, g * log_eta, g * curve.rate_sums[k - 1]], axis=1)
    order = np.argsort(steps, kind="stable")
    size = max(1, CELLS // max(1, len(starts)))
    for part in (order[i : i + size] for i in range(0, len(order), size)):
        begun = np.searchsorted(k, steps[part], side="right")  # drops at or before each step
        first = starts[starts < begun.max(initial=0)]
        last = np.append(first[1:], begun.max(initial=0))
        ends = np.clip(begun[:, None], first, last)
        if resolution == 1:
            inside = ends > first
            shape = inside.shape
            mean = np.broadcast_to(log_eta[first], shape)
            before = curve.rate_sums[k[first] - 1]
            drop = np.where(inside, g[first], 0.0)
        else:
            drop, weighted, passed = totals[:, ends] - totals[:, first][:, None, :]
            safe = np.where(drop == 0, 1.0, drop)
            mean = np.where(drop == 0, 0.0, weighted / safe)
            before = np.where(drop == 0, np.inf, passed / safe)
        since = np.maximum(curve.rate_sums[steps[part]][:, None] - before, 0.0)
        yield part, (drop, mean, since)
