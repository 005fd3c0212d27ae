"""Laws of transfer, infogain, downstream error and accuracy: published numbers and recovery."""

import numpy as np
import pytest
from planted import table_of
from scipy.spatial import ConvexHull

from isoflop.fitting.foresight.foresight import predict_loss
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.fitting.saved import read_fit, write_fit
from isoflop.laws.catalog import find_published, predict_published
from isoflop.laws.downstream import AccuracySigmoidLaw
from isoflop.laws.infogain import InfogainLaw
from isoflop.laws.saturation import SaturationLaw, mark_hull
from isoflop.laws.transfer import TransferLaw, effective_data


def transferred(name: str, n_finetune: float, n_params: float) -> float:
    inputs = {"n_finetune": n_finetune, "n_params": n_params}
    return predict_published(find_published(f"hernandez-2021-{name}"), inputs).value


@pytest.mark.parametrize(
    ("name", "first", "at_300"), [("text", 3.56e8, 2.79), ("text-and-code", 3.9e9, 1.73)]
)
def test_transfer_at_the_size_of_gpt_3(name: str, first: float, at_300: float) -> None:
    one = transferred(name, 1, 1.75e11)
    assert first == float(f"{one:.{2 if first == 3.56e8 else 1}e}")
    assert at_300 == round(transferred(name, 300, 1.75e11) / one, 2)


def test_transfer_multiplies_300000_characters_by_476() -> None:
    theta = find_published("hernandez-2021-text").theta
    runs = {"n_finetune": np.array([3e5]), "n_params": np.array([4e7])}
    assert round(float(effective_data(theta, runs)[0]) / 3e5) == 476


def test_ten_times_the_model_is_about_a_hundred_times_the_data() -> None:
    theta = find_published("hernandez-2021-text").theta
    assert pytest.approx(float(TransferLaw().derive(theta)["data_per_decade"]), rel=0.3) == 100


def test_transfer_is_recovered_from_noisy_amounts() -> None:
    truth = np.array([1.9e4, 0.18, 0.38])
    D, N = (g.ravel() for g in np.meshgrid(np.geomspace(3e5, 3e8, 7), np.geomspace(1e6, 1e9, 7)))
    runs = {"n_finetune": D, "n_params": N}
    covered = []
    for seed in range(20):
        noise = np.exp(0.05 * np.random.default_rng(seed).standard_normal(len(D)))
        table = table_of(**runs, n_transferred=TransferLaw().predict(truth, runs) * noise)
        fit = fit_parametric(table, TransferLaw(), FitSpec(Objective("squared"), 200, n_starts=8))
        np.testing.assert_allclose(fit.theta[1:], truth[1:], rtol=0.05)
        covered += [e.low < p < e.high for e, p in zip(fit.params.values(), truth, strict=True)]
    assert np.mean(covered) > 0.8


def test_infogain_passes_through_the_two_sizes_that_are_named() -> None:
    entry = find_published("henighan-2020-text-to-image-infogain")
    for n_params, expected in ((1e9, 0.10), (3e12, 0.20)):
        assert predict_published(entry, {"n_params": n_params}).value == pytest.approx(expected)
    assert round(entry.params["lam"], 4) == 0.0125
    assert entry.params["N_c"] == pytest.approx(3e5, rel=0.15)


def test_infogain_below_zero_is_data_like_any_other() -> None:
    N = np.geomspace(1e4, 1e9, 12)
    table = table_of(n_params=N, infogain=0.0125 * np.log(N / 3e5))
    assert table.numbers("infogain").min() < 0
    fit = fit_parametric(table, InfogainLaw(), FitSpec(n_resamples=0))
    assert fit.objective.scale == "linear"
    np.testing.assert_allclose(fit.theta, [0.0125, 3e5], rtol=1e-7)


SATURATION = (0.8, 1.3, 0.2)


def noisy_models(n_models: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Upstream errors, and downstream errors of the law planted above with noise of .01."""
    k, alpha, e_IR = SATURATION
    rng = np.random.default_rng(seed)
    upstream = rng.uniform(0.05, 0.9, n_models)
    return upstream, k * upstream**alpha + e_IR + 0.01 * rng.standard_normal(n_models)


@pytest.mark.parametrize("seed", range(5))
def test_saturation_is_recovered_within_5_percent_from_500_models(seed: int) -> None:
    upstream, error = noisy_models(500, seed)
    fit = fit_parametric(table_of(error_upstream=upstream, error=error), SaturationLaw())
    np.testing.assert_allclose(fit.theta, SATURATION, rtol=0.05)
    limit = fit.derived["saturation_accuracy"]
    assert limit.low < limit.value < limit.high < 1
    assert limit.value == pytest.approx(0.8, abs=0.01)


def test_a_perfect_upstream_model_is_predicted_at_the_saturation_accuracy() -> None:
    upstream, error = noisy_models(200)
    fit = fit_parametric(table_of(error_upstream=upstream, error=error), SaturationLaw())
    perfect = predict_loss(fit, {"error_upstream": np.array([1e-12])}, future=False)[0]
    assert perfect.value == pytest.approx(1 - fit.derived["saturation_accuracy"].value, abs=1e-9)


def test_the_hull_is_the_lower_side_of_the_convex_hull() -> None:
    upstream, error = noisy_models(300)
    hull = ConvexHull(np.column_stack([upstream, error]))
    below = hull.equations[hull.equations[:, 1] < 0]  # facets whose outward normal points down
    distance = below[:, :2] @ np.stack([upstream, error]) + below[:, 2:]
    assert mark_hull(upstream, error).tolist() == (np.abs(distance) < 1e-12).any(axis=0).tolist()


def test_models_below_the_best_do_not_move_the_fit_of_the_hull() -> None:
    # Best models follow the law; most are worse by up to .3, which a fit of all of them believes.
    rng = np.random.default_rng(3)
    upstream = np.concatenate([np.linspace(0.1, 0.9, 25), rng.uniform(0.1, 0.9, 475)])
    best = 0.7 * upstream**1.6 + 0.12
    error = best + np.concatenate([np.zeros(25), rng.uniform(0.02, 0.3, 475)])
    table = table_of(error_upstream=upstream, error=error)
    spec = FitSpec(Objective("squared"), n_resamples=0)
    everyone = fit_parametric(table, SaturationLaw(), spec)
    hull = fit_parametric(table.select(mark_hull(upstream, error)), SaturationLaw(), spec)
    assert everyone.theta[2] > 0.2
    np.testing.assert_allclose(hull.theta, [0.7, 1.6, 0.12], rtol=1e-6)


def test_accuracies_of_zero_and_one_are_fitted_and_saved(tmp_path) -> None:
    rng = np.random.default_rng(1)
    loss = np.linspace(1.2, 4.0, 40)
    share = AccuracySigmoidLaw().predict(np.array([0.0, 1.0, 6.0, 2.4]), {"loss": loss})
    table = table_of(loss=loss, accuracy=rng.binomial(100, share) / 100)
    assert {0.0, 1.0} <= set(table.numbers("accuracy"))
    fit = fit_parametric(table, AccuracySigmoidLaw(), FitSpec(Objective("squared"), 200))
    L_half = fit.params["L_half"]
    assert L_half.low < L_half.value < L_half.high
    assert L_half.value == pytest.approx(2.4, abs=2 * L_half.half_width)
    assert [f for f in fit.findings if f.code == "law-does-not-fit"] == []
    back = read_fit(write_fit(fit, tmp_path / "accuracy.json"))
    at = {"loss": np.array([2.0])}
    assert predict_loss(back, at) == predict_loss(fit, at)
    assert "squares of accuracy" in str(fit)
