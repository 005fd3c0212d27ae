"""Runs logged twice."""

import numpy as np
import pytest
from faulty import codes, find, ladder, noisy, rows


def test_exact_copies_are_found_with_what_they_do_to_intervals():
    N, D, L = ladder()
    table = rows(N, D, noisy(L))
    found = find(table + table[:21], "duplicate-runs")
    assert found.rows == tuple(range(64, 85))
    assert found.numbers["too_narrow"] == pytest.approx(1 - np.sqrt(63 / 84))
    assert found.shift is not None
    clean = find(table, "noise-unknown")  # the surface of the table without copies
    assert clean.code == "noise-unknown"
    assert found.shift.corrected != found.shift.exponent


def test_a_run_logged_with_other_digits_is_nearly_a_copy():
    N, D, L = ladder()
    table = rows(N, D, noisy(L))
    again = [{**row, "loss": row["loss"] * 1.00005, "n_tokens": row["n_tokens"] * 1.001}
             for row in table[:5]]  # fmt: skip
    assert find(table + again, "near-duplicate-runs").rows == (64, 65, 66, 67, 68)


def test_seeds_are_no_copies():
    N, D, L = ladder()
    L = noisy(L)
    first, second = rows(N, D, L, seed=np.zeros(63)), rows(N, D, noisy(L, seed=1), seed=np.ones(63))
    assert not codes(first + second) & {"duplicate-runs", "near-duplicate-runs", "noise-unknown"}


def test_a_table_without_repeats_has_unknown_noise():
    N, D, L = ladder()
    found = find(rows(N, D, noisy(L)), "noise-unknown")
    assert found.severity == "note"
    assert "residuals of 0.47 %" in found.consequence  # .5 % planted
