"""Attention left out of the FLOPs, and two conventions in one table."""

import numpy as np
import pytest
from faulty import TRUE_A, codes, find, ladder, noisy, rows

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.flops import flops_per_token


def test_attention_left_out_is_found_by_the_counters_own_share():
    D = np.geomspace(1e8, 1e10, 9)
    shapes = [Architecture(n_layer=4 + 2 * k, d_model=128 * (k + 1), n_ctx=2048) for k in range(9)]
    counts = [flops_per_token(shape) for shape in shapes]
    N = np.array([c.kaplan / 6 for c in counts])
    shape = {
        "n_layer": [float(s.n_layer) for s in shapes],
        "d_model": [float(s.d_model) for s in shapes],
        "n_ctx": [2048.0] * 9,
    }
    L = 2 + 400 * N**-0.34 + 2000 * D**-0.37
    found = find(rows(N, D, L, flops=6 * N * D, **shape), "attention-flops-dropped")
    causal = counts[0].kaplan_attention
    assert found.numbers["missing_smallest"] == pytest.approx(
        1 - counts[0].kaplan / causal, rel=0.01
    )
    exact = np.array([c.kaplan_attention for c in counts]) * D
    assert "attention-flops-dropped" not in codes(rows(N, D, L, flops=exact, **shape))


def test_flops_of_two_conventions_are_an_error_with_the_odd_rows():
    N, D, L = ladder()
    flops = 6 * N * D
    flops[::4] /= 3  # forward only
    found = find(rows(N, D, L, flops=flops), "mixed-conventions")
    assert found.severity == "error"
    assert found.rows == tuple(range(1, len(N) + 1, 4))
    assert "0.33" in found.evidence


def test_sizes_of_two_conventions_are_found_with_what_they_do():
    N, D, L = ladder()
    inner = N - 0.3 * N * (N / N.min()) ** -0.1
    counted = np.where(np.arange(len(N)) % 5 == 0, inner, N)
    found = find(rows(counted, D, L, n_params_non_embedding=inner, flops=None), "mixed-conventions")
    assert found.rows == tuple(range(1, len(N) + 1, 5))
    assert found.shift is not None
    assert found.shift.corrected == pytest.approx(0.5126, abs=1e-4)
    assert abs(found.shift.exponent - 0.5126) > 1e-3


def test_a_count_that_changes_smoothly_with_size_is_one_convention():
    N, D, L = ladder()
    assert "mixed-conventions" not in codes(rows(N, D, L, flops=6 * (N + 3e3 * N**0.5) * D))


@pytest.mark.parametrize(("share", "every"), [(0.6, 3), (0.75, 6)])
def test_sizes_counted_in_two_ways_are_not_blamed_on_flops(share, every):
    N, D, L = ladder()
    odd = np.arange(len(N)) % every == 0
    table = rows(np.where(odd, share * N, N), D, noisy(L), flops=6 * N * D)
    found = find(table, "mixed-conventions")
    assert found.evidence.startswith("`n_params` is about ")
    assert found.rows == tuple((np.flatnonzero(odd) + 1).tolist())
    assert found.shift is not None
    assert found.shift.corrected == pytest.approx(TRUE_A, abs=0.02)
    blamed = find(rows(N, D, noisy(L), flops=np.where(odd, 8, 6) * N * D), "mixed-conventions")
    assert blamed.evidence.startswith("`flops` is about 1.3 ")


def test_rounded_sizes_are_no_second_convention():
    N, D, L = ladder()
    short = np.array([float(f"{n:.0e}") for n in N])
    found = codes(rows(short, D, noisy(L), flops=6 * N * D))
    assert "rounded-params" in found
    assert not found & {"mixed-conventions", "flops-not-6nd"}


@pytest.mark.parametrize("by_budget", [False, True])
def test_embeddings_in_some_rows_alone_are_found_by_their_flops(by_budget: bool):
    N, D, L = ladder()
    width = (np.sqrt(32000**2 + 4 * 72 * N) - 32000) / 144  # six layers: N = 72 d² + 32000 d
    inner = 72 * width**2
    without = np.isin(np.arange(63) // 9, (0, 1, 2)) if by_budget else np.arange(63) % 4 == 0
    written = np.where(without, inner, N)
    table = rows(written, D, noisy(L, 0.002), flops=6 * N * D)
    found = find(table, "mixed-conventions")
    assert found.evidence.startswith("`n_params` is about 0.")
    assert set(found.rows) <= {int(k) + 1 for k in np.flatnonzero(without)}
    assert found.shift is not None
    assert abs(found.shift.corrected - TRUE_A) < 0.01 < abs(found.shift.exponent - TRUE_A)
    assert "flops-not-6nd" not in codes(table)
    assert "mixed-conventions" not in codes(rows(inner, D, noisy(L), flops=6 * N * D))


@pytest.mark.parametrize("seed", [18, 20, 27])
def test_flops_with_digits_lost_are_one_convention(seed: int):
    N, D, L = ladder()
    read_off = 6 * N * D * np.exp(0.03 * np.random.default_rng(seed).standard_normal(63))
    assert "mixed-conventions" not in codes(rows(N, D, noisy(L), flops=read_off))
