"""A number and its interval: how it prints, how it is stored, where its ends come from."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from isoflop.base.estimate import Estimate, interval_from_draws, shorten


@pytest.mark.parametrize(
    ("estimate", "printed"),
    [
        (Estimate(0.51234, 0.48, 0.55), "0.512 [0.480, 0.550]"),
        (Estimate(0.513899, 0.513891, 0.513907), "0.5138990 [0.5138910, 0.5139070]"),
        (Estimate(2143.4, 1230.5, 5075.3), "2143 [1230, 5075]"),
        (Estimate(7.2e10, 6.1e10, 8.4e10), "7.2e10 [6.1e10, 8.4e10]"),
        (Estimate(-0.25, -0.3, -0.2), "-0.250 [-0.300, -0.200]"),
        (Estimate(1.69), "1.69"),
        (Estimate(84934656.0), "8.49e7"),
        (Estimate(0.0), "0"),
    ],
)
def test_an_estimate_prints_two_digits_of_its_uncertainty(estimate: Estimate, printed: str) -> None:
    assert str(estimate) == printed


@given(st.floats(1e-30, 1e30), st.integers(1, 12))
def test_a_shortened_number_is_within_half_a_unit_of_its_last_digit(
    value: float, digits: int
) -> None:
    assert float(shorten(value, digits=digits)) == pytest.approx(
        value, rel=0.5001 * 10 ** (1 - digits)
    )


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(0, 1e300), st.floats(0.01, 0.99))
def test_an_estimate_survives_its_json_object(value: float, width: float, level: float) -> None:
    low = value - width if math.isfinite(value - width) else None
    estimate = Estimate(value, low, value, level)
    assert Estimate(**estimate.to_dict()) == estimate


def test_what_has_no_value_is_null_in_json() -> None:
    document = Estimate(math.nan, -math.inf, 1.0).to_dict()
    assert document == {"value": None, "low": None, "high": 1.0, "level": 0.9}


def test_the_interval_of_normal_draws_is_the_normal_interval() -> None:
    draws = 3.0 + 2.0 * np.random.default_rng(0).standard_normal(400_000)
    found = interval_from_draws(3.0, draws, level=0.9)
    reach = 2.0 * norm.ppf(0.95)
    assert [found.low, found.high] == pytest.approx([3.0 - reach, 3.0 + reach], abs=0.02)


@pytest.mark.parametrize(("stretch", "ends"), [(1.0, (1.0, 5.0)), (2.0, (0.0, 8.0))])
def test_stretching_moves_the_ends_away_from_the_value(
    stretch: float, ends: tuple[float, float]
) -> None:
    draws = np.array([1.0, 3.0, 5.0])
    found = interval_from_draws(2.0, draws, level=1.0, stretch=stretch)
    assert (found.low, found.high) == ends


def test_stretching_in_log_space_keeps_amounts_positive() -> None:
    draws = np.exp(np.random.default_rng(0).normal(0.0, 2.0, 10_000))
    found = interval_from_draws(1.0, draws, level=0.9, stretch=3.0, log=True)
    assert found.low is not None
    assert found.high is not None
    reach = 3.0 * 2.0 * norm.ppf(0.95)
    assert np.log([found.low, found.high]) == pytest.approx([-reach, reach], abs=0.3)


def test_draws_that_are_not_numbers_are_left_out() -> None:
    draws = np.array([1.0, np.nan, 2.0, np.inf, 3.0])
    assert interval_from_draws(2.0, draws, level=0.5) == Estimate(2.0, 1.5, 2.5, 0.5)


def test_without_two_draws_there_is_no_interval() -> None:
    for draws in (np.empty(0), np.array([1.0]), np.full(5, np.nan)):
        assert interval_from_draws(2.0, draws) == Estimate(2.0)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30), st.floats(-1e6, 1e6))
def test_the_value_always_lies_in_its_interval(draws: list[float], value: float) -> None:
    found = interval_from_draws(value, np.array(draws), stretch=1.3)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= value <= found.high
