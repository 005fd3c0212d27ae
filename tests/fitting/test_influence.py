"""What a few outliers are said to move is an exponent only where it is one."""

import numpy as np
import pytest

from isoflop.fitting.influence import check_influence, watch, watched_name
from isoflop.fitting.objective import Objective
from isoflop.fitting.solve.solver import Problem, minimise
from isoflop.laws.fixed import fix_constants
from isoflop.laws.forms import find_form


def test_the_asymptote_of_a_broken_law_is_not_taken_for_the_exponent_of_n_star() -> None:
    assert watched_name(find_form("chinchilla")) == "a"
    chinchilla = np.array([1.69, 406.4, 410.7, 0.34, 0.28])
    named = dict(zip(find_form("chinchilla").parameter_names, chinchilla, strict=True))
    assert float(watch(find_form("chinchilla"), chinchilla)) == pytest.approx(
        named["beta"] / (named["alpha"] + named["beta"])
    )
    assert watched_name(find_form("power", over="n_tokens")) == "alpha"


def test_the_finding_of_a_broken_law_speaks_of_its_constant_and_of_no_exponent() -> None:
    law = find_form("bnsl1", over="n_tokens")
    D = np.geomspace(1e6, 1e10, 60)
    known = {"a": 0.5, "b": 50.0, "c0": 0.3, "c1": 0.3, "d1": 1e8, "f1": 0.5}
    theta = np.array([known[name] for name in law.parameter_names])
    loss = law.predict(theta, {"n_tokens": D})
    loss = loss * np.exp(0.002 * np.random.default_rng(0).normal(size=60))
    loss[-3:] *= 1.2
    problem = Problem(law, {"n_tokens": D}, loss, Objective("huber", 0.003))
    found = minimise(problem, theta[None], np.ones(60)).theta[0]
    (finding,) = check_influence(problem, found, [str(i) for i in range(60)])
    assert watched_name(law) == "a"
    assert finding.consequence.startswith("a, and every plan")
    assert "exponent" not in finding.consequence


def test_a_constant_that_is_held_is_not_watched() -> None:
    law = fix_constants(find_form("bnsl1", over="n_tokens"), {"a": 0.5})
    assert watched_name(law) == law.parameter_names[0]
    assert watched_name(fix_constants(find_form("power", over="n_tokens"), {"alpha": 0.3})) == "A"
    assert watched_name(fix_constants(find_form("chinchilla"), {"E": 1.69})) == "a"
