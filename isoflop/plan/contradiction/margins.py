"""What an e-fold more of parameters, data or epochs is worth, and which of them limits a plan.

Legend: N parameters, E tokens processed, U distinct tokens among them; g_x = -dL/dln x, nats that
one e-fold of x is worth at the margin.
"""

import numpy as np

from isoflop.laws.law import Array
from isoflop.plan.contradiction.extractor import Extractor

REGIMES = ("model-limited", "unique-data-limited", "repeat-limited", "balanced")
STEP = 1e-4
"""Change of ln x by which g_x is measured."""
WORN = 0.5
"""Further epochs worth less than this share of as many fresh tokens are worn out."""
BALANCED = 0.01
"""Margins of parameters and of data that differ by less than this share limit a plan alike."""


def measure_margins(extractor: Extractor, N: float, E: float, U: float) -> dict[str, Array]:
    """Margins g of parameters, of data and of epochs, each (K,)."""
    up, down = np.exp(STEP), np.exp(-STEP)
    loss = extractor.loss
    return {
        "parameters": (loss(N * down, E, U) - loss(N * up, E, U)) / (2 * STEP),
        "data": (loss(N, E * down, U * down) - loss(N, E * up, U * up)) / (2 * STEP),
        # Forward: below U fewer tokens would be distinct, not fewer epochs read.
        "epochs": (loss(N, E, U) - loss(N, E * up, U)) / STEP,
    }


def judge_margins(margins: dict[str, Array], *, repeats: bool) -> Array:
    """Place in `REGIMES` of each row, (K,)."""
    by_N, by_D = margins["parameters"], margins["data"]
    worn = repeats & (margins["epochs"] < WORN * by_D)
    limited = np.where(by_N >= by_D, 0, np.where(worn, 2, 1))
    return np.where(np.abs(by_N - by_D) < BALANCED * np.maximum(by_N, by_D), 3, limited)


def shares_of(regimes: Array) -> dict[str, float]:
    """Share of the draws in each of `REGIMES`; empty without draws."""
    if not len(regimes):
        return {}
    return {name: float(np.mean(regimes == k)) for k, name in enumerate(REGIMES)}
