"""Loss functions, outliers and single runs: how far the answer moves, against refits."""

import numpy as np
import pytest
from planted import SURFACES, chinchilla, isoflop_design, make_table, table_of

from isoflop.base.errors import InputError, UnderdeterminedError
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.forms import find_form
from isoflop.laws.power import PowerConstantLaw
from isoflop.plan.sensitivity.sensitivity import LOSSES, measure_sensitivity

EPOCH = SURFACES["epoch"]
SPEC = FitSpec(Objective("squared"), n_resamples=100, n_starts=16)


def healthy(seed: int = 0):
    return make_table(EPOCH, *isoflop_design(EPOCH, points=9), noise=0.004, seed=seed)


def with_outliers():
    """The two largest models of the smallest budget diverged."""
    N, D = isoflop_design(EPOCH, points=9)
    loss = make_table(EPOCH, N, D, noise=0.004).numbers("loss").copy()
    loss[7:9] *= 1.3
    return table_of(n_params=N, n_tokens=D, flops=6 * N * D, loss=loss)


def test_the_table_has_every_loss_with_and_without_the_highest_losses() -> None:
    found = measure_sensitivity(healthy(), ChinchillaLaw(), SPEC, drops=(0, 3))
    assert [(c.loss, c.dropped) for c in found.cells] == [(n, k) for k in (0, 3) for n in LOSSES]
    assert found.target == pytest.approx(1e23)
    assert (found.exponent_name, found.amount_name) == ("a", "tokens_per_param")


def test_without_noise_every_cell_is_the_truth() -> None:
    table = make_table(EPOCH, *isoflop_design(EPOCH, points=9))
    found = measure_sensitivity(table, ChinchillaLaw(), SPEC)
    a = EPOCH[4] / (EPOCH[3] + EPOCH[4])
    assert [c.exponent for c in found.cells] == pytest.approx([a] * 8, rel=1e-6)
    assert found.findings == ()


def test_squares_of_loss_are_not_squares_of_log_loss() -> None:
    cells = {c.loss: c for c in measure_sensitivity(healthy(), ChinchillaLaw(), SPEC).cells[:4]}
    assert cells["squares of loss"].exponent != pytest.approx(
        cells["squares of log loss"].exponent, rel=1e-4
    )


def test_healthy_runs_give_no_finding_and_outliers_do() -> None:
    spec = FitSpec(n_resamples=100, n_starts=16)
    assert measure_sensitivity(healthy(), ChinchillaLaw(), spec).findings == ()
    found = measure_sensitivity(with_outliers(), ChinchillaLaw(), spec, drops=(0, 2))
    codes = [finding.code for finding in found.findings]
    assert "answer-depends-on-the-loss" in codes
    assert "2 of 45 runs move tokens_per_param by" in found.findings[0].evidence


def test_leaving_a_run_out_is_refitting_without_it() -> None:
    table = healthy()
    found = measure_sensitivity(table, ChinchillaLaw(), SPEC)
    assert len(found.dropped_runs) == 45
    shifts = [run.shift for run in found.dropped_runs]
    assert shifts == sorted(shifts, reverse=True)
    for run in (found.dropped_runs[0], found.dropped_runs[-1]):
        row = table.names().index(run.run)
        kept = table.select(np.arange(45) != row)
        fit = fit_parametric(kept, ChinchillaLaw(), FitSpec(Objective("squared"), 0))
        assert run.exponent == pytest.approx(fit.derived["a"].value, rel=1e-6)


def test_the_planted_bad_run_is_the_most_influential() -> None:
    N, D = isoflop_design(EPOCH, points=9)
    noise = 0.002 * np.random.default_rng(0).standard_normal(45)
    loss = chinchilla(EPOCH, N, D) * np.exp(noise)
    loss[36] *= 1.05
    table = table_of(n_params=N, n_tokens=D, flops=6 * N * D, loss=loss)
    found = measure_sensitivity(table, ChinchillaLaw(), SPEC)
    assert found.dropped_runs[0].run == "row 37"


def test_a_law_of_one_variable_answers_with_its_prediction() -> None:
    C = np.geomspace(1e17, 1e20, 20)
    loss = (1.7 + 2000 * C**-0.15) * np.exp(0.002 * np.random.default_rng(0).standard_normal(20))
    table = table_of(flops=C, loss=loss)
    found = measure_sensitivity(table, PowerConstantLaw("flops"), SPEC, target=1e22)
    assert (found.exponent_name, found.amount_name) == ("alpha", "loss")
    assert found.amount.value == pytest.approx(1.7 + 2000 * 1e22**-0.15, rel=0.03)
    assert found.amount.low < found.amount.value < found.amount.high


def test_more_than_half_of_the_runs_cannot_be_dropped() -> None:
    with pytest.raises(InputError, match="cannot drop 30 of 45 runs"):
        measure_sensitivity(healthy(), ChinchillaLaw(), SPEC, drops=(0, 30))


def test_an_answer_that_is_not_determined_is_not_put_to_the_test() -> None:
    N = np.geomspace(1e7, 1e10, 20)
    table = table_of(n_params=N, n_tokens=20 * N, loss=chinchilla(EPOCH, N, 20 * N))
    with pytest.raises(UnderdeterminedError):
        measure_sensitivity(table, ChinchillaLaw(), SPEC)


def test_a_law_of_three_variables_has_no_one_scale() -> None:
    table = healthy().with_column("n_tokens_unique", np.full(45, 1e12))
    with pytest.raises(InputError, match="a law of n_params, n_tokens, n_tokens_unique"):
        measure_sensitivity(table, find_form("repeated"), SPEC)
