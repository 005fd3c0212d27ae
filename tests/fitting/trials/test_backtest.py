"""Hiding the largest budget of a surface that is known."""

from dataclasses import replace

import numpy as np
import pytest
from planted import SURFACES, chinchilla, isoflop_design, make_table, table_of

from isoflop.base.errors import InputError
from isoflop.base.estimate import Estimate
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec
from isoflop.fitting.trials.backtest import backtest, backtest_largest_budget, rank_forms
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.forms import JOINT_FORMS
from isoflop.laws.power import PowerLaw
from isoflop.runs.table import RunTable

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
    assert document["n_test"] == len(document["runs"]) == 9
    assert set(document) >= {"law", "hidden_flops", "inside", "coverage", "findings"}
    assert set(document) >= {"n_train", "n_test", "rmsle", "mean_log_width", "law_at_its_word"}
    assert not {"n_hidden", "n_fitted", "rms_miss"} & set(document)  # one name for one number


def test_a_few_wild_draws_do_not_set_the_width_of_the_law_at_its_word() -> None:
    result = backtest_largest_budget(noisy_table(0), ChinchillaLaw(), SPEC)
    wild = Estimate(2.0, 2e-9, 2e9)
    sane = [np.log(e.high / e.low) for e in result.plain[1:]]  # type: ignore[operator]
    document = replace(result, plain=(wild, *result.plain[1:])).to_dict()
    at_its_word = document["law_at_its_word"]
    assert set(at_its_word) == {"coverage", "median_log_width"}  # type: ignore[call-overload]
    assert at_its_word["median_log_width"] <= max(sane)  # type: ignore[index]


def lifted(seed: int, share: float):
    """Nine sizes at five budgets; every run of the largest lies above the law by a share."""
    table = noisy_table(seed)
    top = table.numbers("flops") > 5e20
    loss = table.numbers("loss") * np.where(top, 1 + share, 1.0)
    names = ("n_params", "n_tokens", "flops")
    return table_of(**{name: table.numbers(name) for name in names}, loss=loss)


@pytest.mark.parametrize(("share", "side"), [(0.06, "9 above theirs"), (-0.06, "and 9 below")])
def test_hidden_runs_outside_their_intervals_are_a_finding(share: float, side: str) -> None:
    result = backtest_largest_budget(lifted(0, share), ChinchillaLaw(), SPEC)
    assert not result.misfit.suspected
    (finding,) = result.findings
    assert (finding.code, finding.severity) == ("backtest-missed", "warning")
    assert "0 of 9 hidden runs inside intervals that should hold 90 %" in finding.evidence
    assert side in finding.evidence
    assert result.to_dict()["findings"] == [finding.to_dict()]
    assert "warning: backtest-missed: 0 of 9" in str(result)


def test_intervals_that_are_right_are_rarely_called_missed() -> None:
    found = [
        backtest_largest_budget(noisy_table(seed), ChinchillaLaw(), SPEC).findings
        for seed in range(40)
    ]
    assert sum(map(len, found)) <= 5  # of a true 5 %, more once in seventy


def test_a_miss_is_positive_where_the_law_was_too_optimistic() -> None:
    for share in (0.05, -0.05):
        result = backtest_largest_budget(lifted(1, share), ChinchillaLaw(), SPEC)
        assert result.median_miss == pytest.approx(np.log1p(share), abs=0.012)
        side = "above" if share > 0 else "below"
        assert f"(measured {side} the prediction)" in str(result)


def test_intervals_that_are_not_there_are_not_called_missed() -> None:
    result = backtest_largest_budget(
        lifted(0, 0.06), ChinchillaLaw(), FitSpec(Objective("squared"), 0, n_starts=8)
    )
    assert result.findings == ()
    assert "covered    no run has an interval" in str(result)
    assert "inside intervals" not in str(result)


def test_ten_of_the_hidden_runs_are_printed_largest_first() -> None:
    result = backtest(noisy_table(0), "chinchilla", cut=1e20, spec=SPEC)
    lines = str(result).splitlines()
    head = next(k for k, line in enumerate(lines) if line.startswith("run "))
    rows = [line.split() for line in lines[head + 1 :]]
    assert len(result.names) == 18
    assert [float(row[2]) for row in rows[:10]] == sorted(float(r[2]) for r in rows[:10])[::-1]
    assert {row[-1] for row in rows[:10]} <= {"inside", "above", "below"}
    assert lines[head + 11] == "and 8 smaller ones, see --json"


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


def test_runs_set_aside_do_not_stretch_the_law_at_its_word() -> None:
    # Four small runs 30 % too high, as on the digitised points of Chinchilla: the
    # fit sets them aside, and one end of every interval must not hold them again.
    N, D = isoflop_design(EPOCH, points=13)
    loss = chinchilla(EPOCH, N, D) * np.exp(0.003 * np.random.default_rng(0).normal(size=len(N)))
    clean = table_of(n_params=N, n_tokens=D, flops=6 * N * D, loss=loss)
    odd_ones = np.argsort(6 * N * D, kind="stable")[[0, 3, 6, 11]]
    spoiled = loss * np.where(np.isin(np.arange(len(N)), odd_ones), 1.3, 1.0)
    odd = table_of(n_params=N, n_tokens=D, flops=6 * N * D, loss=spoiled)
    robust = replace(SPEC, objective=Objective())
    widths = [
        backtest_largest_budget(t, ChinchillaLaw(), robust).to_dict()["law_at_its_word"]
        for t in (clean, odd)
    ]
    calm, wild = (float(w["median_log_width"]) for w in widths)  # type: ignore[index]
    assert wild < 2 * calm


def test_both_widths_printed_are_medians() -> None:
    text = str(backtest_largest_budget(noisy_table(0), ChinchillaLaw(), SPEC))
    assert text.count("median log width") == 2
    assert "mean log width" not in text


def test_too_few_runs_below_the_hidden_ones_are_counted_in_the_refusal() -> None:
    rows = [
        {
            "n_params": n,
            "n_tokens": d,
            "flops": 6 * n * d,
            "loss": 2 + n**-0.34 + d**-0.28,
        }
        for n, d in [(1e5, 1e7), (2e5, 1e7), (4e5, 2e7), (8e5, 4e7), (16e5, 8e7), (32e5, 9e7)]
    ]
    table = RunTable.from_records(rows, source="six.csv")
    with pytest.raises(InputError, match=r"hiding the 4 of 6 runs .* leaves 2 .* at least 6"):
        backtest_largest_budget(table, ChinchillaLaw())
