"""Do the intervals of decisions hold the truth as often as they say? 200 planted studies each."""

from collections.abc import Callable

import numpy as np
import pytest
from plan.fitted import fit_planted

from isoflop.base.estimate import Estimate
from isoflop.fitting.fit import Fit
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.critical_batch import BatchTradeLaw
from isoflop.laws.kaplan import KaplanStepsLaw, KaplanTokensLaw
from isoflop.laws.law import AbstractLaw
from isoflop.plan.kaplan.batch import plan_batch_from_runs
from isoflop.plan.kaplan.overfitting import bound_overfitting
from isoflop.plan.kaplan.stopping import compare_stopping
from isoflop.plan.lifetime.inference import plan_inference
from isoflop.plan.lifetime.over_training import price_over_training

STUDIES = 200
SIZES = np.geomspace(1e6, 1e9, 6)


def stopping(law: Fit | str) -> list[Estimate]:
    found = compare_stopping(law)
    return [found.best.above_converged, found.params_ratio, found.steps_ratio, found.compute_saved]


def overfitting(law: Fit | str) -> list[Estimate]:
    found = bound_overfitting(1e9, law=law)
    assert found.prefactor is not None
    assert found.exponent is not None
    return [found.n_tokens_needed, found.prefactor, found.exponent]


def batch(law: Fit) -> list[Estimate]:
    plan = plan_batch_from_runs(law, batches=[5e5])
    return [plan.critical_batch, plan.steps_min, plan.tokens_min, plan.trades[0].steps]


def lifetime(law: Fit | str) -> list[Estimate]:
    plan = plan_inference(1e12, n_params=7e9, law=law)
    (row,) = price_over_training(1e22, law, factors=[16]).table
    assert plan.tokens_ratio is not None
    assert plan.saved is not None
    return [plan.n_params, plan.tokens_ratio, plan.saved, row.equal_flops, row.penalty, row.loss]


Case = tuple[AbstractLaw, list[float], dict[str, np.ndarray], float, Callable, list[float]]


def values(estimates: list[Estimate]) -> list[float]:
    return [estimate.value for estimate in estimates]


CASES: dict[str, Callable[[], Case]] = {
    "stopping": lambda: (
        KaplanStepsLaw(),
        [0.077, 0.76, 6.5e13, 2.1e3],
        {"n_params": SIZES, "steps": np.geomspace(1e3, 1e5, 6)},
        0.003,
        stopping,
        values(stopping("kaplan-2020-ns")),
    ),
    "overfitting": lambda: (
        KaplanTokensLaw(),
        [0.076, 0.103, 6.4e13, 1.8e13],
        {"n_params": SIZES, "n_tokens": np.geomspace(1e7, 1e10, 6)},
        0.003,
        overfitting,
        values(overfitting("kaplan-2020-nd")),
    ),
    "batch": lambda: (
        BatchTradeLaw(),
        [4e3, 2e9],
        {"batch_tokens": np.geomspace(1e4, 1e8, 12)},
        0.05,
        batch,
        [5e5, 4e3, 2e9, 8e3],
    ),
    "lifetime": lambda: (
        ChinchillaLaw(),
        [1.8172, 482.01, 2085.43, 0.3478, 0.3658],
        {"n_params": np.geomspace(5e7, 5e9, 6), "n_tokens": np.geomspace(1e9, 2e11, 6)},
        0.004,
        lifetime,
        values(lifetime("besiroglu-2024")),
    ),
}


@pytest.mark.study
@pytest.mark.parametrize("case", CASES)
def test_ninety_per_cent_intervals_of_decisions_hold_the_truth(case: str) -> None:
    law, theta, grid, noise, decide, truth = CASES[case]()
    held = np.zeros(len(truth))
    for seed in range(STUDIES):
        fit = fit_planted(law, theta, grid, noise=noise, seed=seed, draws=400)
        found = decide(fit)
        held += [e.low <= true <= e.high for e, true in zip(found, truth, strict=True)]
    shares = held / STUDIES
    print(case, shares)
    # Three standard deviations of a share of 200 studies are .064.
    assert shares.min() > 0.9 - 0.064
    assert shares.max() < 0.9 + 0.064
