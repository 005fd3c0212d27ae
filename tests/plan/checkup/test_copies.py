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


def test_repeats_without_a_seed_are_no_copies_but_copies_among_them_are():
    N, D, L = ladder()
    silent = 0
    for seed in range(20):
        first, second = rows(N, D, noisy(L, seed=2 * seed)), rows(N, D, noisy(L, seed=2 * seed + 1))
        silent += "near-duplicate-runs" not in codes(first + second)
    assert silent >= 19
    again = [{**row, "loss": row["loss"] * 1.00001} for row in first[:30]]
    assert set(find(first + second + again, "near-duplicate-runs").rows) >= set(range(127, 157))


@pytest.mark.parametrize(("noise", "size"), [("even", 4e-4), ("student", 1e-3)])
def test_repeats_of_a_noise_not_far_above_the_bar_are_no_copies(noise: str, size: float):
    N, D, L = ladder()
    silent = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        draws = (
            rng.standard_normal((2, 63)) if noise == "even" else rng.standard_t(3, (2, 63)) / 3**0.5
        )
        first, second = (rows(N, D, L * np.exp(size * draw)) for draw in draws)
        silent += "near-duplicate-runs" not in codes(first + second)
    assert silent >= 19


@pytest.mark.parametrize(
    ("column", "values"), [("steps", (1000.0, 1400.0)), ("decay", ("0.1", "0.3")), ("bs", (1, 2))]
)
def test_whatever_was_set_tells_runs_apart(column: str, values: tuple):
    N, D, L = ladder()
    table = [{**row, column: values[0]} for row in rows(N, D, noisy(L))]
    again = [{**row, "loss": row["loss"] * 1.00005, column: values[1]} for row in table[:5]]
    assert "near-duplicate-runs" not in codes(table + again)
    same = [{**row, "loss": row["loss"] * 1.00005, "run": "again"} for row in table[:5]]
    assert "near-duplicate-runs" in codes(table + same)


def test_a_seed_of_its_own_in_every_row_tells_runs_apart_and_a_rounded_warm_up_does_not():
    N, D, L = ladder()
    L = noisy(L).round(2)
    table = rows(N, D, L, seed=1000 + np.arange(63.0)) + rows(N, D, L, seed=2000 + np.arange(63.0))
    assert not codes(table) & {"duplicate-runs", "near-duplicate-runs"}
    table = rows(N, D, noisy(L), warmup_tokens=0.01 * D)
    again = [{**row, "loss": row["loss"] * 1.00005, "n_tokens": row["n_tokens"] * 1.001,
              "warmup_tokens": row["warmup_tokens"] * 1.001} for row in table[:5]]  # fmt: skip
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
