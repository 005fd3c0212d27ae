"""Derivatives of the optimum against its closed form and against refitting it."""

import numpy as np
import pytest

from isoflop.fitting.solve.coordinates import coordinates_of
from isoflop.laws.catalog import find_published
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.plan.design.forecast import forecast_optimum
from isoflop.plan.optimum.optimum import optimal_params

THETA = np.array([1.8172, 482.01, 2085.43, 0.3478, 0.3658])


def test_size_moves_as_hoffmanns_closed_form():
    # log N* = log(alpha A / beta B) / (alpha + beta) + beta / (alpha + beta) log(C / 6)
    _, A, B, alpha, beta = THETA
    C, total = 1e23, alpha + beta
    ratio = np.log(alpha * A / (beta * B))
    by_alpha = alpha * (1 / (alpha * total) - ratio / total**2 - beta / total**2 * np.log(C / 6))
    by_beta = beta * (-1 / (beta * total) - ratio / total**2 + alpha / total**2 * np.log(C / 6))
    expected = [0.0, 1 / total, -1 / total, by_alpha, by_beta]
    found = forecast_optimum(ChinchillaLaw(), THETA[None], C).slopes[0, 1]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["besiroglu-2024", "kaplan-2020-nd"])
def test_loss_moves_as_the_optimum_does(name):
    published = find_published(name)
    law, theta = published.law, np.asarray(published.theta)
    place = coordinates_of(law)
    found = forecast_optimum(law, theta[None], 1e22).slopes[0]
    for k in range(len(theta)):
        step = 1e-4 * (np.arange(len(theta)) == k)
        up, down = (place.leave(place.enter(theta) + sign * step) for sign in (1, -1))
        (n_up, loss_up), (n_down, loss_down) = (optimal_params(law, t, 1e22) for t in (up, down))
        assert found[0, k] == pytest.approx(np.log(loss_up / loss_down) / 2e-4, rel=1e-4, abs=1e-8)
        assert found[1, k] == pytest.approx(np.log(n_up / n_down) / 2e-4, rel=1e-3, abs=1e-5)
