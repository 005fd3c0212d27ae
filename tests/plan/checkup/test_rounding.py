"""Rounded losses and rounded sizes, with the exponents measured before this was written."""

import numpy as np
import pytest
from faulty import TARGET, TRUE_A, codes, find, ladder, noisy, rows


def test_losses_of_two_decimals_are_a_harmless_note():
    N, D, L = ladder()
    found = find(rows(N, D, L.round(2)), "rounded-losses", flops=TARGET)
    assert found.severity == "note"
    assert found.shift is not None
    assert found.shift.corrected == pytest.approx(0.5123, abs=1e-4)
    assert found.shift.exponent == pytest.approx(found.shift.corrected, abs=2e-3)


def test_losses_of_one_decimal_are_a_warning():
    N, D, L = ladder()
    assert find(rows(N, D, noisy(L).round(1)), "rounded-losses").severity == "warning"
    assert "rounded-losses" not in codes(rows(N, D, L.round(4)))


def one_digit(N):
    unit = 10 ** np.floor(np.log10(N))
    return np.round(N / unit) * unit


def test_sizes_of_one_digit_are_found_with_their_price():
    N, D, L = ladder()
    found = find(rows(one_digit(N), D, L, flops=6 * N * D), "rounded-params", flops=TARGET)
    assert found.shift is not None
    assert found.shift.exponent == pytest.approx(0.5232, abs=1e-4)
    assert found.shift.corrected == pytest.approx(TRUE_A, abs=1e-6)  # flops still tell N
    assert found.severity == "warning"


def test_the_price_is_estimated_where_flops_do_not_tell():
    N, D, L = ladder()
    found = find(rows(one_digit(N), D, L, flops=None), "rounded-params", flops=TARGET)
    assert found.shift is not None
    assert 0.002 < abs(found.shift.exponent - found.shift.corrected) < 0.04
    assert "rounded-params" not in codes(rows(N, D, L))
