"""Units that slipped are named, and the rest is told as if they had not."""

import numpy as np
import pytest
from faulty import TRUE_A, codes, find, ladder, noisy, rows


def test_half_of_the_tokens_in_millions_are_named_and_priced():
    N, D, L = ladder()
    half = np.arange(len(N)) % 2 == 0
    table = rows(N, np.where(half, D / 1e6, D), L, flops=6 * N * D)
    found = find(table, "units-unlikely")
    assert found.severity == "error"
    assert found.rows == tuple(range(1, len(N) + 1, 2))
    assert found.shift is not None
    assert found.shift.corrected == pytest.approx(TRUE_A, abs=1e-4)
    assert abs(found.shift.exponent - TRUE_A) > 0.05
    assert not codes(table) & {"flops-disagree", "mixed-conventions", "surface-does-not-fit"}


@pytest.mark.parametrize("unit", [1e6])
def test_all_tokens_in_another_unit_are_a_warning(unit):
    N, D, L = ladder()
    assert find(rows(N, D / unit, L, flops=6 * N * D), "units-unlikely").severity == "warning"
    found = find(rows(N, D / unit, L, flops=None), "units-unlikely")
    assert found.shift is None


@pytest.mark.parametrize("kind", ["every other", "one budget", "two thirds"])
def test_bits_among_nats_are_named_without_a_label(kind):
    N, D, L = ladder()
    k = np.arange(len(N))
    bits = {"every other": k % 2 == 0, "one budget": k < 9, "two thirds": k % 3 > 0}[kind]
    for labels in ({}, {"loss_unit": "nats/token"}):
        table = rows(N, D, noisy(np.where(bits, L / np.log(2), L)), **labels)
        found = find(table, "mixed-loss-units")
        assert found.severity == "error"
        assert found.rows == tuple((np.flatnonzero(bits) + 1).tolist())
        assert "multiply these losses by log 2" in found.remedy


def test_other_gaps_are_not_taken_for_bits():
    N, D, L = ladder()
    k = np.arange(len(N))
    for factor, which in ((1.2, k % 2 == 0), (1.7, k % 2 == 0), (1.44, k == 5), (1.0, k < 0)):
        assert "mixed-loss-units" not in codes(rows(N, D, noisy(np.where(which, factor, 1) * L)))
