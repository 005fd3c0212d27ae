"""Resamples against the theory of sums, and coverage by counting."""

import numpy as np
import pytest
from planted import SURFACES, chinchilla, isoflop_design, optimum, table_of
from scipy.stats import binom, norm, t

from isoflop.base.errors import InputError
from isoflop.fitting.fit import Fit
from isoflop.fitting.foresight.foresight import predict_loss
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.fitting.uncertainty.bootstrap import resample_weights, small_sample_stretch
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.power import PowerLaw

LEVEL = 0.9
POWER = {"A": 60.0, "alpha": 0.07}


def inside(estimate, truth: float) -> bool:
    return estimate.low <= truth <= estimate.high


def binomial_slack(n: int, probability: float = LEVEL) -> int:
    """Fewest successes in n that a true probability gives in all but one case of a thousand."""
    return int(binom.ppf(0.001, n, probability))


def fit_noisy_power(seed: int, kind: str, n_runs: int = 20) -> Fit:
    C = np.geomspace(1e17, 1e22, n_runs)
    noise = 0.005 * np.random.default_rng(seed).standard_normal(n_runs)
    table = table_of(flops=C, loss=POWER["A"] * C ** -POWER["alpha"] * np.exp(noise))
    spec = FitSpec(Objective(kind), n_resamples=200, n_starts=4, seed=seed)  # type: ignore[arg-type]
    return fit_parametric(table, PowerLaw("flops"), spec)


@pytest.mark.parametrize("kind", ["huber", "squared"])
def test_a_planted_power_law_lies_in_its_90_percent_interval(kind: str) -> None:
    # 200 noisy tables; of a true 90 % interval fewer than 166 would hold the truth once in 1000.
    fits = [fit_noisy_power(seed, kind) for seed in range(200)]
    for name, truth in POWER.items():
        held = sum(inside(fit.params[name], truth) for fit in fits)
        assert held >= binomial_slack(200), f"{name}: {held} of 200"
        assert held <= 196, f"{name}: {held} of 200, an interval far too wide"


def test_the_interval_is_as_wide_as_least_squares_says() -> None:
    C = np.geomspace(1e17, 1e22, 20)
    x = np.log(C) - np.log(C).mean()
    exact = t.ppf(0.95, 18) * 0.005 / np.sqrt(x @ x)  # known noise, normal theory
    widths = [fit_noisy_power(seed, "squared").params["alpha"].half_width for seed in range(60)]
    assert np.mean(widths) == pytest.approx(exact, rel=0.1)


@pytest.mark.study
def test_coverage_of_the_power_law_by_number_of_runs() -> None:
    print("\nruns  loss     A      alpha   (share of 400 tables inside the 90 % interval)")
    for n_runs in (6, 8, 12, 20, 40):
        for kind in ("huber", "squared"):
            fits = [fit_noisy_power(seed, kind, n_runs) for seed in range(1000, 1400)]
            shares = [
                np.mean([inside(fit.params[name], truth) for fit in fits])
                for name, truth in POWER.items()
            ]
            print(f"{n_runs:4d}  {kind:8} {shares[0]:.3f}  {shares[1]:.3f}")
            assert min(shares) >= binomial_slack(400, 0.87) / 400


def chinchilla_study(seed: int, kind: str, noise: str) -> dict[str, bool]:
    """Which of the truths lie inside, for one noisy IsoFLOP table of 63 runs."""
    theta = SURFACES["epoch"]
    N, D = isoflop_design(theta, points=9, budgets=np.geomspace(1e18, 1e21, 7))
    rng = np.random.default_rng(seed)
    log_noise = 0.005 * rng.standard_normal(len(N))
    if noise == "outliers":
        log_noise += np.where(rng.random(len(N)) < 0.05, rng.uniform(0.01, 0.1, len(N)), 0.0)
    table = table_of(n_params=N, n_tokens=D, loss=chinchilla(theta, N, D) * np.exp(log_noise))
    spec = FitSpec(Objective(kind), n_resamples=200, n_starts=8, seed=seed)  # type: ignore[arg-type]
    fit = fit_parametric(table, ChinchillaLaw(), spec)
    n_opt = optimum(theta, 1e23)
    at = {"n_params": np.array([n_opt]), "n_tokens": np.array([1e23 / 6 / n_opt])}
    truth = float(chinchilla(theta, n_opt, at["n_tokens"][0]))
    run = truth * np.exp(0.005 * rng.standard_normal())
    return {
        "alpha": inside(fit.params["alpha"], theta[3]),
        "beta": inside(fit.params["beta"], theta[4]),
        "E": inside(fit.params["E"], theta[0]),
        "a": inside(fit.derived["a"], theta[4] / (theta[3] + theta[4])),
        "L 100x": inside(predict_loss(fit, at, future=False)[0], truth),
        "run 100x": inside(predict_loss(fit, at)[0], run),
    }


@pytest.mark.study
@pytest.mark.parametrize("noise", ["normal", "outliers"])
@pytest.mark.parametrize("kind", ["huber", "squared"])
def test_coverage_of_the_chinchilla_form(kind: str, noise: str) -> None:
    studies = [chinchilla_study(seed, kind, noise) for seed in range(200)]
    shares = {name: np.mean([study[name] for study in studies]) for name in studies[0]}
    print(f"\n{kind}, {noise}:", {name: f"{share:.3f}" for name, share in shares.items()})
    for name, share in shares.items():
        # A case bootstrap is a little short on 63 runs; 84 % is where it would be wrong.
        assert share >= binomial_slack(200, 0.87) / 200, name


def test_resamples_are_multiplicities_of_all_runs() -> None:
    weights = resample_weights(30, n_resamples=4000, rng=np.random.default_rng(0))
    assert weights.shape == (4000, 30)
    assert (weights.sum(axis=1) == 30).all()
    assert weights.mean(axis=0) == pytest.approx(np.ones(30), abs=0.08)
    assert weights.var() == pytest.approx(1 - 1 / 30, rel=0.02)  # binomial


def test_clusters_are_drawn_whole() -> None:
    clusters = ["a", "b", "a", "c", "b", "a"]
    weights = resample_weights(6, n_resamples=50, rng=np.random.default_rng(0), clusters=clusters)
    assert (weights[:, [0, 2]] == weights[:, [5]]).all()
    assert (weights[:, 1] == weights[:, 4]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()


def test_one_cluster_cannot_be_resampled() -> None:
    with pytest.raises(InputError, match="two clusters or more, found one"):
        resample_weights(3, n_resamples=5, rng=np.random.default_rng(0), clusters=["a"] * 3)


def test_the_stretch_is_student_over_normal_times_the_degrees_of_freedom() -> None:
    expected = np.sqrt(12 / 9) * t.ppf(0.95, 9) / norm.ppf(0.95)
    assert small_sample_stretch(12, 3, 0.9) == pytest.approx(expected, rel=1e-12)
    assert small_sample_stretch(10**7, 5, 0.9) == pytest.approx(1, abs=1e-5)
    assert small_sample_stretch(3, 5, 0.9) > small_sample_stretch(7, 5, 0.9) > 1
