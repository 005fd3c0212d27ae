"""Tests of a law against noise hold on the edge of floats, and where nothing is left to noise."""

import numpy as np
import pytest

from isoflop.fitting.foresight.measure import measure_misfit
from isoflop.fitting.foresight.misfit import write_chance
from isoflop.fitting.foresight.suspicion import orthonormal
from isoflop.fitting.objective import Objective
from isoflop.fitting.solve.solver import Problem
from isoflop.laws.forms import find_form


def test_a_basis_survives_columns_whose_squares_overflow_or_that_are_not_finite() -> None:
    plain = np.array([[1.0, 1.0], [2.0, -1.0], [3.0, 0.5]])
    huge = np.column_stack([plain[:, 0] * 1e250, plain[:, 1] * 1e250, [np.inf, 0.0, np.nan]])
    expected, found = orthonormal(plain), orthonormal(huge)
    assert found @ found.T == pytest.approx(expected @ expected.T, abs=1e-12)


@pytest.mark.parametrize("b", [1.0, 1e-300, 1e300])
def test_a_broken_law_at_the_edge_of_floats_has_chances_and_no_warning(b: float) -> None:
    law = find_form("bnsl1", over="n_tokens")
    D = np.geomspace(1e7, 3e8, 71)
    measured = (0.2 + 3e3 * D**-0.6) * np.exp(0.02 * np.random.default_rng(0).normal(size=71))
    start = law.propose_starts({"n_tokens": D}, measured, n_starts=1, rng=np.random.default_rng(0))[
        0
    ]
    theta = start.copy()
    theta[law.parameter_names.index("b")] *= b
    problem = Problem(law, {"n_tokens": D}, measured, Objective("squared"))
    misfit = measure_misfit(problem, theta)
    assert all(0 <= chance <= 1 for chance in (misfit.rolling, misfit.shape, misfit.tails))


def test_a_chance_of_none_in_two_hundred_is_not_written_as_zero() -> None:
    assert [write_chance(share) for share in (0.0, 0.005, 1.0)] == ["< .001", "0.005", "1.000"]
