"""From how many starts a law is searched, and what is said of where they ended."""

from dataclasses import fields, replace

import numpy as np
import pytest

from isoflop.fitting.objective import Objective
from isoflop.fitting.solve.search import search
from isoflop.fitting.solve.solver import Problem, Solution, minimise
from isoflop.fitting.starts import count_basins, is_quick, usual_starts
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.forms import find_form

THETA = np.array([1.69, 406.4, 410.7, 0.34, 0.28])


def _problem(noise: float = 0.01) -> Problem:
    N, D = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e10, 6), np.geomspace(1e9, 1e12, 6)))
    variables = {"n_params": N, "n_tokens": D}
    rng = np.random.default_rng(3)
    losses = ChinchillaLaw().predict(THETA, variables) * np.exp(noise * rng.standard_normal(len(N)))
    return Problem(ChinchillaLaw(), variables, losses, Objective("squared"))


def _ends(problem: Problem) -> Solution:
    rng = np.random.default_rng(0)
    law = problem.law
    starts = law.propose_starts(problem.variables, problem.measured, n_starts=12, rng=rng)
    return minimise(problem, starts, np.ones(problem.n_runs))


def test_more_starts_where_a_law_bends_more():
    names = ["power", "chinchilla", "m4", "bnsl1", "bnsl3"]
    counts = [
        usual_starts(find_form(n, over="flops" if n != "chinchilla" else None)) for n in names
    ]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]
    assert is_quick(ChinchillaLaw())
    assert is_quick(find_form("kaplan-nd"))
    assert is_quick(find_form("kaplan-nd-constant"))
    for slow in ("m4", "bnsl1"):
        assert not is_quick(find_form(slow, over="flops"))


def test_all_arrive_where_none_was_given_up():
    basins = count_basins(_ends(_problem()))
    assert (basins.n_starts, basins.n_basins, basins.n_given_up) == (12, 1, 0)
    assert basins.share_best == 1.0


@pytest.mark.parametrize("taken_on", [True, False])
def test_shares_never_exceed_one(taken_on):
    found = _ends(_problem())
    given_up = np.arange(12) < 5
    converged = found.converged if taken_on else found.converged & ~given_up
    basins = count_basins(replace(found, given_up=given_up, converged=converged))
    assert basins.share_best == 1.0
    assert basins.n_given_up == (0 if taken_on else 5)


def test_a_search_ends_where_full_descents_do():
    problem = _problem()
    rng = np.random.default_rng(1)
    law = problem.law
    starts = law.propose_starts(problem.variables, problem.measured, n_starts=24, rng=rng)
    weights = np.ones(problem.n_runs)
    searched, descended = search(problem, starts, weights), minimise(problem, starts, weights)
    assert searched.objective.min() == pytest.approx(descended.objective.min(), rel=1e-12)
    best = np.argmin(searched.objective)
    np.testing.assert_allclose(
        searched.theta[best], descended.theta[np.argmin(descended.objective)], rtol=1e-6
    )
    assert all(len(getattr(searched, part.name)) == 24 for part in fields(Solution))
