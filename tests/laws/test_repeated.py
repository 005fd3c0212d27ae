"""Muennighoff et al. 2023 against the values of the authors' own code."""

import numpy as np
import pytest

from isoflop.laws.catalog import find_published, predict_published
from isoflop.laws.repeated import worth_of_repeats

REPEATED = find_published("muennighoff-2023-repeated")
ONE_EPOCH = find_published("muennighoff-2023")


@pytest.mark.parametrize(
    ("n_params", "n_tokens", "unique", "expected"),
    [
        (6.34e9, 242e9, 25e9, 2.2256440889984477),
        (8.67e9, 178e9, 25e9, 2.2269634075087867),
    ],
)
def test_loss_equals_the_authors_code(
    n_params: float, n_tokens: float, unique: float, expected: float
) -> None:
    inputs = {"n_params": n_params, "n_tokens": n_tokens, "n_tokens_unique": unique}
    assert expected == pytest.approx(predict_published(REPEATED, inputs).value, rel=2e-15)


@pytest.mark.parametrize(
    ("epochs", "digits", "expected"),
    [(2, 2, 1.97), (4, 2, 3.73), (8, 1, 6.6), (16, 1, 10.6), (40, 1, 15.2), (np.inf, 2, 16.39)],
)
def test_worth_of_epochs_in_the_printed_digits(epochs: float, digits: int, expected: float) -> None:
    decay = np.array(REPEATED.printed["R_D_star"])
    assert expected == round(float(worth_of_repeats(np.array(epochs - 1), decay)), digits)


def test_four_epochs_are_worth_93_percent_of_fresh_data() -> None:
    decay = np.array(REPEATED.printed["R_D_star"])
    assert round(float(worth_of_repeats(np.array(3.0), decay)) / 4, 2) == 0.93


def test_one_epoch_below_the_optimal_size_is_the_chinchilla_law() -> None:
    fresh = {"n_params": 5e9, "n_tokens": 2e11}
    expected = predict_published(ONE_EPOCH, fresh).value
    actual = predict_published(REPEATED, {**fresh, "n_tokens_unique": 2e11}).value
    assert expected == pytest.approx(actual, rel=1e-15)


def test_more_unique_tokens_than_are_read_change_nothing() -> None:
    fresh = {"n_params": 5e9, "n_tokens": 2e11}
    exact = predict_published(REPEATED, {**fresh, "n_tokens_unique": 2e11})
    plenty = predict_published(REPEATED, {**fresh, "n_tokens_unique": 9e12})
    assert exact == plenty


def test_optimal_size_is_a_twentieth_of_the_unique_tokens() -> None:
    G = float(ONE_EPOCH.law.derive(ONE_EPOCH.theta)["G"])
    assert round(G * G, 3) == 0.051
    assert round(1 / (G * G), 1) == 19.6  # tokens a parameter


def test_the_best_allocation_on_25_billion_tokens() -> None:
    # The source gives 2.373e11 tokens, from a search on a grid; the valley is flat to 1e-9 there.
    D = np.exp(np.linspace(np.log(1e11), np.log(1e12), 20_001))
    runs = {"n_params": 1e22 / 6 / D, "n_tokens": D, "n_tokens_unique": np.full_like(D, 25e9)}
    best = int(np.argmin(REPEATED.law.predict(REPEATED.theta, runs)))
    assert D[best] == pytest.approx(2.373e11, rel=1e-3)
    assert round(D[best] / 25e9, 2) == 9.49
    assert runs["n_params"][best] == pytest.approx(7.02e9, rel=1e-3)


def test_the_one_epoch_law_flatters_repeated_data() -> None:
    # U = 1e9, N = 3e8 at 4, 16 and 40 epochs.
    epochs = np.array([4.0, 16.0, 40.0])
    runs = {
        "n_params": np.full(3, 3e8),
        "n_tokens": 1e9 * epochs,
        "n_tokens_unique": np.full(3, 1e9),
    }
    useful_N_kept = {**runs, "n_tokens": np.array([1e9] * 3)}
    tokens_law = ONE_EPOCH.law.predict(ONE_EPOCH.theta, runs)
    repeated = REPEATED.law.predict(REPEATED.theta, runs)
    assert (repeated > tokens_law).all()
    assert (repeated < REPEATED.law.predict(REPEATED.theta, useful_N_kept)).all()
