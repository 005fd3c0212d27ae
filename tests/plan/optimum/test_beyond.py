"""How far a plan or a prediction lies beyond the runs is said in decades, by one function."""

import numpy as np
import pytest
from planted import SURFACES, isoflop_design, make_table

import isoflop
from isoflop.fitting.foresight.foresight import foresee, predict_loss
from isoflop.fitting.parametric import FitSpec
from isoflop.plan.optimum.beyond import describe_outside, judge_beyond
from isoflop.plan.optimum.choose import plan_budget, predict_budget

EPOCH = SURFACES["epoch"]
SPEC = FitSpec(n_resamples=100, n_starts=8)
TABLE = make_table(EPOCH, *isoflop_design(EPOCH, points=9), noise=0.005)
FIT = isoflop.fit(TABLE, spec=SPEC)
LARGEST = FIT.data.ranges["flops"][1]
RANGES = {"n_params": (1e6, 1e9)}


def bent_table():
    """Runs whose largest fall off the law: no Chinchilla form, and noise too small to hide it."""
    N, D = isoflop_design(EPOCH, points=9)
    table = make_table(EPOCH, N, D, noise=0.001)
    bend = 0.01 * np.maximum(np.log10(table.numbers("flops")) - 20, 0.0) ** 2
    return table.with_column("loss", table.numbers("loss") * np.exp(bend), note="bent")


def codes(findings) -> list[str]:
    return [finding.code for finding in findings]


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (1e9, ""),
        (1e6, ""),
        (2e9, "n_params is 2.00x (0.3 decades) above the runs fitted"),
        (1e4, "n_params is 100x (2.0 decades) below the runs fitted"),
    ],
)
def test_the_distance_is_in_factors_and_decades(amount: float, words: str) -> None:
    assert describe_outside(RANGES, {"n_params": amount}) == words


@pytest.mark.parametrize(("amount", "far"), [(1e10, False), (2e10, True), (2e4, True)])
def test_far_is_more_than_ten_times(amount: float, far: bool) -> None:
    assert codes(judge_beyond(RANGES, {"n_params": amount})) == ["far-beyond-the-runs"] * far


def test_a_plan_far_beyond_the_runs_is_warned_of_and_a_near_one_is_not() -> None:
    (finding,) = plan_budget(FIT, 1000 * LARGEST).findings
    assert (finding.code, finding.severity) == ("far-beyond-the-runs", "warning")
    assert "flops is 1000x (3.0 decades) above the runs fitted" in finding.evidence
    assert plan_budget(FIT, 3 * LARGEST).findings == ()
    frontier = isoflop.fit(TABLE, method="isoflop", spec=SPEC)
    assert "far-beyond-the-runs" in codes(plan_budget(frontier, 1e27).findings)
    assert "far-beyond-the-runs" not in codes(plan_budget(frontier, 1e21).findings)


def test_a_plan_gives_the_mean_and_a_single_run_and_says_which_is_which() -> None:
    fit = foresee(FIT, TABLE)
    plan = plan_budget(fit, 10 * LARGEST)
    at = {"n_params": plan.n_params.value, "n_tokens": plan.n_tokens.value}
    assert plan.run_loss == predict_budget(fit, at)[0]
    assert plan.loss.value == pytest.approx(plan.run_loss.value, rel=1e-12)
    assert plan.run_loss.low < plan.loss.low < plan.loss.high < plan.run_loss.high
    document = plan.to_dict()
    assert document["loss_covers"] == "mean of runs, the constants' error only"
    assert document["run_loss_covers"] == "a single run, noise in, misfit not suspected"
    unasked = plan_budget(FIT, 10 * LARGEST)
    assert unasked.run_covers == "a single run, noise in, misfit not asked for"


def test_a_suspected_law_is_suspected_in_its_plan_too() -> None:
    table = bent_table()
    fit = foresee(isoflop.fit(table, spec=SPEC), table)
    plan = plan_budget(fit, 5 * LARGEST)
    assert "law-suspected" in codes(plan.findings)
    assert "law-suspected" in [f["code"] for f in plan.to_dict()["findings"]]
    assert plan.run_covers == "a single run, noise and suspected misfit in"
    at = {"n_params": np.array([plan.n_params.value]), "n_tokens": np.array([plan.n_tokens.value])}
    mean = predict_loss(fit, at, future=False)[0]
    assert plan.run_loss.high - plan.run_loss.low > 3 * (mean.high - mean.low)
    assert "law-suspected" not in codes(plan_budget(foresee(FIT, TABLE), LARGEST).findings)


def test_a_published_law_says_why_it_has_no_interval() -> None:
    plan = plan_budget("besiroglu-2024", 1e22)
    assert plan.run_loss is None
    assert plan.loss_covers == "no interval: constants without their covariance"


def test_a_curve_continued_beyond_its_end_is_warned_of(tmp_path) -> None:
    tokens = np.geomspace(1e7, 1e10, 40)
    rows = [{"n_tokens": d, "loss": 2 + 40 * d**-0.2} for d in tokens]
    table = isoflop.RunTable.from_records(rows)
    fit = isoflop.fit(table, "auto", over="n_tokens")
    read = isoflop.read_fit(isoflop.write_fit(fit, tmp_path / "auto.json"))
    for law in (fit, read):
        _, warning = predict_budget(law, {"n_tokens": 1e12})
        assert warning == "n_tokens is 100x (2.0 decades) above the runs fitted"
        assert predict_budget(law, {"n_tokens": 1e10})[1] == ""
