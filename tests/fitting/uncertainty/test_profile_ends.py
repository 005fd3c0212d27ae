"""Profile intervals of a fit, against exact intervals of linear models and planted constants."""

import json

import numpy as np
import pytest
from planted import SURFACES, isoflop_design, make_table, table_of
from scipy.stats import linregress, t

import isoflop
from isoflop.base.estimate import Estimate
from isoflop.fitting.fit import Fit
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec
from isoflop.fitting.saved import read_fit, write_fit
from isoflop.fitting.uncertainty.profile_ends import judge_profiles, show_ends
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.formula.formula import FormulaLaw
from isoflop.laws.held_exponent import HeldExponentLaw, has_exponent
from isoflop.laws.power import PowerLaw

SQUARES = FitSpec(Objective("squared"), n_resamples=0, n_starts=8, level=0.95)


def profiled(table, law, spec=SQUARES) -> Fit:  # type: ignore[no-untyped-def]
    fit = isoflop.fit(table, law, spec=spec, interval="profile")
    assert isinstance(fit, Fit)
    return fit


def test_power_laws_have_students_intervals_of_log_log_regression() -> None:
    C = np.geomspace(1e17, 1e22, 25)
    loss = 60 * C**-0.07 * np.exp(0.01 * np.random.default_rng(0).standard_normal(25))
    fit = profiled(table_of(flops=C, loss=loss), PowerLaw("flops"))
    line = linregress(np.log(C), np.log(loss))
    half = t.ppf(0.975, 23) * line.stderr
    alpha = fit.params["alpha"]
    assert (alpha.low, alpha.high) == pytest.approx((-line.slope - half, -line.slope + half), 1e-6)
    assert alpha.level == 0.95


@pytest.mark.parametrize(("noise", "is_open"), [(0.02, False), (0.2, False), (1.0, True)])
def test_the_root_of_a_line_has_fiellers_interval_open_where_fiellers_is(
    noise: float, is_open: bool
) -> None:
    # y = k(x - x0): F(1, n - 2) of x0 is Fieller's theorem, exact; x0 is open to one side or both
    # where the slope is not surely of one sign.
    x = np.linspace(1.0, 3.0, 12)
    y = 12.0 + 0.3 * (x - 2.0) + noise * np.random.default_rng(3).standard_normal(12)
    law = FormulaLaw.parse("k*(x - x0)", columns=["x"], params=["k=any", "x0=-1e4..1e4"])
    spec = FitSpec(Objective("squared", scale="linear"), n_resamples=0, level=0.9)
    fit = profiled(table_of(x=x, loss=y), law, spec)
    found = fit.params["x0"]
    # Those x0 with (ȳ + b(x0 - x̄))² ≤ t²·s²·(1/n + (x0 - x̄)²/Sxx).
    line = linregress(x, y)
    s2 = np.sum((y - line.intercept - line.slope * x) ** 2) / 10
    q = t.ppf(0.95, 10) ** 2 * s2
    sxx = np.sum((x - x.mean()) ** 2)
    roots = np.roots([line.slope**2 - q / sxx, 2 * line.slope * y.mean(), y.mean() ** 2 - q / 12])
    assert found.value == pytest.approx(-line.intercept / line.slope, rel=1e-5)
    ends = np.sort(roots.real) + x.mean()
    assert is_open == (line.slope**2 <= q / sxx)
    if not is_open:
        assert (found.low, found.high) == pytest.approx(tuple(ends), rel=1e-3)
    else:  # all but what lies between the roots; the interval is the part that holds the best
        above = found.value > x.mean()
        expected = (
            (pytest.approx(ends[1], rel=1e-3), None)
            if above
            else (None, pytest.approx(ends[0], rel=1e-3))
        )
        assert (found.low, found.high) == expected
        codes = {finding.code for finding in fit.findings}
        assert "constant-not-bounded" in codes


def test_the_optimums_exponent_is_profiled_as_a_constant_of_the_same_surface_is() -> None:
    theta = SURFACES["epoch"]
    table = make_table(theta, *isoflop_design(theta, points=9), noise=0.005, seed=1)
    fit = profiled(table, "chinchilla")
    a, b = fit.derived["a"], fit.derived["b"]
    # The same surface, written with a in place of alpha.
    text = "E + A/n_params**(beta*(1 - a)/a) + B/n_tokens**beta"
    law = FormulaLaw.parse(text, columns=table.columns, params=["a=0.05..0.95", "beta=0.05..2"])
    other = profiled(table, law).params["a"]
    assert a.value == pytest.approx(other.value, rel=1e-6)
    assert (a.low, a.high) == pytest.approx((other.low, other.high), rel=1e-4)
    assert (b.low, b.high) == pytest.approx((1 - a.high, 1 - a.low), rel=1e-12)  # type: ignore[operator]


@pytest.mark.study
def test_planted_exponents_are_inside_nine_times_in_ten() -> None:
    theta, held = SURFACES["epoch"], 0
    spec = FitSpec(Objective("squared"), n_resamples=0, n_starts=2, level=0.9)
    for seed in range(40):
        table = make_table(theta, *isoflop_design(theta, points=7), noise=0.005, seed=seed)
        a = profiled(table, "chinchilla", spec).derived["a"]
        assert a.low is not None
        assert a.high is not None
        held += a.low <= theta[4] / (theta[3] + theta[4]) <= a.high
    assert 29 <= held <= 40  # of a true 90 %, two in a thousand below 30


def test_an_open_end_is_said_found_and_null_in_json(tmp_path) -> None:  # type: ignore[no-untyped-def]
    C = np.geomspace(1e17, 1e19, 15)  # E makes up a thousandth of what is measured
    loss = (0.01 + 60 * C**-0.07) * np.exp(0.01 * np.random.default_rng(1).standard_normal(15))
    table = table_of(flops=C, loss=loss)
    fit = isoflop.fit(table, "power-constant", over="flops", spec=SQUARES, interval="profile")
    assert isinstance(fit, Fit)
    E = fit.params["E"]
    assert E.low is None
    assert E.high is not None
    row = next(line for line in str(fit).splitlines() if line.startswith("  E "))
    assert "[no lower bound, " in row
    assert "intervals: profile" in str(fit)
    finding = next(f for f in fit.findings if f.code == "constant-not-bounded")
    assert "E anywhere from" in finding.evidence
    document = json.loads(json.dumps(fit.to_dict()))
    assert document["params"]["E"]["low"] is None
    assert document["profiles"]["E"]["high"] == E.high
    again = read_fit(write_fit(fit, tmp_path / "law.json"))
    assert isinstance(again, Fit)
    assert again.params == fit.params


def test_bounded_constants_and_even_noise_raise_nothing() -> None:
    theta = SURFACES["epoch"]
    table = make_table(theta, *isoflop_design(theta), noise=0.003, seed=4)
    fit = profiled(table, "chinchilla")
    codes = {finding.code for finding in fit.findings}
    assert not codes & {"constant-not-bounded", "profile-takes-noise-even"}
    assert all(e.low is not None and e.high is not None for e in fit.params.values())


def test_noise_that_runs_share_is_held_against_a_profile() -> None:
    theta = SURFACES["epoch"]
    N = np.repeat(np.geomspace(5e7, 1e10, 9), 7)
    D = N * np.tile(np.geomspace(2.5, 160.0, 7), 9)
    E, A, B, alpha, beta = theta
    shared = np.repeat(0.01 * np.random.default_rng(0).standard_normal(9), 7)
    loss = (E + A * N**-alpha + B * D**-beta) * np.exp(shared)
    loss = loss * np.exp(0.001 * np.random.default_rng(1).standard_normal(63))
    fit = profiled(table_of(n_params=N, n_tokens=D, loss=loss), "chinchilla")
    finding = next(f for f in fit.findings if f.code == "profile-takes-noise-even")
    assert "ICC" in finding.evidence


def test_the_other_intervals_have_no_profiles() -> None:
    theta = SURFACES["epoch"]
    table = make_table(theta, *isoflop_design(theta, points=7), noise=0.003)
    fit = isoflop.fit(table, "chinchilla", spec=SQUARES)
    assert isinstance(fit, Fit)
    assert fit.profiles == {}


def test_ends_are_written_out() -> None:
    assert show_ends(Estimate(95.4, 4.7, None)) == "95.4 [4.70, no upper bound]"
    assert show_ends(Estimate(95.4)) == "95.4 [no lower bound, no upper bound]"
    assert show_ends(Estimate(0.5, 0.4, 0.6)) == str(Estimate(0.5, 0.4, 0.6))
    free = judge_profiles(ChinchillaLaw(), {"alpha": Estimate(0.3)})[0]
    assert "alpha anywhere from" in free.evidence


def test_a_held_exponent_leaves_the_surface_and_its_gradient() -> None:
    theta = np.array([1.8, 480.0, 2085.0, 0.35, 0.37])
    law, a = ChinchillaLaw(), 0.37 / 0.72
    assert has_exponent(law, theta)
    held, rest = HeldExponentLaw(law, a), np.delete(theta, 3)
    runs = {"n_params": np.geomspace(1e7, 1e10, 5), "n_tokens": np.geomspace(1e9, 1e11, 5)}
    np.testing.assert_allclose(held.predict(rest, runs), law.predict(theta, runs), rtol=1e-12)
    for k in range(4):
        step = np.zeros(4, dtype=complex)
        step[k] = 1e-30j
        slope = held.predict(rest + step, runs).imag / 1e-30
        np.testing.assert_allclose(held.gradient(rest, runs)[:, k], slope, rtol=1e-10)
