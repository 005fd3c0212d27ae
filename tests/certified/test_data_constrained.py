"""Muennighoff et al. 2023, data-constrained scaling: the published decays are not the optimum.

The paper's 182 runs (github.com/huggingface/datablations), not part of this repository: expected
beside it, or where ISOFLOP_SHARED_DATA says.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from isoflop.exchange.run_tables import read_runs
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric, pose_problem
from isoflop.fitting.solve.solver import Problem
from isoflop.fitting.uncertainty.profile import Profile, profile_parameter
from isoflop.fitting.uncertainty.profile_ends import profile_constants, show_ends
from isoflop.laws.fixed import fix_constants
from isoflop.laws.repeated import RepeatedLaw

SHARED = Path(os.environ.get("ISOFLOP_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
RUNS = SHARED / "datablations" / "runs_N_D_U_loss_182.csv"

pytestmark = pytest.mark.skipif(
    not RUNS.exists(),
    reason="runs_N_D_U_loss_182.csv of huggingface/datablations is not here; "
    "point ISOFLOP_SHARED_DATA at the folder that holds datablations/",
)

# Fitted by the authors to single-epoch runs and held: a, b, e in logs; alpha = beta.
BASE = {
    "E": np.exp(0.6254804),
    "A": np.exp(6.255414),
    "B": np.exp(7.3049974),
    "alpha": 0.3526596,
    "beta": 0.3526596,
}
PUBLISHED = (15.387756, 5.309743)


@pytest.fixture(scope="module")
def problem() -> Problem:
    return pose_problem(read_runs(RUNS), fix_constants(RepeatedLaw(), BASE), Objective("huber"))


@pytest.fixture(scope="module")
def profile(problem: Problem) -> Profile:
    spec = FitSpec(problem.objective, n_resamples=0)
    fit = fit_parametric(read_runs(RUNS), problem.law, spec)
    values = np.array([2, 4, 8, 12, *PUBLISHED[:1], 30, 60, 95.4, 150, 300, 1000, 1e4, 1e6])
    return profile_parameter(problem, fit.theta, "R_D_star", values)


def objective(problem: Problem, *theta: float) -> float:
    return float(problem.value(np.array([theta]), np.ones(problem.n_runs))[0])


def test_the_published_pair_has_the_published_objective(problem: Problem) -> None:
    assert problem.n_runs == 182
    assert objective(problem, *PUBLISHED) == pytest.approx(0.0158259, abs=5e-8)


def test_the_published_pair_is_not_the_optimum_of_its_own_objective(
    problem: Problem, profile: Profile
) -> None:
    assert objective(problem, 95.4, 1.71) == pytest.approx(0.0158047, abs=5e-8)
    assert profile.lowest <= objective(problem, 95.4, 1.71)
    assert profile.lowest == pytest.approx(0.0158047, abs=1e-7)
    assert profile.best == pytest.approx(95.4, rel=0.02)


def test_from_8_to_1000_the_objective_rises_by_one_percent(profile: Profile) -> None:
    span = (profile.values >= 8) & (profile.values <= 1000)
    assert profile.objective[span].max() / profile.lowest - 1 < 0.011


def test_the_runs_bound_the_decay_from_below_only(profile: Profile) -> None:
    interval = profile.interval(0.95)
    assert interval.low is not None
    assert interval.low < PUBLISHED[0]
    assert interval.high is None or interval.high > 1000
    assert "R_D_star" in profile.describe(0.95)


def test_closing_in_on_the_ends_says_so_too(problem: Problem, profile: Profile) -> None:
    theta = np.array([profile.best, 1.7])
    spec = FitSpec(problem.objective, n_resamples=0, level=0.95, interval="profile")
    fit = fit_parametric(read_runs(RUNS), problem.law, spec)
    found = profile_constants(problem, fit.theta, level=0.95)
    assert fit.theta == pytest.approx(theta, rel=0.01)
    assert fit.params["R_D_star"] == found["R_D_star"]
    assert show_ends(found["R_D_star"]).endswith(", no upper bound]")
    assert found["R_D_star"].low == pytest.approx(4.5, abs=0.1)
    assert (found["R_N_star"].low, found["R_N_star"].high) == pytest.approx((0.31, 24), rel=0.05)
    assert "constant-not-bounded" in {finding.code for finding in fit.findings}
