"""Constants of any law: taken, refused, and carried into what follows with an interval."""

from dataclasses import replace

import numpy as np
import pytest
from plan.fitted import fit_planted

from isoflop.base.errors import InputError, RefusalError
from isoflop.fitting.frontiers.frontier import Frontier
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.fitting.solve.solver import Outcome
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.fixed import fix_constants
from isoflop.laws.growth import GrowthLaw
from isoflop.plan.constants import all_notes, estimate_from, reach_note, take_constants
from isoflop.plan.possible import check_positive
from isoflop.runs.table import RunTable

GRID = {"flops": np.geomspace(1e18, 1e21, 12)}


def grown(seed: int = 0):
    return fit_planted(GrowthLaw("flops"), [1e-3, 0.5], GRID, noise=0.05, seed=seed, draws=400)


def width(estimate) -> float:
    return estimate.high - estimate.low


def test_a_fits_exponent_has_the_fits_own_interval() -> None:
    fit = grown()
    found = estimate_from(lambda rows: rows[:, 1], take_constants(fit), log=False)
    own = fit.params["p"]
    assert (found.value, found.low, found.high) == pytest.approx((own.value, own.low, own.high))


def test_draws_of_two_fits_are_independent_though_their_seed_is_one() -> None:
    first, second = take_constants(grown(0)), take_constants(grown(1))
    apart = [estimate_from(lambda rows: rows[:, 1], each, log=False) for each in (first, second)]
    between = estimate_from(lambda a, b: a[:, 1] - b[:, 1], first, second, log=False)
    expected = np.hypot(*(width(each) for each in apart))
    assert width(between) == pytest.approx(expected, rel=0.15)


def test_a_published_law_beside_a_fit_is_held_and_said_so() -> None:
    fit, published = take_constants(grown()), take_constants("kaplan-2020-n-opt")
    both = estimate_from(lambda a, b: a[:, 1] * b[:, 1], fit, published)
    alone = estimate_from(lambda a: a[:, 1] * published.theta[1], fit)
    assert (both.low, both.high) == pytest.approx((alone.low, alone.high))
    assert all_notes(fit, published)[0].endswith("carry no covariance; they are held")
    assert all_notes(published)[0].endswith("no interval can be given")
    assert estimate_from(lambda b: b[:, 1], published).low is None


def test_what_a_fit_held_is_among_its_constants_again() -> None:
    law = fix_constants(ChinchillaLaw(), {"E": 1.8172})
    grid = {"n_params": np.geomspace(5e7, 5e9, 5), "n_tokens": np.geomspace(1e9, 1e11, 5)}
    rows = [
        {"n_params": n, "n_tokens": d, "loss": 1.8172 + 482.01 / n**0.3478 + 2085.43 / d**0.3658}
        for n in grid["n_params"]
        for d in grid["n_tokens"]
    ]
    table = RunTable.from_records(rows)
    fit = fit_parametric(table, law, FitSpec(Objective("squared"), n_resamples=20))
    constants = take_constants(fit, ChinchillaLaw)
    assert constants.theta[0] == 1.8172
    assert (constants.draws[:, 0] == 1.8172).all()
    assert constants.draws.shape[1] == 5


def test_a_fit_without_draws_says_what_is_missing() -> None:
    rows = [{"flops": c, "loss": 2.0, "amount": 1e-3 * c**0.5} for c in GRID["flops"]]
    table = RunTable.from_records(rows)
    spec = FitSpec(Objective("squared"), n_resamples=0)
    fit = fit_parametric(table, GrowthLaw("flops"), spec)
    assert "fit with --bootstrap for intervals" in take_constants(fit).notes[0]


def test_a_fit_that_failed_decides_nothing() -> None:
    for outcome in (Outcome.NOT_CONVERGED, Outcome.UNIDENTIFIED):
        with pytest.raises(RefusalError, match="nothing can be decided from this fit"):
            take_constants(replace(grown(), outcome=outcome))


def test_reach_is_told_beyond_the_runs_and_not_within() -> None:
    constants = take_constants(grown())
    assert reach_note(constants, {"flops": 1e20}) == ()
    (note,) = reach_note(constants, {"flops": 1e23})
    assert note == "growth: flops 1.00e23 is 100× outside the runs fitted"


@pytest.mark.parametrize("amount", [0.0, -1.0, np.nan, np.inf, 1e-9, 1e50])
def test_amounts_that_cannot_be_are_refused_by_name(amount: float) -> None:
    with pytest.raises(InputError, match="flops must"):
        check_positive(flops=amount)


def test_a_frontier_has_no_constants() -> None:
    with pytest.raises(InputError, match="found a frontier or an automatic fit"):
        take_constants(object.__new__(Frontier))
