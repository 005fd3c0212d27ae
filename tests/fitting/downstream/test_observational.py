"""Observational scaling on planted families: what goes in comes out, held-out models included."""

import numpy as np
import pytest
from scipy.optimize import curve_fit
from scipy.special import expit

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.fitting.downstream.capability import choose_models, find_capabilities, impute_scores
from isoflop.fitting.downstream.observational import (
    equivalent_flops,
    fit_observational,
    predict_observational,
)
from isoflop.runs.table import RunTable

CUTOFF = 8.4e22  # FLOPs; Ruan et al. 2024 fit below and predict above
BENCHMARKS = [f"b{k}" for k in range(8)]
FAMILIES = {"old": (1.0, 0.0), "new": (1.0, 2.3), "code": (0.7, 0.9)}
"""{family: (efficiency in ln C, offset)}: `new` needs a tenth of the compute of `old`."""


def plant(seed: int, *, noise: float = 0.005, gaps: float = 0.0):
    """Nine models a family from 1e20 to 1e24 FLOPs: table, scores without gaps, target's truth.

    One general capability grows with ln C; code models have a second one. The target is a sigmoid
    of both that the models below the cutoff have hardly begun to climb.
    """
    rng = np.random.default_rng(seed)
    flops = np.tile(np.geomspace(1e20, 1e24, 9), len(FAMILIES)) * rng.uniform(0.8, 1.25, 27)
    family = np.repeat(list(FAMILIES), 9)
    slope, offset = np.array([FAMILIES[name] for name in family]).T
    general = slope * (np.log(flops) - np.log(1e20)) + offset
    code = 1.5 * (family == "code") + 0.1 * general
    loadings = np.random.default_rng(42).uniform(0.02, 0.04, (2, 8))
    loadings[1] *= np.where(np.arange(8) < 3, 4.0, 0.2)
    complete = 0.1 + np.column_stack([general, code]) @ loadings
    complete += noise * rng.standard_normal(complete.shape)
    truth = expit(0.9 * general + 0.8 * code - 7.5)
    scores = np.where(rng.uniform(size=complete.shape) < gaps, np.nan, complete)
    table = RunTable.from_records([{"family": str(name)} for name in family])
    table = table.with_column("flops", flops)
    for k, name in enumerate(BENCHMARKS):
        table = table.with_column(name, scores[:, k])
    return table.with_column("task", truth + noise * rng.standard_normal(27)), complete, truth


def fit_below(table, **options):
    small = table.select(table.numbers("flops") < CUTOFF)
    return fit_observational(small, benchmarks=BENCHMARKS, target="task", n_components=2, **options)


def logistic_in_compute(table, flops):
    """Least squares of one logistic curve through all models below the cutoff."""
    small = table.select(table.numbers("flops") < CUTOFF)

    def curve(x, slope, middle):
        return expit(slope * (x - middle))

    x = np.log10(small.numbers("flops"))
    found, _ = curve_fit(curve, x, small.numbers("task"), p0=(2, 23), maxfev=10_000)
    return curve(np.log10(flops), *found)


def test_models_beyond_the_cutoff_are_foreseen() -> None:
    misses, by_compute, covered = [], [], []
    for seed in range(4):
        table, _, truth = plant(seed, gaps=0.05)
        fit = fit_below(table, n_resamples=60)
        large = np.flatnonzero(table.numbers("flops") >= CUTOFF)
        for row in large:
            family, flops = table.text("family")[row], table.numbers("flops")[[row]]
            estimate = predict_observational(fit, family, flops)[0]
            misses.append(estimate.value - truth[row])
            by_compute.append(logistic_in_compute(table, flops)[0] - truth[row])
            covered.append(estimate.low <= table.numbers("task")[row] <= estimate.high)
    assert np.abs(misses).mean() < 0.05
    assert np.abs(misses).mean() < np.abs(by_compute).mean() / 3
    assert np.mean(covered) > 0.75


def test_a_curve_in_compute_alone_pools_families_that_differ() -> None:
    # The same score at a tenth of the compute: no function of compute has both.
    table, _, _ = plant(0)
    fit = fit_below(table, n_resamples=0)
    flops = np.array([3e22])
    old, new, new_at_a_tenth = (
        predict_observational(fit, name, at)[0].value
        for name, at in (("old", flops), ("new", flops), ("new", flops / 10))
    )
    assert new > old + 0.2
    assert new_at_a_tenth == pytest.approx(old, abs=0.02)


def test_equivalent_compute_shows_the_tenfold_efficiency() -> None:
    table, complete, _ = plant(1, noise=0.001)
    fit = fit_observational(
        table, benchmarks=BENCHMARKS, target="task", n_components=2, n_resamples=0
    )
    families = np.array(table.text("family"))
    flops = table.numbers("flops")
    found = equivalent_flops(fit, complete, "old") / flops
    assert np.median(found[families == "old"]) == pytest.approx(1, rel=0.02)
    assert np.median(found[families == "new"]) == pytest.approx(np.exp(2.3), rel=0.05)


def test_gaps_are_filled_better_than_by_the_mean() -> None:
    _, complete, _ = plant(2)
    rng = np.random.default_rng(0)
    gaps = rng.uniform(size=complete.shape) < 0.1
    holed = np.where(gaps, np.nan, complete)
    filled = impute_scores(holed)
    np.testing.assert_array_equal(filled[~gaps], complete[~gaps])
    by_mean = np.broadcast_to(np.nanmean(holed, axis=0), complete.shape)
    miss = np.sqrt(np.mean((filled - complete)[gaps] ** 2))
    assert miss < 0.3 * np.sqrt(np.mean((by_mean - complete)[gaps] ** 2))


def test_a_table_of_rank_one_is_completed_exactly() -> None:
    complete = 0.3 + np.outer(np.linspace(-1, 1, 9), [0.1, 0.2, 0.05, 0.15])
    holed = complete.copy()
    holed[[0, 3, 8], [1, 2, 0]] = np.nan
    np.testing.assert_allclose(impute_scores(holed), complete, atol=1e-8)


def test_capabilities_are_the_principal_components() -> None:
    _, complete, _ = plant(0)
    found = find_capabilities(complete, 3)
    values = np.linalg.eigvalsh(np.cov(complete.T))[::-1]
    np.testing.assert_allclose(found.shares, values[:3] / values.sum(), rtol=1e-9)
    np.testing.assert_allclose(found.loadings @ found.loadings.T, np.eye(3), atol=1e-12)
    assert (found.loadings.sum(axis=1) > 0).all()
    assert found.shares[0] > 0.8


def test_chosen_models_beat_random_ones() -> None:
    _, complete, _ = plant(3)
    S = find_capabilities(complete, 2).measure(complete)
    X = np.column_stack([np.ones(len(S)), S])

    def variance(rows) -> float:
        return float(np.trace(X @ np.linalg.inv(X[rows].T @ X[rows]) @ X.T))

    chosen = variance(choose_models(S, 6))
    rng = np.random.default_rng(0)
    assert chosen < min(variance(rng.choice(27, 6, replace=False)) for _ in range(200))


def test_the_mean_is_surer_than_one_model_and_no_score_leaves_zero_to_one() -> None:
    table, _, _ = plant(0)
    fit = fit_below(table, n_resamples=50)
    flops = np.array([1e21, 1e26])
    future = predict_observational(fit, "new", flops)
    mean = predict_observational(fit, "new", flops, future=False)
    assert mean[0].high - mean[0].low < future[0].high - future[0].low
    assert all(0 <= e.low <= e.value <= e.high <= 1 for e in future)
    assert future == predict_observational(fit, "new", flops)


def test_what_cannot_be_fitted_is_refused() -> None:
    table, complete, _ = plant(0)
    few = table.select(np.arange(27) < 5)
    with pytest.raises(InputError, match="5 models for 2 capabilities; at least 6 needed"):
        fit_observational(few, benchmarks=BENCHMARKS, target="task", n_components=2)
    one = table.select(np.arange(27) < 19)
    with pytest.raises(InputError, match="family code has one compute only"):
        fit_observational(one, benchmarks=BENCHMARKS, target="task", n_components=2)
    with pytest.raises(UnknownNameError, match="b99"):
        fit_observational(table, benchmarks=["b99"], target="task")
    fit = fit_below(table, n_resamples=0)
    with pytest.raises(UnknownNameError, match="family 'newer'; did you mean new"):
        predict_observational(fit, "newer", np.array([1e22]))
    with pytest.raises(InputError, match="model 3 has no score at all"):
        impute_scores(np.where(np.arange(27)[:, None] == 2, np.nan, complete))
    with pytest.raises(InputError, match="30 components of 27 models"):
        find_capabilities(complete, 30)
    with pytest.raises(InputError, match="expected 9 to 27 models to keep, found 2"):
        choose_models(complete, 2)
