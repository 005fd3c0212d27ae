"""Hiding the largest budget of a surface that is known."""

import numpy as np
import pytest
from planted import SURFACES, chinchilla, isoflop_design, make_table, table_of

from isoflop.base.errors import InputError
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec
from isoflop.fitting.trials.backtest import backtest, backtest_largest_budget, rank_forms
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.forms import JOINT_FORMS
from isoflop.laws.power import PowerLaw

EPOCH = SURFACES["epoch"]
SPEC = FitSpec(Objective("squared"), n_resamples=100, n_starts=8)
FORMS = [JOINT_FORMS[name] for name in ("kaplan-nd", "kaplan-nd-constant", "chinchilla")]


def noisy_table(seed: int):
    return make_table(EPOCH, *isoflop_design(EPOCH, points=9), noise=0.005, seed=seed)


def test_the_largest_budget_is_hidden_and_the_rest_fitted() -> None:
    table = noisy_table(0)
    result = backtest_largest_budget(table, ChinchillaLaw(), SPEC)
    assert (result.n_fitted, result.n_hidden) == (36, 9)
    assert result.hidden_flops == pytest.approx(1e21, rel=1e-9)
    assert result.measured.tolist() == table.numbers("loss")[-9:].tolist()
    assert result.names == tuple(f"row {k}" for k in range(37, 46))
    assert result.n_params.tolist() == table.numbers("n_params")[-9:].tolist()


def test_without_noise_the_hidden_budget_is_foreseen_exactly() -> None:
    table = make_table(EPOCH, *isoflop_design(EPOCH, points=9))
    result = backtest_largest_budget(table, ChinchillaLaw(), SPEC)
    assert result.rms_miss < 1e-9
    assert [e.value for e in result.predicted] == pytest.approx(result.measured, rel=1e-9)


def test_the_hidden_budget_is_inside_its_interval_nine_times_in_ten() -> None:
    results = [
        backtest_largest_budget(noisy_table(seed), ChinchillaLaw(), SPEC) for seed in range(40)
    ]
    held = sum(result.inside for result in results)
    assert held >= 29  # of a true 90 %, fewer once in a thousand
    assert np.mean([result.coverage for result in results]) == pytest.approx(0.9, abs=0.06)
    assert np.mean([result.rms_miss for result in results]) == pytest.approx(0.005, rel=0.5)


def test_the_best_run_is_the_one_one_would_have_trained() -> None:
    result = backtest_largest_budget(noisy_table(1), ChinchillaLaw(), SPEC)
    predicted = [estimate.value for estimate in result.predicted]
    chosen = int(np.argmin(predicted))
    assert result.chosen_predicted == result.predicted[chosen]
    assert result.chosen_measured == pytest.approx(result.measured[chosen], rel=1e-12)


def test_seeds_of_the_best_run_are_averaged() -> None:
    N, D = isoflop_design(EPOCH, points=9)
    N, D = np.repeat(N, 2), np.repeat(D, 2)
    factors = np.tile([0.99, 1.01], len(N) // 2)
    loss = chinchilla(EPOCH, N, D) * factors
    table = table_of(n_params=N, n_tokens=D, flops=6 * N * D, loss=loss)
    result = backtest_largest_budget(table, ChinchillaLaw(), SPEC)
    chosen = int(np.argmin([estimate.value for estimate in result.predicted]))
    truth = chinchilla(EPOCH, result.n_params[chosen], result.n_tokens[chosen])
    assert result.chosen_measured == pytest.approx(truth * np.sqrt(0.99 * 1.01), rel=1e-9)


def test_a_law_that_is_wrong_beyond_the_fitted_budgets_is_seen_to_miss() -> None:
    C = np.geomspace(1e17, 1e21, 20)
    table = table_of(flops=C, loss=1.7 + 2000 * C**-0.15)
    result = backtest_largest_budget(table, PowerLaw("flops"), SPEC)
    assert result.chosen_predicted.value < result.chosen_measured  # no floor: too optimistic
    at_its_word = min(result.plain, key=lambda estimate: estimate.value)
    assert at_its_word.high < result.chosen_measured  # type: ignore[operator]
    assert result.misfit.suspected  # and the fitted runs alone gave it away
    assert result.inside


def test_one_budget_cannot_be_hidden() -> None:
    table = make_table(EPOCH, *isoflop_design(EPOCH, budgets=np.array([1e19])))
    with pytest.raises(InputError, match="all runs share one compute"):
        backtest_largest_budget(table, ChinchillaLaw(), SPEC)


def test_the_planted_form_is_ranked_first() -> None:
    ranked = rank_forms(make_table(EPOCH, *isoflop_design(EPOCH, points=9)), FORMS, SPEC)
    assert ranked[0][0].law.name == "chinchilla"
    assert len(ranked) == 3
    misses = [result.rms_miss for _, result in ranked]
    assert misses == sorted(misses)


def test_the_coupled_form_is_ranked_first_where_it_was_planted() -> None:
    N, D = isoflop_design(EPOCH, points=9)
    law = JOINT_FORMS["kaplan-nd"]
    columns = {"n_params": N, "n_tokens": D}
    loss = law.predict(np.array([0.076, 0.103, 6.4e13, 1.8e13]), columns)
    ranked = rank_forms(table_of(**columns, flops=6 * N * D, loss=loss), FORMS, SPEC)
    assert "kaplan-nd" in ranked[0][0].law.name
    assert ranked[-1][0].law.name == "chinchilla"


def test_forms_that_cannot_be_fitted_are_left_out_of_the_ranking() -> None:
    ranked = rank_forms(noisy_table(0), [ChinchillaLaw(), JOINT_FORMS["kaplan-ns"]], SPEC)
    assert [fit.law.name for fit, _ in ranked] == ["chinchilla"]


def test_the_json_object_says_what_was_hidden_and_how_it_went() -> None:
    document = backtest_largest_budget(noisy_table(0), ChinchillaLaw(), SPEC).to_dict()
    assert document["n_hidden"] == len(document["runs"]) == 9
    assert set(document) >= {"law", "hidden_flops", "inside", "coverage", "rms_miss"}
    assert set(document) >= {"n_train", "n_test", "rmsle", "mean_log_width", "law_at_its_word"}


def test_a_cut_divides_the_runs() -> None:
    table = noisy_table(0)
    result = backtest(table, "chinchilla", by="flops", cut=5e19, spec=SPEC)
    flops = table.numbers("flops")
    assert (result.n_fitted, result.n_hidden) == ((flops < 5e19).sum(), (flops >= 5e19).sum())
    assert result.by == "flops"
    assert result.cut == 5e19
    low = np.array([e.low for e in result.predicted], dtype=float)
    high = np.array([e.high for e in result.predicted], dtype=float)
    inside = (low <= result.measured) & (result.measured <= high)
    document = result.to_dict()
    assert document["coverage"] == inside.mean()
    assert document["mean_log_width"] == pytest.approx(np.log(high / low).mean())
    misses = np.log([e.value for e in result.predicted]) - np.log(result.measured)
    assert document["rmsle"] == pytest.approx(np.sqrt(np.mean(misses**2)))


def test_any_column_can_be_cut() -> None:
    result = backtest(noisy_table(0), "chinchilla", by="n_tokens", cut=1e10, spec=SPEC)
    assert (result.n_tokens >= 1e10).all()


def test_compute_that_is_not_recorded_is_6nd() -> None:
    N, D = isoflop_design(EPOCH, points=9)
    table = table_of(n_params=N, n_tokens=D, loss=chinchilla(EPOCH, N, D))
    result = backtest(table, "chinchilla", cut=5e19, spec=SPEC)
    assert result.n_hidden == int((6 * N * D >= 5e19).sum())


@pytest.mark.parametrize(
    ("by", "cut", "message"),
    [
        ("flops", 1e30, "leaves 45 runs to fit and 0 to predict"),
        ("flops", 1.0, "leaves 0 runs to fit and 45 to predict"),
        ("flop", 1e20, "did you mean flops"),
        ("n_params", None, "say where"),
    ],
)
def test_a_cut_that_divides_nothing_is_refused(by: str, cut: float | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        backtest(noisy_table(0), "chinchilla", by=by, cut=cut, spec=SPEC)


def test_the_same_seed_gives_the_same_backtest() -> None:
    first, second = (backtest(noisy_table(0), cut=5e19, spec=SPEC).to_dict() for _ in range(2))
    assert first == second
