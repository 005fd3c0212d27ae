"""The price of another size, against Chinchilla's closed forms and the deadweight function."""

import numpy as np
import pytest
from plan.fitted import fit_planted
from planted import chinchilla, optimum
from scipy.optimize import brentq

from isoflop.base.errors import InputError
from isoflop.laws.catalog import find_published
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.plan.lifetime.off_optimum import price_off_optimum
from isoflop.plan.optimum.deadweight import deadweight_compute

THETA = (1.8172, 482.01, 2085.43, 0.3478, 0.3658)
E, A, B, ALPHA, BETA = THETA


@pytest.mark.parametrize("ratio", [0.25, 0.9, 1.0, 3.0])
def test_each_row_is_the_closed_form(ratio: float) -> None:
    (row,) = price_off_optimum(1e22, "besiroglu-2024", ratios=[ratio]).table
    best = optimum(THETA, 1e22)
    lowest = chinchilla(THETA, best, 1e22 / (6 * best))
    assert row.n_params.value == pytest.approx(ratio * best, rel=1e-9)
    assert row.penalty.value == pytest.approx(
        chinchilla(THETA, ratio * best, 1e22 / (6 * ratio * best)) - lowest, abs=1e-12
    )
    law, theta = find_published("besiroglu-2024").law, np.array(THETA)
    assert row.wasted.value == pytest.approx(
        deadweight_compute(law, theta, ratio * best, 1e22), abs=1e-8
    )
    tokens = (B / (lowest - E - A / (ratio * best) ** ALPHA)) ** (1 / BETA)
    assert row.equal_flops.value == pytest.approx(6 * ratio * best * tokens / 1e22, rel=1e-9)


def test_the_band_ends_where_the_compute_does() -> None:
    found = price_off_optimum(1e22, "besiroglu-2024", excess=0.2)
    for edge in (found.smallest.value, found.largest.value):
        (row,) = price_off_optimum(1e22, "besiroglu-2024", ratios=[edge]).table
        assert row.equal_flops.value == pytest.approx(1.2, rel=1e-9)
    assert found.smallest.value < 1 < found.largest.value


def test_a_law_without_a_sum_is_searched_to_the_same_definition() -> None:
    law = find_published("kaplan-2020-nd")
    (row,) = price_off_optimum(1e21, "kaplan-2020-nd", ratios=[0.5]).table
    best = row.n_params.value / 0.5

    def loss(N: float, D: float) -> float:
        at = {"n_params": np.array([N]), "n_tokens": np.array([D])}
        return float(law.law.predict(law.theta, at)[0])

    lowest = loss(best, 1e21 / (6 * best))
    tokens = brentq(lambda D: loss(0.5 * best, D) - lowest, 1e6, 1e16, rtol=1e-12)
    assert row.equal_flops.value == pytest.approx(6 * 0.5 * best * tokens / 1e21, rel=1e-9)


def test_a_size_that_never_reaches_the_loss_has_no_compute() -> None:
    (row,) = price_off_optimum(1e24, "besiroglu-2024", ratios=[0.01]).table
    assert row.equal_flops.value == np.inf
    assert row.to_dict()["equal_flops"]["value"] is None
    assert 0.9 < row.wasted.value < 1


def test_a_fit_brings_intervals() -> None:
    grid = {"n_params": np.geomspace(5e7, 5e9, 6), "n_tokens": np.geomspace(1e9, 2e11, 6)}
    fit = fit_planted(ChinchillaLaw(), list(THETA), grid, noise=0.004)
    found = price_off_optimum(1e22, fit, ratios=[3])
    true = price_off_optimum(1e22, "besiroglu-2024", ratios=[3])
    assert found.table[0].wasted.low < true.table[0].wasted.value < found.table[0].wasted.high
    assert found.largest.low < true.largest.value < found.largest.high


def test_bad_input_is_refused() -> None:
    with pytest.raises(InputError, match="no size is given"):
        price_off_optimum(1e22, "besiroglu-2024", ratios=[])
    with pytest.raises(InputError, match="ratio must be positive"):
        price_off_optimum(1e22, "besiroglu-2024", ratios=[-2])
    with pytest.raises(InputError, match="needed: one of n_params, n_tokens"):
        price_off_optimum(1e22, "kaplan-2020-ns")
