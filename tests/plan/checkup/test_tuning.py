"""Learning rates without a bracket, and the trend that untuned scales leave in the residuals."""

import numpy as np
import pytest
from faulty import EPOCH, TARGET, codes, find, ladder, noisy, rows

from benchmarks._planted import chinchilla


@pytest.mark.parametrize(
    ("penalty", "a", "ratio", "rms"), [(0.002, 0.5029, 0.89, 7e-4), (0.01, 0.464, 0.56, 3.6e-3)]
)
def test_an_untuned_scale_is_seen_in_the_trend_of_small_residuals(penalty, a, ratio, rms):
    N, D, L = ladder()
    untuned = L * np.exp(penalty * np.log10(N / 2e7) ** 2)
    found = find(rows(N, D, untuned), "residual-trend", flops=TARGET)
    assert found.shift is not None
    assert found.shift.exponent == pytest.approx(a, abs=5e-4)
    assert found.numbers["rms"] == pytest.approx(rms, rel=0.2)  # invisible in R²
    # what the plan would be: N* 11 and 44 % too small
    _, A, B, alpha, beta = EPOCH
    true_n = (alpha * A / (beta * B)) ** (1 / (alpha + beta)) * (TARGET / 6) ** (
        beta / (alpha + beta)
    )
    assert found.shift.n_params / true_n == pytest.approx(ratio, abs=0.006)
    assert found.numbers["per_squared_decade"] == pytest.approx(penalty, rel=0.35)
    assert abs(found.shift.corrected - 0.5126) < 0.15 * abs(a - 0.5126)


def test_the_trend_is_found_in_noise_where_it_is_large():
    N, D, L = ladder()
    untuned = noisy(L * np.exp(0.02 * np.log10(N / 2e7) ** 2), 0.002)
    assert "residual-trend" in codes(rows(N, D, untuned))
    assert "residual-trend" not in codes(rows(N, D, noisy(L, 0.002)))


def sweep(edge: bool, only: int | None = None):
    """The ladder, and at three sizes five learning rates whose best is inside or at the edge.

    `only` names the one size whose best is at the edge.
    """
    N, D, _ = ladder()
    lr, k = np.full(len(N), 1e-3), np.array([5, 30, 57])
    rates = 1e-3 * 2.0 ** np.array([-4, -3, -2, -1] if edge else [-2, -1, 1, 2])
    N, D = np.append(N, np.repeat(N[k], 4)), np.append(D, np.repeat(D[k], 4))
    lr = np.append(lr, np.tile(rates, 3))
    best = 4e-3 if edge else 1e-3
    if only is not None:
        best = np.where((N[k[only]] == N) & (D[k[only]] == D), 4e-3, 1e-3)
        lr = np.where((np.arange(len(N)) >= 63) & (best == 4e-3), lr / 4, lr)
    loss = chinchilla(EPOCH, N, D) * np.exp(0.01 * np.log2(lr / best) ** 2)
    return rows(N, D, loss, lr=lr)


def test_sweeps_whose_best_is_at_the_edge_are_found():
    found = find(sweep(edge=True), "lr-not-bracketed")
    assert found.severity == "warning"
    assert found.numbers == {"n_edges": 3.0, "n_sweeps": 3.0}
    assert "4" in found.consequence  # per cent of the loss, .01·2²


def test_bracketed_sweeps_raise_nothing_and_leave_their_best_to_the_fit():
    assert "lr-not-bracketed" not in codes(sweep(edge=False))
    assert "undertuned-runs" not in codes(sweep(edge=False))


def test_a_bracketed_sweep_says_that_its_size_has_nothing_to_gain():
    found = find(sweep(edge=False, only=0), "lr-not-bracketed")
    assert found.numbers == {"n_edges": 1.0, "n_sweeps": 3.0}
    assert found.shift is not None
    # The smallest size alone is undertuned: small models look worse than they are, so that a comes
    # out too low; the larger sizes are bracketed, so N* at the target hardly moves.
    assert found.shift.corrected > found.shift.exponent + 0.01
    assert found.shift.waste < 1e-3


def by_batch(seed_apart: bool = False):
    """A small batch whose best rate is at the edge, beside a large one whose best is inside.

    Their means over both batches are bracketed, so that pooling them would hide the edge.
    """
    N, D, L = ladder()
    rates, k = 1e-3 * 2.0 ** np.array([-2, -1, 0, 1, 2]), 30
    both = []
    for batch, best, depth in ((1e5, 4e-3, 0.002), (1e6, 5e-4, 0.02)):
        swept = L[k] * np.exp(depth * np.log2(rates / best) ** 2)
        both += rows(np.full(5, N[k]), np.full(5, D[k]), swept, lr=rates,
                     batch_tokens=np.full(5, 1e5 if seed_apart else batch),
                     seed=np.full(5, batch))  # fmt: skip
    rest = rows(
        N, D, L, lr=np.full(len(N), 1e-3), batch_tokens=np.full(len(N), 5e5), seed=[0.0] * len(N)
    )
    return [row for i, row in enumerate(rest) if i != k] + both


def test_a_sweep_is_of_runs_alike_in_everything_but_the_rate():
    found = find(by_batch(), "lr-not-bracketed")
    assert found.numbers == {"n_edges": 1.0, "n_sweeps": 2.0}
    assert len(found.rows) == 5
    # Seeds do not set sweeps apart: the same ten runs as two seeds of one batch are one sweep.
    assert "lr-not-bracketed" not in codes(by_batch(seed_apart=True))


def test_one_learning_rate_at_all_sizes_is_a_warning_and_none_a_note():
    N, D, L = ladder()
    assert find(rows(N, D, L, lr=np.full(len(N), 1e-3)), "lr-not-bracketed").severity == "warning"
    assert find(rows(N, D, L), "lr-not-bracketed").severity == "note"


def test_sweeps_barely_bracketed_are_told_beside_those_that_are_not():
    N, D, L = ladder()
    at = [5, 30, 57]
    rates = np.array([0.25, 0.5, 1.0])
    table = rows(N, D, L, lr=np.full(len(N), 1.0))
    for place, best in zip(at, (2.0, 2.0, 0.95), strict=True):  # the third is inside, by a hair
        lost = 0.01 * np.log2(rates / best) ** 2
        sweep_rows = rows(np.full(3, N[place]), np.full(3, D[place]), L[place] * np.exp(lost))
        table[place] = table[place] | {"loss": 9.0, "lr": 1e-3, "status": "diverged"}
        table += [row | {"lr": r} for row, r in zip(sweep_rows, rates.tolist(), strict=True)]
    found = find(table, "lr-not-bracketed")
    assert "in 2 of 3 sweeps the best rate lies at the edge or beyond it" in found.evidence
    assert "; in 1 more the lowest loss does" in found.evidence
    assert list(found.rows) == sorted(found.rows)
