"""Accuracies at the floor and of too few items."""

import numpy as np
import pytest
from faulty import EPOCH, codes, find, rows

from benchmarks._planted import chinchilla, isoflop

N, D = isoflop(2.0, points=5, budgets=np.geomspace(1e18, 1e22, 9))(EPOCH)
L = chinchilla(EPOCH, N, D)


def exact_match(n: int, seed: int = 0):
    """Exact match falls by e^-5 a nat, as p = exp(-5·(L − 1.7)), counted on n items."""
    p = np.exp(-5 * (L - 1.7))
    return np.random.default_rng(seed).binomial(n, p) / n, p


def test_zeros_are_counted_and_the_forecast_from_them_shown_beside_the_loss():
    counted, _ = exact_match(200)
    table = rows(N, D, L, accuracy=counted, n_examples=np.full(len(N), 200.0))
    found = find(table, "accuracy-at-floor", flops=1e24)
    assert found.numbers["share_zero"] == np.mean(counted == 0)
    truth = np.exp(-5 * (_best(1e24) - 1.7))
    assert found.numbers["loss_then_map"] == pytest.approx(truth, rel=0.35)
    assert found.numbers["logistic"] > truth + 0.1
    assert f"{(counted == 0).sum()} of {len(N)}" in found.evidence


def test_few_items_are_too_coarse_and_their_number_is_asked_for():
    p = 0.3 + 0.1 * (L.max() - L) / np.ptp(L)
    counted = np.random.default_rng(0).binomial(200, p) / 200
    found = find(
        rows(N, D, L, accuracy=counted, n_examples=np.full(len(N), 200.0)), "binomial-noise"
    )
    assert found.severity == "warning"
    assert found.numbers["median_error"] == pytest.approx(np.sqrt(0.35 * 0.65 / 200), rel=0.1)
    assert find(rows(N, D, L, accuracy=counted), "binomial-noise").severity == "note"


def test_good_scores_raise_nothing():
    p = 0.3 + 0.6 * (L.max() - L) / np.ptp(L)
    table = rows(N, D, L, accuracy=p, n_examples=np.full(len(N), 1e4))
    assert not codes(table) & {"accuracy-at-floor", "binomial-noise"}


def _best(flops):
    size = np.geomspace(1e8, 1e13, 20_000)
    return chinchilla(EPOCH, size, flops / (6 * size)).min()
