"""Planted studies: surfaces, designs and noise whose truth is known; no code of isoflop in it.

Legend: N parameters, D tokens, C = 6ND FLOPs, L = E + A/N^alpha + B/D^beta; S studies, n runs.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SURFACES = {
    "epoch": (1.8172, 482.01, 2085.43, 0.3478, 0.3658),
    "chin": (1.69, 406.4, 410.7, 0.34, 0.28),
    "asym": (1.69, 406.4, 410.7, 0.465, 0.155),
}
"""E, A, B, alpha, beta."""
SEVEN = np.geomspace(1e18, 1e21, 7)
FAR = 100.0
"""Multiple of the largest budget at which plans and future runs are scored."""
ICC = 0.35


@dataclass(frozen=True)
class Cell:
    """One row of the coverage table.

    Args:
        name: of the row.
        surface: key of `SURFACES`.
        design: {surface constants} → N and D, (n,) each.
        noise: (rng, S, N, D, L) → (S, n) relative errors.
        reference: RMSE of alpha, beta, E and a of the best published procedure, if known.
    """

    name: str
    surface: str
    design: Callable[[tuple[float, ...]], tuple[Array, Array]]
    noise: Callable[..., Array]
    reference: tuple[float, float, float, float] | None = None


def chinchilla(theta: tuple[float, ...], N: Array, D: Array) -> Array:
    E, A, B, alpha, beta = theta
    return E + A * N**-alpha + B * D**-beta


def optimum(theta: tuple[float, ...], C: Array | float) -> Array:
    """Size with the lowest loss on a budget (Hoffmann et al. 2022, eq. 4)."""
    _, A, B, alpha, beta = theta
    scale = (alpha * A / (beta * B)) ** (1 / (alpha + beta))
    return scale * (np.asarray(C) / 6) ** (beta / (alpha + beta))


def isoflop(half_width: float, *, points: int = 9, drift: float = 1.0, budgets: Array = SEVEN):
    """Sizes within ×half_width of the optimum of each budget, their centre drifting off it."""

    def design(theta: tuple[float, ...]) -> tuple[Array, Array]:
        centre = optimum(theta, budgets) * drift ** np.linspace(0.0, 1.0, len(budgets))
        N = centre[:, None] * np.geomspace(1 / half_width, half_width, points)
        return N.ravel(), (budgets[:, None] / (6 * N)).ravel()

    return design


def ladder(half_width: float, ratio: float):
    """The same sizes at every budget, as far as they lie within ×half_width of its optimum."""

    def design(theta: tuple[float, ...]) -> tuple[Array, Array]:
        centre = optimum(theta, SEVEN)
        ends = np.log(centre[0] / half_width), np.log(centre[-1] * half_width)
        sizes = np.exp(np.arange(ends[0], ends[1], np.log(ratio)))
        near = np.abs(np.log(sizes / centre[:, None])) <= np.log(half_width) * (1 + 1e-9)
        row, column = np.nonzero(near)
        N = sizes[column]
        return N, SEVEN[row] / (6 * N)

    return design


def even(rng, S: int, N: Array, D: Array, L: Array, size: float = 0.005) -> Array:
    return size * rng.standard_normal((S, len(N)))


def student(rng, S: int, N: Array, D: Array, L: Array) -> Array:
    """Student's t with 3 degrees of freedom, of standard deviation .5 %."""
    return 0.005 / np.sqrt(3) * rng.standard_t(3, (S, len(N)))


def outliers(size: float):
    """One run in twenty is 1 to 10 % too high."""

    def noise(rng, S: int, N: Array, D: Array, L: Array) -> Array:
        errors = even(rng, S, N, D, L, size)
        wrong = rng.random(errors.shape) < 0.05
        return errors + np.where(wrong, rng.uniform(0.01, 0.1, errors.shape), 0.0)

    return noise


def uneven(rng, S: int, N: Array, D: Array, L: Array) -> Array:
    """Noise as L³, .3 % on the largest runs and 1.3 % on the smallest."""
    return 0.0056 * (L / L.mean()) ** 3 * rng.standard_normal((S, len(N)))


def grouped(rng, S: int, N: Array, D: Array, L: Array) -> Array:
    """A third of the variance is shared by the runs of one size."""
    sizes, member = np.unique(N, return_inverse=True)
    shared = rng.standard_normal((S, len(sizes)))[:, member]
    own = rng.standard_normal((S, len(N)))
    return 0.005 * (np.sqrt(ICC) * shared + np.sqrt(1 - ICC) * own)


GOOD = isoflop(4.0)
SMALL = isoflop(4.0, points=5, budgets=np.geomspace(1e18, 3e19, 4))
CELLS = (
    Cell("iid", "epoch", GOOD, even, (0.0090, 0.0094, 0.021, 0.0075)),
    Cell("t3", "epoch", GOOD, student, (0.0068, 0.0071, 0.015, 0.0056)),
    Cell("outliers", "epoch", GOOD, outliers(0.004), (0.0090, 0.0093, 0.021, 0.0072)),
    Cell("hetero", "epoch", GOOD, uneven, (0.0142, 0.0149, 0.029, 0.0116)),
    Cell("cluster", "epoch", ladder(8.0, 2**0.5), grouped, (0.0069, 0.0055, 0.016, 0.0056)),
    Cell("outliers .5 %", "epoch", GOOD, outliers(0.005)),
    Cell("narrow", "epoch", isoflop(2.0), even, (0.0141, 0.0154, 0.025, 0.0160)),
    Cell("wide", "epoch", isoflop(16.0), even, (0.0044, 0.0048, 0.013, 0.0037)),
    Cell("drift", "epoch", isoflop(4.0, drift=1 / 3), even, (0.0109, 0.0083, 0.023, 0.0084)),
    Cell("small", "epoch", SMALL, even, (0.0210, 0.0224, 0.069, 0.0178)),
    Cell("chin", "chin", GOOD, even, (0.0105, 0.0077, 0.028, 0.0080)),
    Cell("asym wide", "asym", isoflop(16.0), even, (0.0043, 0.0022, 0.063, 0.0028)),
)
MAIN = ("iid", "t3", "outliers", "hetero", "cluster")
"""The cells whose coverage has a bar."""


def unidentified(_theta: tuple[float, ...]) -> dict[str, tuple[Array, Array]]:
    """Designs that cannot tell the exponents apart."""
    N = np.geomspace(1e7, 1e10, 20)
    return {
        "one ray, D = 20N": (N, 20 * N),
        "one budget": (N, 1e20 / (6 * N)),
        "one size": (np.full(20, 1e8), np.geomspace(2e8, 2e11, 20)),
    }
