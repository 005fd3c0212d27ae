"""Which law is meant, and what it predicts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from planted import SURFACES, chinchilla, isoflop_design, make_table

import isoflop
from isoflop.base.errors import InputError, UnknownNameError
from isoflop.fitting.fit import Fit
from isoflop.fitting.parametric import FitSpec
from isoflop.fitting.saved import write_fit
from isoflop.laws.catalog import PublishedLaw
from isoflop.plan.optimum.choose import choose_law, plan_budget, predict_budget

EPOCH = SURFACES["epoch"]
SPEC = FitSpec(n_resamples=60, n_starts=8)
TABLE = make_table(EPOCH, *isoflop_design(EPOCH, points=9), noise=0.003)
FIT = isoflop.fit(TABLE, spec=SPEC)


def test_a_name_is_a_published_law_and_a_path_is_a_file(tmp_path: Path) -> None:
    assert isinstance(choose_law("besiroglu-2024"), PublishedLaw)
    path = write_fit(FIT, tmp_path / "law.json")
    assert choose_law(str(path)).to_dict() == FIT.to_dict()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("besiroglu-2025", r"unknown law 'besiroglu-2025'; did you mean besiroglu-2024"),
        ("none.json", r"none\.json: no such file"),
        (
            "chinchilla",
            "chinchilla is a form without constants: fit it, or use constants of it such as "
            "besiroglu-2024",
        ),
        ("kaplan", r"kaplan \(kaplan-nd\) is a form without.* such as kaplan-2020-nd"),
        ("kaplan-d", "kaplan-d is a form without.* such as kaplan-2020-l-d"),
        ("m4", r"m4 is a form without constants: fit it \(isoflop fit -o law.json\)"),
    ],
)
def test_what_is_neither_is_refused(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        choose_law(name)


def test_an_unknown_law_is_an_unknown_name() -> None:
    with pytest.raises(UnknownNameError):
        choose_law("chinchilla-2099")


def test_a_published_law_predicts_its_formula() -> None:
    estimate, warning = predict_budget("besiroglu-2024", {"n_params": 7e9, "n_tokens": 1.4e11})
    assert estimate.value == pytest.approx(chinchilla(EPOCH, 7e9, 1.4e11), rel=1e-12)
    assert estimate.low is None
    assert warning == ""


def test_rounded_constants_come_with_a_warning() -> None:
    _, warning = predict_budget("hoffmann-2022", {"n_params": 7e10, "n_tokens": 1.4e12})
    assert "rounded" in warning
    assert any("rounded" in note for note in plan_budget("hoffmann-2022", 1e22).notes)


def test_a_fit_predicts_one_future_run_with_an_interval() -> None:
    estimate, warning = predict_budget(FIT, {"n_params": 1e9, "n_tokens": 2e10})
    truth = chinchilla(EPOCH, 1e9, 2e10)
    assert estimate.low < truth < estimate.high
    assert np.log(estimate.high / estimate.low) / 2 == pytest.approx(1.645 * 0.003, rel=0.35)
    assert warning == ""


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"n_params": 1e9}, "is a law of n_params, n_tokens; give --n-tokens"),
        ({}, "give --n-params, --n-tokens"),
        ({"n_params": 0.0, "n_tokens": 1e9}, "n_params must be positive, found 0"),
        ({"n_params": 1e9, "n_tokens": -1.0}, "n_tokens must be positive, found -1"),
        ({"n_params": float("nan"), "n_tokens": 1e9}, "n_params must be positive, found nan"),
        ({"n_params": 1e9, "n_tokens": float("inf")}, "n_tokens must be positive, found inf"),
    ],
)
@pytest.mark.parametrize("law", ["besiroglu-2024", "fit"])
def test_a_run_that_is_none_is_refused(law: str, inputs: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        predict_budget(FIT if law == "fit" else law, inputs)


def test_a_frontier_predicts_no_single_run() -> None:
    frontier = isoflop.fit(TABLE, method="isoflop", spec=SPEC)
    with pytest.raises(InputError, match="a frontier plans budgets"):
        predict_budget(frontier, {"n_params": 1e9, "n_tokens": 1e9})


def test_a_published_name_is_found_however_it_is_written() -> None:
    assert choose_law("Besiroglu_2024") is choose_law("besiroglu-2024")


def test_inputs_the_law_does_not_read_are_named_in_a_warning() -> None:
    inputs = {"n_params": 7e9, "n_tokens": 1.4e11, "flops": 1e23}
    estimate, warning = predict_budget("besiroglu-2024", inputs)
    assert warning == "chinchilla does not read flops"
    assert estimate.value == pytest.approx(chinchilla(EPOCH, 7e9, 1.4e11), rel=1e-12)


def test_a_run_outside_those_fitted_is_warned_of_in_decades() -> None:
    _, warning = predict_budget(
        FIT, {"n_params": FIT.data.ranges["n_params"][1] * 50, "n_tokens": 1e10}
    )
    assert warning == "n_params is 50.0x (1.7 decades) above the runs fitted"


def test_a_run_table_is_not_a_law_and_is_told_to_be_fitted(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("n_params,n_tokens,loss\n1e8,1e9,3.1\n")
    with pytest.raises(InputError, match=r"runs\.csv: a run table; fit it first"):
        plan_budget(str(path), 1e20)


# Besiroglu et al. 2024 fitted runs of 5.7e7 to 1.62e10 parameters, 8.1e8 to 3.2e11 tokens.
def test_beyond_the_runs_of_a_paper_plan_and_prediction_say_how_far() -> None:
    plan = plan_budget("besiroglu-2024", 1e30)
    assert "besiroglu-2024: n_params 1.14e14 is 7044× outside the runs fitted" in plan.notes
    assert [finding.code for finding in plan.findings] == ["far-beyond-the-runs"]
    assert "interval" not in plan.findings[0].consequence
    _, warning = predict_budget("besiroglu-2024", {"n_params": 1e15, "n_tokens": 10})
    for words in ("n_params 1.00e15 is 61728×", "n_tokens 10.0 is 8.10e7×"):
        assert f"besiroglu-2024: {words} outside the runs fitted" in warning


def test_within_the_runs_of_a_paper_nothing_is_said() -> None:
    plan = plan_budget("besiroglu-2024", 1e20)
    assert not any("outside" in note for note in plan.notes)
    assert plan.findings == ()
    assert predict_budget("besiroglu-2024", {"n_params": 1e9, "n_tokens": 2e10})[1] == ""


def test_a_plan_above_a_measured_loss_is_warned_of_from_the_file_too(tmp_path: Path) -> None:
    assert isinstance(FIT, Fit)
    healthy = plan_budget(FIT, 1e22)
    assert "planned-above-measured" not in [finding.code for finding in healthy.findings]
    lucky = replace(FIT, data=replace(FIT.data, best=((1e18, healthy.loss.value * 0.9),)))
    path = write_fit(lucky, tmp_path / "law.json")
    for plan in (plan_budget(lucky, 1e22), plan_budget(str(path), 1e22)):
        assert "planned-above-measured" in [finding.code for finding in plan.findings]
