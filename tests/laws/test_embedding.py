"""Pearce & Song 2024: Kaplan's exponent out of Chinchilla's surface."""

import numpy as np
import pytest

from isoflop.laws.catalog import find_published
from isoflop.laws.embedding import local_exponent, optimal_flops
from isoflop.laws.law import Array

SURFACES = ["pearce-2024", "pearce-2024-tex"]


def best_on_budget(theta: Array, flops: float, sizes: Array) -> tuple[int, float]:
    law = find_published(SURFACES[0]).law
    loss = law.predict(theta, {"n_params_non_embedding": sizes, "n_tokens": flops / (6 * sizes)})
    return int(np.argmin(loss)), float(loss.min())


@pytest.mark.parametrize(
    ("name", "small", "large"), [("pearce-2024", 0.759, 0.513), ("pearce-2024-tex", 0.716, 0.456)]
)
def test_exponents_at_the_two_ends(name: str, small: float, large: float) -> None:
    entry = find_published(name)
    derived = entry.law.derive(entry.theta)
    assert round(float(derived["a_small"]), 3) == small
    assert round(float(derived["a_large"]), 3) == large
    ends = local_exponent(entry.theta, np.array([1e-9, 1e22]))
    np.testing.assert_allclose(ends, [derived["a_small"], derived["a_large"]], rtol=1e-6)


@pytest.mark.parametrize("name", SURFACES)
@pytest.mark.parametrize("n_params", [1e4, 1e7, 1e10])
def test_the_closed_budget_is_the_one_on_which_a_size_is_best(name: str, n_params: float) -> None:
    theta = find_published(name).theta
    flops = float(optimal_flops(theta, np.array(n_params)))
    around = n_params * np.exp(np.linspace(-1e-3, 1e-3, 2001))
    assert abs(best_on_budget(theta, flops, around)[0] - 1000) <= 30


@pytest.mark.parametrize("name", SURFACES)
def test_the_local_exponent_is_the_slope_of_the_optimum(name: str) -> None:
    theta, N = find_published(name).theta, np.array([1e4, 1e7, 1e10])
    h = 1e-5
    rise = np.log(optimal_flops(theta, N * np.exp(h)) / optimal_flops(theta, N * np.exp(-h)))
    np.testing.assert_allclose(local_exponent(theta, N), 2 * h / rise, rtol=1e-7)


@pytest.mark.parametrize(
    ("name", "size", "loss"), [("pearce-2024", ".78", "-.069"), ("pearce-2024-tex", ".74", "-.066")]
)
def test_the_authors_regression_over_kaplans_sizes(name: str, size: str, loss: str) -> None:
    # Their script: best of 20 sizes at each of 100 budgets, a line through their logarithms.
    theta = find_published(name).theta
    sizes, budgets = np.logspace(2.9, 9.2, 20), np.logspace(12.95, 20.7, 100)
    best = [best_on_budget(theta, flops, sizes) for flops in budgets]
    found = sizes[[index for index, _ in best]]
    slopes = [
        np.polyfit(np.log(budgets), np.log(values), 1)[0]
        for values in (found, [value for _, value in best])
    ]
    assert f"{slopes[0]:.2f}".replace("0.", ".") == size
    assert f"{slopes[1]:.3f}".replace("0.", ".") == loss


def test_without_embeddings_it_is_the_chinchilla_law() -> None:
    entry, chinchilla = find_published("pearce-2024"), find_published("besiroglu-2024")
    N, D = np.array([1e8, 7e10]), np.array([2e9, 1.4e12])
    bare = np.append(entry.theta[:5], 1e-3)
    np.testing.assert_allclose(
        entry.law.predict(bare, {"n_params_non_embedding": N, "n_tokens": D}),
        chinchilla.law.predict(chinchilla.theta, {"n_params": N, "n_tokens": D}),
        rtol=1e-9,
    )
