"""Models of one loss: the tokens that each size needs for it.

Legend: N parameters, D tokens, L loss, C = 6ND FLOPs.
"""

import numpy as np

from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.law import AbstractLaw, Array
from isoflop.plan.rows import minimise_rows, predict_rows, solve_rows

TOKENS_SEARCHED = (1e2, 1e28)
SIZES_SEARCHED = (1.0, 1e22)


def tokens_for_loss(law: AbstractLaw, rows: Array, n_params: Array, loss: Array) -> Array:
    """Tokens with which each size reaches a loss, (K,); not finite where it never does.

    Args:
        law: a law of n_params and n_tokens whose loss falls with tokens.
        rows: (K, p) constants.
        n_params: (K,) or (1,) sizes.
        loss: (K,) losses.
    """
    if isinstance(law, ChinchillaLaw):
        E, A, B, alpha, beta = rows.T
        left = loss - E - A * n_params**-alpha
        return np.where(left > 0, (B / np.where(left > 0, left, 1.0)) ** (1 / beta), np.inf)
    tokens = solve_rows(
        lambda D: loss - predict_rows(law, rows, n_params=n_params, n_tokens=D), *TOKENS_SEARCHED
    )
    return np.where(tokens > 0, tokens, np.nan)


def best_size(law: AbstractLaw, rows: Array, flops: Array | float) -> Array:
    """Size of lowest loss on a budget C = 6ND, (K,); NaN at the edge of those searched."""
    derived = law.derive(rows)
    if {"G", "a"} <= set(derived):
        return derived["G"] * (flops / 6) ** derived["a"]

    def loss(N: Array) -> Array:
        return predict_rows(law, rows, n_params=N, n_tokens=flops / (6 * N))

    return minimise_rows(loss, *SIZES_SEARCHED)


def best_tokens(law: AbstractLaw, rows: Array, n_params: float) -> Array:
    """Tokens on which a size is the best use of its compute, D = (N/G)^(1/a)/N, (K,).

    Args:
        law: one that derives a and G of N_opt = G·(C/6)^a.
        rows: (K, p) constants.
        n_params: N.
    """
    derived = law.derive(rows)
    return (n_params / derived["G"]) ** (1 / derived["a"]) / n_params
