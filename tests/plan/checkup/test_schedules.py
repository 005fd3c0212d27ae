"""Schedules, warm-ups and windows, with the exponents measured before this was written."""

import numpy as np
import pytest
from faulty import EPOCH, TARGET, TRUE_A, codes, find, ladder, rows

from benchmarks._planted import chinchilla


def test_checkpoints_of_one_long_cosine_are_found_with_their_price():
    N, D, L = ladder()
    horizon = np.full(len(D), D.max())
    table = rows(N, D, L + 0.03 * (1 - D / horizon), schedule="cosine", schedule_tokens=horizon)
    found = find(table, "unfinished-schedule", flops=TARGET)
    assert found.shift is not None
    assert found.shift.exponent == pytest.approx(0.5067, abs=1e-4)
    assert found.shift.ratio == pytest.approx(1 - 0.065, abs=1e-3)
    assert found.shift.corrected == pytest.approx(TRUE_A, abs=2e-4)
    assert found.numbers["n_early"] == len(D) - 1
    assert found.rows == tuple(int(k) + 1 for k in np.flatnonzero(D.max() > D))


def test_finished_schedules_and_constant_rates_raise_nothing():
    N, D, L = ladder()
    assert "unfinished-schedule" not in codes(rows(N, D, L, schedule_tokens=D))
    constant = rows(N, D, L, schedule="constant", schedule_tokens=np.full(len(D), D.max()))
    assert "unfinished-schedule" not in codes(constant)


def test_rows_marked_unfinished_are_counted():
    N, D, L = ladder()
    status = ["running" if k == len(N) - 1 else "finished" for k in range(len(N))]
    found = find(rows(N, D, L, status=status), "unfinished-runs")
    assert found.rows == (len(N),)


def test_a_long_warm_up_is_found_with_its_price():
    N, D, _ = ladder()
    L = chinchilla(EPOCH, N, np.maximum(D - 2e8, 0.05 * D))  # 400M tokens, half of them wasted
    found = find(rows(N, D, L, warmup_tokens=np.full(len(D), 4e8)), "warm-up-share", flops=TARGET)
    assert found.shift is not None
    assert found.shift.exponent == pytest.approx(0.693, abs=1e-3)
    assert found.shift.ratio == pytest.approx(1 + 3.32, abs=0.01)
    assert found.shift.waste == pytest.approx(0.52, abs=0.01)
    assert found.shift.corrected == pytest.approx(TRUE_A, abs=1e-6)


def test_a_warm_up_recorded_in_steps_is_the_same_finding():
    N, D, _ = ladder()
    L = chinchilla(EPOCH, N, np.maximum(D - 2e8, 0.05 * D))
    table = rows(N, D, L, steps=D / 1e5, warmup_steps=np.full(len(D), 4e8 / 1e5))
    found = find(table, "warm-up-share", flops=TARGET)
    assert found.shift is not None
    assert found.shift.exponent == pytest.approx(0.693, abs=1e-3)
    # Without the steps of the run the share is unknown.
    assert "warm-up-share" not in codes(rows(N, D, L, warmup_steps=np.full(len(D), 4e3)))


def test_a_warm_up_of_two_per_cent_raises_nothing():
    N, D, L = ladder()
    assert "warm-up-share" not in codes(rows(N, D, L, warmup_tokens=0.02 * D))


def test_a_window_of_fixed_tokens_is_found_with_its_price():
    N, D, L = ladder()
    W = np.minimum(1e8, 0.9 * D)
    _, _, B, _, beta = EPOCH
    t = np.linspace(0.0, 1.0, 4001)[:, None]
    averaged = np.trapezoid(
        B * (D - W * t) ** -beta, t, axis=0
    )  # by quadrature, not in closed form
    table = rows(N, D, L + averaged - B * D**-beta, averaged_tokens=np.full(len(D), 1e8))
    found = find(table, "fixed-token-window", flops=TARGET)
    assert found.shift is not None
    assert found.shift.exponent == pytest.approx(0.571, abs=1e-3)
    assert found.shift.ratio == pytest.approx(1.54, abs=0.01)
    assert found.shift.waste == pytest.approx(0.065, abs=2e-3)
    assert found.shift.corrected == pytest.approx(TRUE_A, abs=1e-4)


def test_a_window_of_a_fixed_share_raises_nothing():
    N, D, L = ladder()
    assert "fixed-token-window" not in codes(rows(N, D, L, averaged_tokens=0.05 * D))
