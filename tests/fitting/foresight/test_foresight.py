"""Intervals for future runs: as wide as noise where the law is right, wider where it is not."""

import numpy as np
import pytest
from planted import SURFACES, chinchilla, isoflop_design, optimum, table_of
from scipy.stats import binom, norm

from isoflop.base.estimate import Estimate
from isoflop.fitting.fit import Fit
from isoflop.fitting.foresight.foresight import find_misfit, foresee, predict_loss
from isoflop.fitting.foresight.measure import LEAST_DRIFT
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.fitting.saved import read_fit, write_fit
from isoflop.fitting.trials.backtest import backtest_beyond
from isoflop.fitting.trials.hidden_runs import Backtest
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.power import PowerLaw

THETA = SURFACES["epoch"]
BUDGETS = np.geomspace(1e18, 1e21, 7)
N, D = isoflop_design(THETA, points=9, budgets=BUDGETS)
FAR = 1e23
SPEC = FitSpec(n_resamples=200, n_starts=4, level=0.9)


def future_study(seed: int, noise: str = "normal", n_future: int = 20) -> Backtest:
    """63 runs of a planted surface, and runs at 100 times their largest compute."""
    rng = np.random.default_rng(seed)
    n_opt = optimum(THETA, FAR)
    all_N = np.concatenate([N, np.full(n_future, n_opt)])
    all_D = np.concatenate([D, np.full(n_future, FAR / 6 / n_opt)])
    if noise == "t3":
        log_noise = 0.005 * rng.standard_t(3, len(all_N)) / np.sqrt(3)
    else:
        log_noise = 0.005 * rng.standard_normal(len(all_N))
    if noise == "outliers":
        log_noise += np.where(rng.random(len(all_N)) < 0.05, rng.uniform(0.01, 0.1, len(all_N)), 0)
    loss = chinchilla(THETA, all_N, all_D) * np.exp(log_noise)
    table = table_of(n_params=all_N, n_tokens=all_D, flops=6 * all_N * all_D, loss=loss)
    return backtest_beyond(table, ChinchillaLaw(), cut=3e22, spec=SPEC)


def bent_table(strength: float, *, seed: int = 0):
    """A frontier whose loss falls ever more slowly than any power law."""
    C = np.geomspace(1e17, 1e22, 60)
    noise = np.exp(0.002 * np.random.default_rng(seed).standard_normal(60))
    return table_of(flops=C, loss=60 * C**-0.07 * np.exp(strength * np.log(C / 1e17) ** 2) * noise)


def test_where_the_law_is_right_it_is_not_suspected() -> None:
    studies = [future_study(seed, n_future=1) for seed in range(24)]
    # Three tests at 1 %.
    assert sum(study.misfit.suspected for study in studies) <= binom.ppf(0.999, 24, 0.03)


def test_a_right_law_is_taken_at_its_word() -> None:
    study = next(s for s in map(future_study, range(10)) if not s.misfit.suspected)
    assert study.predicted == study.plain


def test_ninety_percent_of_runs_at_a_hundred_times_the_compute_are_inside() -> None:
    coverage = np.mean([future_study(seed).coverage for seed in range(24)])
    # Runs of one study share the fit's error: 24 studies, a standard error of about .04.
    assert 0.78 <= coverage <= 0.98


def share_inside(study: Backtest, predicted: tuple[Estimate, ...]) -> float:
    ends = np.array([(e.low, e.high) for e in predicted], dtype=float)
    return float(np.mean((ends[:, 0] <= study.measured) & (study.measured <= ends[:, 1])))


@pytest.mark.study
def test_coverage_at_a_hundred_times_the_compute_by_noise() -> None:
    for noise in ("normal", "t3", "outliers"):
        studies = [future_study(seed, noise) for seed in range(300)]
        inside = np.mean([study.coverage for study in studies])
        plain = np.mean([share_inside(study, study.plain) for study in studies])
        suspected = np.mean([study.misfit.suspected for study in studies])
        width = np.mean([study.mean_log_width or np.nan for study in studies])
        print(f"\n{noise:9} covered {inside:.3f}, at its word {plain:.3f}", end=", ")
        print(f"suspected {suspected:.3f}, mean log width {width:.3f}")
        assert inside >= 0.88
        if noise == "normal":
            assert 0.88 <= plain <= 0.92
            assert inside <= 0.93


def test_a_law_that_bends_away_is_suspected_and_its_intervals_hold() -> None:
    result = backtest_beyond(bent_table(4e-4), PowerLaw("flops"), cut=1e20, spec=SPEC)
    assert result.misfit.suspected
    assert result.misfit.rolling <= 0.01
    assert result.coverage >= 0.9
    assert share_inside(result, result.plain) < 0.5


def test_the_interval_of_a_suspected_law_grows_with_the_distance() -> None:
    table = bent_table(4e-4)
    fit = fit_parametric(table, PowerLaw("flops"), SPEC)
    misfit = find_misfit(fit, table)
    at = {"flops": np.array([1e22, 1e23, 1e24])}
    near, far, further = predict_loss(fit, at, misfit=misfit)
    widths = [np.log(e.high / e.low) for e in (near, far, further)]  # type: ignore[operator]
    assert widths[0] < widths[1] < widths[2]
    plain = predict_loss(fit, at)
    assert all(e.half_width > p.half_width for e, p in zip((far, further), plain[1:], strict=True))  # type: ignore[operator]


def test_the_drift_is_at_least_the_noise_and_measures_what_was_planted() -> None:
    strong = bent_table(2e-3)
    fit = fit_parametric(strong, PowerLaw("flops"), SPEC)
    misfit = find_misfit(fit, strong)
    assert misfit.drift > LEAST_DRIFT * misfit.noise
    # A bend of 2e-3·x² over x = 11.5 e-folds errs by 2e-3·h² and more, h e-folds beyond the
    # fitted runs: .05 to .2 over the 2 to 7 e-folds of the origins, so over root e-fold .03 to .1.
    assert 0.03 < misfit.drift < 0.1


def test_outliers_alone_are_a_reason_for_suspicion() -> None:
    rng = np.random.default_rng(4)
    C = np.geomspace(1e17, 1e22, 80)
    loss = 60 * C**-0.07 * np.exp(0.003 * rng.standard_normal(80))
    loss[[10, 30, 50, 61, 72]] *= 1.04
    table = table_of(flops=C, loss=loss)
    misfit = find_misfit(fit_parametric(table, PowerLaw("flops"), SPEC), table)
    assert misfit.tails == 0.0
    assert misfit.suspected
    assert misfit.noise == pytest.approx(0.003, rel=0.3)
    assert "chance_tails" in misfit.to_dict()


def test_without_draws_there_is_no_interval_unless_the_law_is_suspected() -> None:
    spec = FitSpec(n_resamples=0, n_starts=4)
    table = bent_table(4e-4)
    fit = fit_parametric(table, PowerLaw("flops"), spec)
    at = {"flops": np.array([1e23])}
    assert predict_loss(fit, at)[0].low is None
    estimate = predict_loss(fit, at, misfit=find_misfit(fit, table))[0]
    assert estimate.low is not None
    assert norm.ppf(0.95) * fit.rms < np.log(estimate.value / estimate.low)


def test_a_saved_fit_remembers_its_misfit(tmp_path) -> None:
    table = bent_table(4e-4)
    fit = foresee(fit_parametric(table, PowerLaw("flops"), SPEC), table)
    assert [f.code for f in fit.findings if f.code == "law-suspected"] == ["law-suspected"]
    back = read_fit(write_fit(fit, tmp_path / "law.json"))
    assert isinstance(back, Fit)
    at = {"flops": np.geomspace(1e22, 1e24, 5)}
    assert predict_loss(back, at) == predict_loss(fit, at)
    assert predict_loss(fit, at) == predict_loss(fit, at, misfit=find_misfit(fit, table))
    assert (
        write_fit(back, tmp_path / "again.json").read_bytes()
        == (tmp_path / "law.json").read_bytes()
    )
