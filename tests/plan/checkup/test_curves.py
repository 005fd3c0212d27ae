"""Points of training curves are not runs."""

import numpy as np
import pytest
from faulty import EPOCH, TRUE_A, codes, find, ladder, noisy, rows

from benchmarks._planted import chinchilla

LOGGED = np.arange(1, 9) / 8


def points(early: float = 0.1, shares=LOGGED):
    """N, D, L of eight points a run, too high before the end, and the run's name."""
    N, D, _ = ladder()
    runs = np.repeat([f"r{k}" for k in range(len(N))], len(shares))
    share = np.tile(shares, len(N))
    N, D = np.repeat(N, len(shares)), np.repeat(D, len(shares)) * share
    return N, D, chinchilla(EPOCH, N, D) + early * (1 - share), runs


@pytest.mark.parametrize("named", [True, False])
def test_curves_are_told_by_their_names_or_by_even_distances(named):
    N, D, L, runs = points()
    table = rows(N, D, L, run=runs.tolist() if named else None)
    found = find(table, "curve-points")
    assert found.numbers == {"n_curves": 63.0, "n_early": 7 * 63.0}
    assert "504 of 504 rows are 63 curves: up to 8 rows" in found.evidence
    assert found.shift is not None
    assert found.shift.corrected == pytest.approx(TRUE_A, abs=1e-4)
    assert abs(found.shift.exponent - TRUE_A) > 1e-4


def test_names_tell_curves_at_even_ratios():
    N, D, L, runs = points(shares=np.geomspace(0.05, 1, 5))
    assert "curve-points" in codes(rows(N, D, L, run=runs.tolist()))


def test_runs_of_one_size_and_of_one_recipe_are_no_curves():
    N = np.repeat(np.geomspace(1e7, 1e9, 8), 8)
    D = np.tile(np.geomspace(2e8, 2e10, 8), 8)  # a ladder of fixed sizes
    L = noisy(chinchilla(EPOCH, N, D))
    names = ["ladder"] * len(N)  # one name for all says nothing of a run
    assert "curve-points" not in codes(rows(N, D, L))
    assert "curve-points" not in codes(rows(N, D, L, run=names))
    assert "curve-points" not in codes(rows(*ladder()))
