"""Deadweight compute against Chinchilla's closed form."""

import numpy as np
import pytest
from planted import SURFACES, chinchilla, optimum

from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.forms import JOINT_FORMS
from isoflop.plan.optimum.deadweight import deadweight_compute
from isoflop.runs.cost import TokenCost


def closed_form(theta, N, C):
    """1 − ((L(N) − E)/K)^(−1/g)/C with L*(C) = E + K·C^−g, K read off one optimum."""
    E, _, _, alpha, beta = theta
    g = alpha * beta / (alpha + beta)
    best = optimum(theta, C)
    K = (chinchilla(theta, best, C / (6 * best)) - E) * C**g
    return 1 - ((chinchilla(theta, N, C / (6 * N)) - E) / K) ** (-1 / g) / C


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("factor", [0.1, 0.5, 0.9, 1.3, 8.0])
def test_the_waste_is_the_closed_form(surface: str, factor: float) -> None:
    theta = SURFACES[surface]
    N = factor * optimum(theta, 1e22)
    found = deadweight_compute(ChinchillaLaw(), np.array(theta), N, 1e22)
    assert found == pytest.approx(closed_form(theta, N, 1e22), rel=1e-7)


def test_the_optimum_wastes_nothing() -> None:
    theta = SURFACES["chin"]
    assert deadweight_compute(ChinchillaLaw(), np.array(theta), optimum(theta, 1e22), 1e22) == 0


def test_a_hopeless_size_wastes_all() -> None:
    theta = np.array(SURFACES["epoch"])
    assert deadweight_compute(ChinchillaLaw(), theta, 1e3, 1e24) > 0.999


def test_a_law_without_a_closed_optimum_is_searched() -> None:
    law, theta = JOINT_FORMS["kaplan-nd"], np.array([0.076, 0.103, 6.4e13, 1.8e13])
    wastes = [deadweight_compute(law, theta, n, 1e21) for n in np.geomspace(1e6, 1e14, 60)]
    k = int(np.argmin(wastes))
    assert wastes[k] < 0.02
    assert wastes[:k] == sorted(wastes[:k], reverse=True)
    assert wastes[k:] == sorted(wastes[k:])


def test_another_cost_of_a_token_moves_the_optimum_and_the_waste() -> None:
    theta, cost = np.array(SURFACES["epoch"]), TokenCost(per_root=1e5)
    N = optimum(tuple(theta), 1e19)
    assert deadweight_compute(ChinchillaLaw(), theta, N, 1e19, cost=cost) > 1e-4
