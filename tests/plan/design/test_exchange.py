"""The exchange against every subset, where there are few enough to try them all."""

from itertools import combinations

import numpy as np
import pytest

from isoflop.plan.design.exchange import UNKNOWN, Shelf, choose_runs


def _shelf(seed: int, n: int = 10, p: int = 3) -> Shelf:
    rng = np.random.default_rng(seed)
    slopes = rng.standard_normal((1, n, p)) * 5
    return Shelf(slopes, rng.standard_normal((1, 1, p)), rng.uniform(1, 3, n), np.zeros((p, p)))


def _variance(shelf: Shelf, rows: list[int]) -> float:
    J, g = shelf.slopes[0][rows], shelf.goals[0, 0]
    return float(g @ np.linalg.solve(J.T @ J + UNKNOWN * np.eye(J.shape[1]), g))


@pytest.mark.parametrize("seed", range(8))
def test_close_to_the_best_of_all_subsets(seed):
    shelf, budget = _shelf(seed), 9.0
    counts = choose_runs(shelf, budget, max_runs=5)
    assert counts @ shelf.price <= budget
    assert counts.sum() <= 5
    assert counts.max() <= 1
    every = [
        _variance(shelf, list(rows))
        for size in range(1, 6)
        for rows in combinations(range(10), size)
        if shelf.price[list(rows)].sum() <= budget
    ]
    assert _variance(shelf, np.flatnonzero(counts).tolist()) <= 1.25 * min(every)


def test_the_last_of_variances_is_what_one_run_more_leaves():
    shelf = _shelf(1)
    counts = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    more = counts.copy()
    more[6] += 1
    found = shelf.variances_with(shelf.covariance(counts))[0, 0, 6]
    assert found == pytest.approx(float(shelf.variances(more)[0, 0]), rel=1e-9)


def test_repeats_buy_a_good_run_again():
    shelf = Shelf(np.array([[[3.0], [1.0]]]), np.ones((1, 1, 1)), np.ones(2), np.zeros((1, 1)))
    assert choose_runs(shelf, 3.0, max_runs=3, repeats=3).tolist() == [3, 0]
    assert choose_runs(shelf, 3.0, max_runs=3).tolist() == [1, 1]
