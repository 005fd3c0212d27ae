"""Run tables whose law is known, because it was planted; no code of isoflop.fit is used here.

Legend: N parameters, D tokens, C = 6ND FLOPs, L = E + A/N^alpha + B/D^beta.
"""

import numpy as np

from isoflop.runs.table import RunTable

SURFACES = {
    "epoch": (1.8172, 482.01, 2085.43, 0.3478, 0.3658),
    "chin": (1.69, 406.4, 410.7, 0.34, 0.28),
    "asym": (1.69, 406.4, 410.7, 0.465, 0.155),
    "sym": (1.69, 406.4, 410.7, 0.31, 0.31),
}
"""E, A, B, alpha, beta of four surfaces, from symmetric to lopsided."""

BUDGETS = np.geomspace(1e17, 1e21, 5)


def chinchilla(theta, N, D):
    """Loss of the surface, written out."""
    E, A, B, alpha, beta = theta
    return E + A * N**-alpha + B * D**-beta


def optimum(theta, C):
    """Size with the lowest loss on the budget: set dL/dN = 0 with D = C/6N (Hoffmann, eq. 4)."""
    _, A, B, alpha, beta = theta
    return (alpha * A / (beta * B)) ** (1 / (alpha + beta)) * (C / 6) ** (beta / (alpha + beta))


def isoflop_design(theta, *, half_width=4.0, points=15, off=1.0, drift=1.0, budgets=BUDGETS):
    """Sizes within ×half_width of the optimum of each budget, N and D of shape (runs,).

    `off` shifts the centre of every grid; `drift` shifts it more and more, up to that factor.
    """
    steps = np.linspace(0.0, 1.0, len(budgets))
    centre = optimum(theta, budgets) * off * drift**steps
    N = centre[:, None] * np.geomspace(1 / half_width, half_width, points)
    return N.ravel(), (budgets[:, None] / (6 * N)).ravel()


def grid_design(_theta=None):
    """Every size with every token count."""
    N, D = np.meshgrid(np.geomspace(1e7, 1e10, 6), np.geomspace(2e8, 2e11, 6))
    return N.ravel(), D.ravel()


def small_design(theta):
    """Four budgets from 1e18 to 3e19 of five sizes each: what a course can afford."""
    return isoflop_design(theta, points=5, budgets=np.geomspace(1e18, 3e19, 4))


def ladder_design(_theta=None):
    """A fixed ladder of nine sizes, each at seven token counts from 2.5 to 160 a parameter."""
    N = np.repeat(np.geomspace(5e7, 1e10, 9), 7)
    return N, N * np.tile(np.geomspace(2.5, 160.0, 7), 9)


def make_table(theta, N, D, *, noise=0.0, seed=0):
    """Run table of the surface at N and D, with relative noise."""
    loss = chinchilla(theta, N, D)
    loss = loss * np.exp(noise * np.random.default_rng(seed).standard_normal(len(loss)))
    return table_of(n_params=N, n_tokens=D, flops=6 * N * D, loss=loss)


def table_of(**columns):
    """Run table of number columns."""
    rows = zip(*(np.asarray(column).tolist() for column in columns.values()), strict=True)
    return RunTable.from_records([dict(zip(columns, row, strict=True)) for row in rows])
