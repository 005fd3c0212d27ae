"""Inference-aware allocation: Sardana's example, the first-order condition, and other laws."""

import numpy as np
import pytest
from plan.fitted import fit_planted
from scipy.optimize import brentq

from isoflop.base.errors import InputError, RefusalError
from isoflop.laws.catalog import find_published
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.plan.lifetime.inference import plan_inference

E, A, B, ALPHA, BETA = 1.69, 406.4, 410.7, 0.336, 0.283


def test_sardanas_example() -> None:
    plan = plan_inference(1e11, n_params=7e9)
    assert f"{plan.n_params.value:.2e}" == "6.00e+09"
    assert f"{plan.tokens_ratio.value:.3f}" == "1.176"
    assert f"{plan.tokens_ratio.value:.2f}" == "1.18"
    assert plan.saved.value > 0
    assert plan.saved.low is None
    assert any("no covariance" in note for note in plan.notes)


@pytest.mark.parametrize("served", [1e9, 1e11, 1e13])
def test_the_first_order_condition_holds(served: float) -> None:
    plan = plan_inference(served, n_params=7e9)
    N, D = plan.n_params.value, plan.n_tokens.value
    assert pytest.approx(plan.loss.value, rel=1e-12) == E + A / N**ALPHA + B / D**BETA
    elasticities = (ALPHA * A / N**ALPHA) / (BETA * B / D**BETA)
    assert elasticities == pytest.approx(1 + served / (3 * D), rel=1e-5)


def test_the_reference_is_trained_on_its_own_optimum() -> None:
    plan = plan_inference(1.0, n_params=7e9)  # serving nothing moves nothing
    assert plan.n_params.value == pytest.approx(7e9, rel=1e-6)
    assert plan.params_ratio.value == pytest.approx(1, rel=1e-6)
    optimal = (BETA * B / (ALPHA * A)) ** (1 / BETA) * 7e9 ** (ALPHA / BETA)
    assert plan.reference_n_tokens.value == pytest.approx(optimal, rel=1e-9)


def test_a_loss_may_stand_for_the_model() -> None:
    named = plan_inference(1e12, n_params=7e9)
    by_loss = plan_inference(1e12, loss=named.loss.value)
    assert by_loss.n_params.value == pytest.approx(named.n_params.value, rel=1e-6)
    assert (by_loss.saved, by_loss.reference_n_tokens) == (None, None)


def test_dearer_inference_wants_a_smaller_model_by_the_same_search() -> None:
    dear = plan_inference(1e11, n_params=7e9, price_ratio=4)
    much = plan_inference(4e11, n_params=7e9)
    assert dear.n_params.value == pytest.approx(much.n_params.value, rel=1e-9)
    assert dear.flops_inference.value == pytest.approx(much.flops_inference.value / 4, rel=1e-9)


def test_a_law_that_is_no_sum_is_searched_too() -> None:
    law = find_published("kaplan-2020-nd")
    plan = plan_inference(1e12, n_params=1e9, n_tokens=2e10, law="kaplan-2020-nd")

    def tokens(N: float) -> float:
        def gap(log_D: float) -> float:
            at = {"n_params": np.array([N]), "n_tokens": np.array([np.exp(log_D)])}
            return float(law.law.predict(law.theta, at)[0]) - plan.loss.value

        return float(np.exp(brentq(gap, 10, 60, xtol=1e-13)))

    N = plan.n_params.value
    least = N * (6 * tokens(N) + 2e12)
    assert plan.n_tokens.value == pytest.approx(tokens(N), rel=1e-9)
    for factor in (0.9, 1.1):
        assert least < factor * N * (6 * tokens(factor * N) + 2e12)


def test_a_fit_brings_intervals() -> None:
    theta = [1.8172, 482.01, 2085.43, 0.3478, 0.3658]
    grid = {"n_params": np.geomspace(5e7, 5e9, 7), "n_tokens": np.geomspace(1e9, 2e11, 7)}
    fit = fit_planted(ChinchillaLaw(), theta, grid, noise=0.003, draws=60)
    plan = plan_inference(1e12, n_params=7e9, law=fit)
    true = plan_inference(1e12, n_params=7e9, law="besiroglu-2024")
    assert plan.n_params.low < plan.n_params.value < plan.n_params.high
    assert plan.n_params.low < true.n_params.value < plan.n_params.high
    assert plan.saved.low < plan.saved.value < plan.saved.high
    assert any("outside the runs fitted" in note for note in plan.notes)


def test_bad_input_is_refused() -> None:
    for model in ({}, {"n_params": 7e9, "loss": 2.0}, {"n_tokens": 1e9, "loss": 2.0}):
        with pytest.raises(InputError, match="give the model"):
            plan_inference(1e11, **model)
    with pytest.raises(InputError, match="n_tokens_served must be positive"):
        plan_inference(-1, n_params=7e9)
    with pytest.raises(RefusalError, match=r"loss of 1\.5 is below .* E = 1\.69 nats/token"):
        plan_inference(1e11, loss=1.5)
    with pytest.raises(InputError, match="needed: one of n_params, n_tokens"):
        plan_inference(1e11, n_params=7e9, law="kaplan-2020-ns")
