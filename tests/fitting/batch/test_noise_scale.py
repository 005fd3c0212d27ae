"""The noise scale of gradients whose mean and covariance are known."""

import numpy as np
import pytest

from isoflop.base.errors import InputError
from isoflop.fitting.batch.noise_scale import estimate_noise_scale, gram_noise

WIDTHS = np.geomspace(0.1, 3.0, 50)
"""Standard deviations of the components: Sigma is their squares on a diagonal, rotated."""


def draw_gradients(n: int, batch: int, rng: np.random.Generator) -> tuple[np.ndarray, float, float]:
    """(n, 50) mean gradients of `batch` examples, |G|² and tr(Sigma)."""
    rotation = np.linalg.qr(np.random.default_rng(7).standard_normal((50, 50)))[0]
    truth = np.random.default_rng(8).standard_normal(50) / 10
    noise = rng.standard_normal((n, 50)) * WIDTHS @ rotation.T
    return truth + noise / np.sqrt(batch), float(truth @ truth), float(WIDTHS @ WIDTHS)


def test_ten_thousand_steps_give_the_noise_scale_within_five_per_cent() -> None:
    rng = np.random.default_rng(0)
    small, grad_sq, trace = draw_gradients(10_000, 16, rng)
    big, _, _ = draw_gradients(10_000, 256, rng)
    found = estimate_noise_scale((small**2).sum(1), (big**2).sum(1), batch_small=16, batch_big=256)
    assert found.batch is not None
    assert found.batch.value == pytest.approx(trace / grad_sq, rel=0.05)
    assert found.trace.value == pytest.approx(trace, rel=0.05)
    assert found.grad_sq.value == pytest.approx(grad_sq, rel=0.05)


def test_the_estimates_have_no_bias_and_their_intervals_cover() -> None:
    rng = np.random.default_rng(1)
    covered, values = 0, []
    for _ in range(400):
        small, grad_sq, trace = draw_gradients(60, 32, rng)
        big, _, _ = draw_gradients(60, 512, rng)
        found = estimate_noise_scale(
            (small**2).sum(1), (big**2).sum(1), batch_small=32, batch_big=512
        )
        assert found.batch is not None
        assert found.batch.low is not None
        assert found.batch.high is not None
        covered += found.batch.low <= trace / grad_sq <= found.batch.high
        values.append((found.grad_sq.value / grad_sq, found.trace.value / trace))
    error = np.std(values, axis=0) / np.sqrt(400)
    assert (np.abs(np.mean(values, axis=0) - 1) < 4 * error).all()
    assert 0.85 <= covered / 400 <= 0.95


def test_groups_at_one_moment_give_the_noise_scale_and_cover() -> None:
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(300):
        rows, grad_sq, trace = draw_gradients(8 * 64, 4, rng)
        groups = rows.reshape(8, 64, 50)
        means, small_sq = groups.mean(1), (groups**2).sum(2).mean(1)
        found = gram_noise(means @ means.T, small_sq, batch_small=4, per_group=64)
        assert found.batch is not None
        assert found.batch.low is not None
        assert found.batch.high is not None
        covered += found.batch.low <= trace / grad_sq <= found.batch.high
    assert 0.84 <= covered / 300 <= 0.97


def test_gradients_lost_in_noise_give_no_ratio() -> None:
    rng = np.random.default_rng(3)
    small, big = rng.chisquare(50, 20), rng.chisquare(50, 20) / 2
    found = estimate_noise_scale(small, big, batch_small=1, batch_big=2)
    assert found.batch is None
    assert found.grad_sq.low is not None
    assert found.grad_sq.low < 0


@pytest.mark.parametrize(
    ("small", "big", "batches", "message"),
    [
        ([1.0], [1.0], (1, 2), "two at least"),
        ([1.0, 2.0], [1.0], (1, 2), "as many of each"),
        ([1.0, 2.0], [1.0, 2.0], (2, 2), "0 < small < big"),
    ],
)
def test_what_cannot_be_estimated_is_refused(small, big, batches, message) -> None:
    with pytest.raises(InputError, match=message):
        estimate_noise_scale(small, big, batch_small=batches[0], batch_big=batches[1])
