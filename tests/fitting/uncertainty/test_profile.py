"""Profiles against the t interval of linear regression, and against a constant left free."""

import numpy as np
import pytest
from planted import SURFACES, isoflop_design, make_table, table_of
from scipy.stats import linregress, t

from isoflop.base.errors import UnknownNameError
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric, pose_problem
from isoflop.fitting.uncertainty.profile import Profile, profile_parameter
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.power import PowerConstantLaw, PowerLaw


def power_profile(kind: str = "squared", seed: int = 0) -> tuple[Profile, np.ndarray, np.ndarray]:
    C = np.geomspace(1e17, 1e22, 25)
    loss = 60 * C**-0.07 * np.exp(0.01 * np.random.default_rng(seed).standard_normal(25))
    table, law = table_of(flops=C, loss=loss), PowerLaw("flops")
    fit = fit_parametric(table, law, FitSpec(Objective(kind), n_resamples=0, n_starts=4))  # type: ignore[arg-type]
    alpha = float(fit.theta[1])
    values = np.geomspace(0.9 * alpha, 1.1 * alpha, 13)
    problem = pose_problem(table, law, fit.objective)
    return profile_parameter(problem, fit.theta, "alpha", values), C, loss


def test_the_interval_of_a_slope_is_students() -> None:
    profile, C, loss = power_profile()
    line = linregress(np.log(C), np.log(loss))
    half = t.ppf(0.95, 23) * line.stderr
    found = profile.interval(0.9)
    assert found.value == pytest.approx(-line.slope, rel=1e-8)
    assert found.low == pytest.approx(-line.slope - half, rel=1e-3)
    assert found.high == pytest.approx(-line.slope + half, rel=1e-3)
    assert profile.freedom == 23
    assert profile.unit == pytest.approx(
        np.sum((np.log(loss) - line.intercept - line.slope * np.log(C)) ** 2) / 23 / 2, rel=1e-6
    )


@pytest.mark.parametrize("kind", ["huber", "robust"])
def test_robust_losses_have_intervals_of_the_same_size(kind: str) -> None:
    widths = {"squared": [], kind: []}
    for seed in range(8):
        for loss, found in widths.items():
            interval = power_profile(loss, seed)[0].interval(0.9)
            assert interval.half_width is not None
            found.append(interval.half_width)
    # Huber's 1e-3 is absolute deviations: sqrt(pi/2) = 1.25 times least squares' error.
    expected = {"huber": 1.25, "robust": 1.03}[kind]
    assert np.mean(widths[kind]) / np.mean(widths["squared"]) == pytest.approx(expected, rel=0.15)


def test_a_planted_exponent_is_inside_nine_times_in_ten() -> None:
    held = 0
    for seed in range(50):
        found = power_profile("squared", seed)[0].interval(0.9)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.07 <= found.high
    assert 38 <= held <= 50  # of a true 90 %, one in a thousand below 38


def test_a_constant_beyond_the_runs_is_bounded_on_one_side() -> None:
    C = np.geomspace(1e17, 1e19, 15)  # E makes up a thousandth of what is measured
    loss = (0.01 + 60 * C**-0.07) * np.exp(0.01 * np.random.default_rng(1).standard_normal(15))
    table, law = table_of(flops=C, loss=loss), PowerConstantLaw("flops")
    fit = fit_parametric(table, law, FitSpec(Objective("squared"), n_resamples=0))
    problem = pose_problem(table, law, fit.objective)
    profile = profile_parameter(problem, fit.theta, "E", np.linspace(0, loss.min() * 0.999, 16))
    found = profile.interval(0.9)
    assert found.low is None
    assert found.high is not None
    assert "bounded on one side only" in profile.describe()


def test_a_profile_touches_the_optimum_and_never_falls_below() -> None:
    theta = SURFACES["epoch"]
    table = make_table(theta, *isoflop_design(theta, points=9), noise=0.005, seed=2)
    fit = fit_parametric(table, ChinchillaLaw(), FitSpec(Objective("squared"), n_resamples=0))
    problem = pose_problem(table, fit.law, fit.objective)
    around = fit.theta[3] * np.array([0.9, 0.95, 1.0, 1.05, 1.1])
    profile = profile_parameter(problem, fit.theta, "alpha", around)
    assert profile.objective.min() >= fit.objective_value * (1 - 1e-12)
    assert profile.objective[2] == pytest.approx(fit.objective_value, rel=1e-9)
    assert np.argmin(profile.objective) == 2
    assert np.isfinite(profile.others).all()


def test_nothing_ruled_out_is_said_to_be_not_identified() -> None:
    flat = Profile("x", 2.0, 1.0, np.array([1.0, 3.0]), np.ones(2), np.ones((2, 1)), 0.1, 9, True)
    assert flat.interval().low is None
    assert flat.interval().high is None
    assert "not identified" in flat.describe()


def test_a_constant_the_law_has_not_is_refused() -> None:
    C = np.geomspace(1e17, 1e19, 5)
    problem = pose_problem(table_of(flops=C, loss=C**-0.1), PowerLaw("flops"), Objective())
    with pytest.raises(UnknownNameError, match="gamma"):
        profile_parameter(problem, np.array([1.0, 0.1]), "gamma", [1.0])
