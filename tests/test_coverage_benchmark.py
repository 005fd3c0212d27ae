"""Sixty studies a cell of the coverage benchmark: what a broken interval would not survive.

Binomial limits: a coverage two points short of 90 % (95 %) stays above them in all but one case of
ten thousand, for sixty numbers are compared. The seed is the benchmark's own.
"""

import numpy as np
import pytest
from scipy.stats import binom

import isoflop
from benchmarks._planted import CELLS, MAIN, SURFACES, chinchilla, unidentified
from benchmarks.coverage import LEVELS, SCORED, fit_study, run_cell, share_refused
from isoflop.fitting.assess import Asked
from isoflop.fitting.objective import Objective

STUDIES = 60
EXPECTED = {
    "iid": {"robust"},
    "t3": {"robust"},
    "outliers": {"robust"},
    "hetero": {"hc3*", "hc3"},
    "cluster": {"cluster"},
}


def cell(name: str):
    return next(cell for cell in CELLS if cell.name == name)


@pytest.fixture(scope="module", params=MAIN)
def scores(request: pytest.FixtureRequest):
    return run_cell(cell(request.param), studies=STUDIES, draws=200, seed=0)


def test_the_intervals_cover(scores) -> None:
    for row, level in enumerate(LEVELS):
        least = binom.ppf(1e-4, STUDIES, level - 0.02) / STUDIES
        for name, share in zip(SCORED, scores.coverage[row], strict=True):
            assert share >= least, f"{name}: {share:.3f} at {level}"
        assert scores.coverage[row].mean() >= level - 0.08
    assert scores.coverage[0].mean() <= 0.97, "intervals far too wide"


def test_the_interval_for_a_future_run_covers_it(scores) -> None:
    assert scores.future.mean() >= binom.ppf(1e-4, STUDIES, 0.88) / STUDIES


def test_the_estimates_are_as_sharp_as_the_best_published_procedure(scores) -> None:
    # The standard error of an RMSE from 60 studies is 9 %.
    assert scores.rmse[3] <= 1.3 * scores.cell.reference[3]
    assert abs(scores.bias[3]) <= 3.5 * scores.cell.reference[3] / np.sqrt(STUDIES)


def test_the_interval_suits_the_noise_and_good_designs_are_never_refused(scores) -> None:
    chosen = [name in EXPECTED[scores.cell.name] for name in scores.estimators]
    assert np.mean(chosen) >= 0.75
    assert not scores.refused.any()


@pytest.mark.parametrize("name", unidentified(SURFACES["epoch"]))
def test_designs_that_identify_nothing_are_always_refused(name: str) -> None:
    assert share_refused(name, 20) == 1.0


def test_the_benchmark_fits_as_isoflop_does() -> None:
    planted = SURFACES["epoch"]
    N, D = cell("cluster").design(planted)
    mean = chinchilla(planted, N, D)
    loss = mean * np.exp(cell("cluster").noise(np.random.default_rng(3), 1, N, D, mean)[0])
    quick = fit_study(N, D, loss, Asked(Objective(), "auto", 200, 0))
    rows = [
        {"n_params": n, "n_tokens": d, "loss": y}
        for n, d, y in zip(N.tolist(), D.tolist(), loss.tolist(), strict=True)
    ]
    full = isoflop.fit(rows, spec=isoflop.FitSpec(n_resamples=200))
    assert quick is not None
    assert quick.interval.estimator == full.interval.estimator
    assert quick.theta == pytest.approx(full.theta, rel=1e-5)
    assert quick.draws == pytest.approx(full.draws, rel=1e-3)
