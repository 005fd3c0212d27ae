"""Hyperbolas planted and found, with the coverage of their intervals."""

import numpy as np
import pytest

from isoflop.base.errors import RefusalError
from isoflop.fitting.batch.hyperbola import fit_hyperbola

BATCHES = np.geomspace(1e3, 1e6, 6)


def steps_of(batches: np.ndarray, steps_min: float, tokens_min: float) -> np.ndarray:
    """Solve (S/S_min - 1)(B·S/E_min - 1) = 1 for S by bisection, as the equation stands."""
    found = []
    for batch in batches:
        low, high = max(steps_min, tokens_min / batch) * (1 + 1e-12), 1e12
        for _ in range(200):
            middle = np.sqrt(low * high)
            value = (middle / steps_min - 1) * (batch * middle / tokens_min - 1)
            low, high = (middle, high) if value < 1 else (low, middle)
        found.append(low)
    return np.array(found)


def test_a_hyperbola_without_noise_is_found_exactly() -> None:
    trade = fit_hyperbola(BATCHES, steps_of(BATCHES, 400.0, 2e7))
    assert trade.steps_min.value == pytest.approx(400.0, rel=1e-6)
    assert trade.tokens_min.value == pytest.approx(2e7, rel=1e-6)
    assert trade.critical_batch.value == pytest.approx(5e4, rel=1e-6)


def test_intervals_cover_at_their_level() -> None:
    rng = np.random.default_rng(0)
    mean, hits = steps_of(BATCHES, 400.0, 2e7), np.zeros(3)
    for _ in range(200):
        trade = fit_hyperbola(BATCHES, mean * np.exp(0.1 * rng.standard_normal(6)))
        for k, (found, true) in enumerate(
            [(trade.steps_min, 400.0), (trade.tokens_min, 2e7), (trade.critical_batch, 5e4)]
        ):
            hits[k] += (found.low or 0) <= true <= (found.high or np.inf)
    assert (np.abs(hits / 200 - 0.9) < 0.065).all()


def test_batches_on_one_side_leave_the_other_side_open() -> None:
    rng = np.random.default_rng(1)
    noise = np.exp(0.03 * rng.standard_normal(6))
    below = fit_hyperbola(
        np.geomspace(10, 300, 6), steps_of(np.geomspace(10, 300, 6), 400, 2e7) * noise
    )
    assert below.critical_batch.high is None
    assert below.steps_min.low is None
    assert below.tokens_min.value == pytest.approx(2e7, rel=0.1)
    far = np.geomspace(1e7, 1e9, 6)
    above = fit_hyperbola(far, steps_of(far, 400, 2e7) * noise)
    assert above.critical_batch.low is None
    assert above.tokens_min.low is None
    assert above.steps_min.value == pytest.approx(400, rel=0.1)
    assert not above.bracketed


def test_two_batches_are_refused() -> None:
    with pytest.raises(RefusalError, match="needs three"):
        fit_hyperbola(np.array([1e3, 1e3, 1e4]), np.array([5.0, 5.1, 3.0]), loss=2.0)
