"""The decisions' commands: the digits of the papers, JSON in full, intervals from a fit."""

import re

import pytest

from isoflop.exchange.run_tables import write_runs
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.fitting.saved import write_fit
from isoflop.laws.kaplan import KaplanStepsLaw
from isoflop.runs.table import RunTable

ESTIMATE = {"value", "low", "high", "level"}


def test_stop_prints_the_rule_and_says_there_is_no_interval(isoflop) -> None:
    result = isoflop("kaplan", "stop")
    for digits in ("10.1 %", "2.71×", "7.64×", "64.6 %"):
        assert digits in result.out
    assert "published constants carry no covariance; no interval can be given" in result.err
    document = isoflop("kaplan", "stop", "--json").document
    assert set(document["compute_saved"]) == ESTIMATE
    assert document["compute_saved"]["low"] is None
    assert f"{document['params_ratio']['value']:.1f}" == "2.7"


def test_size_split_and_overfit_give_the_papers_digits(isoflop) -> None:
    size = isoflop("kaplan", "size", "--ratio", "2.2", "--json").document
    assert (f"{size['smallest']['value']:.3f}", f"{size['largest']['value']:.3f}") == (
        "0.577",
        "2.183",
    )
    split = isoflop("kaplan", "split", "--json").document
    assert split["compute"] == 1e9
    assert f"{split['exponents']['n_params']['value']:.2f}" == "0.73"
    overfit = isoflop("kaplan", "overfit", "--n-params", "1B", "--n-tokens", "5B", "--json")
    assert f"{overfit.document['prefactor']['value']:.3g}" == "5.52e+03"
    assert set(overfit.document["at_hand"]["penalty"]) == ESTIMATE
    assert "D ≥ 5519·N^0.738" in isoflop("kaplan", "overfit", "--n-params", "1B").out


def test_batch_takes_a_budget_or_a_loss_or_a_fit_and_only_one(isoflop) -> None:
    by_budget = isoflop("kaplan", "batch", "--flops", "8.64e19", "--json").document
    assert f"{by_budget['critical_batch']['value']:.1e}" == "2.0e+06"
    assert [f"{t['tokens_ratio']['value']:.1f}" for t in by_budget["trades"]][2] == "2.0"
    by_loss = isoflop("kaplan", "batch", "--loss", "3", "--n-params", "1T", "--json").document
    assert f"{by_loss['critical_batch']['value']:.2e}" == "1.12e+06"
    for wrong in ((), ("--loss", "3"), ("--flops", "1e21", "--loss", "3", "--n-params", "1T")):
        refused = isoflop("kaplan", "batch", *wrong)
        message = "give one of --flops, --loss with --n-params, or --measured"
        assert (refused.code, refused.error) == (2, message)


def test_data_gives_the_plan_the_worth_and_the_offers(isoflop) -> None:
    document = isoflop("data", "--flops", "1e22", "--unique", "25B", "--json").document
    assert f"{document['plan']['epochs']['value']:.2f}" == "9.49"
    assert [f"{row['worth']['value']:.2f}" for row in document["worth"]["table"]][-1] == "16.39"
    assert document["more_data"]["offers"][0]["flops_equal"]["value"] > 1e22
    beyond = isoflop("data", "--flops", "1e26", "--unique", "25B", "--more", "1000")
    assert beyond.out.rstrip().endswith("—")  # no compute replaces so much data
    assert "outside the runs fitted" in beyond.err


def test_inference_and_overtrain(isoflop) -> None:
    document = isoflop("inference", "--served", "1e11", "--n-params", "7B", "--json").document
    assert f"{document['n_params']['value']:.2e}" == "6.00e+09"
    assert f"{document['tokens_ratio']['value']:.3f}" == "1.176"
    assert "1.18× its tokens" in isoflop("inference", "--served", "1e11", "--n-params", "7B").out
    rows = isoflop("overtrain", "--flops", "1e21", "--factor", "32", "--json").document["table"]
    assert rows[0]["equal_flops"]["value"] > 2
    nobody = isoflop("inference", "--served", "1e11")
    assert nobody.error.startswith("give the model (n_params, perhaps n_tokens) or its loss")


def test_size_prices_the_budget_in_dollars_too(isoflop) -> None:
    law = ("--law", "besiroglu-2024", "--flops", "1e21")
    rows = isoflop("size", *law, "--ratio", "2", "--ratio", "4", "--json").document["table"]
    assert [f"{row['wasted']['value']:.3f}" for row in rows] == ["0.157", "0.486"]
    shown = isoflop("size", *law, "--ratio", "4", "--usd", "10k").out
    assert "48.6 %" in shown
    assert "4856" in shown


def test_tune_says_how_far_each_rule_reaches(isoflop) -> None:
    result = isoflop("tune", "--n-params", "175B", "--n-tokens", "300B")
    for words in ("outside the formula's domain", "flops 15750× outside", "1.00e17 to 2.00e19"):
        assert words in result.out
    document = isoflop("tune", "--n-params", "1B", "--n-tokens", "20B", "--json").document
    rows = {row["rule"]: row for row in document["rows"]}
    assert f"{rows['li-2025-batch']['value']['value']:.1e}" == "4.4e+05"
    assert rows["deepseek-2024-lr"]["beyond"] == {"flops": pytest.approx(6.0)}


def test_a_saved_fit_brings_its_interval_to_every_line(isoflop, tmp_path) -> None:
    law, rows = KaplanStepsLaw(), []
    for N in (1e6, 1e7, 1e8, 1e9):
        for S in (1e3, 5e3, 2e4, 1e5):
            loss = ((6.5e13 / N) ** 0.077 + (2.1e3 / S) ** 0.76) * (1 + 0.001 * (len(rows) % 5 - 2))
            rows.append({"n_params": N, "steps": S, "loss": loss})
    write_runs(RunTable.from_records(rows), tmp_path / "steps.csv")
    table = RunTable.from_records(rows, source="steps.csv")
    fit = fit_parametric(table, law, FitSpec(Objective("squared"), n_resamples=60))
    write_fit(fit, tmp_path / "steps.json")
    result = isoflop("kaplan", "stop", "--law", "steps.json", "--json")
    for name in ("params_ratio", "steps_ratio", "compute_saved"):
        estimate = result.document[name]
        assert estimate["low"] < estimate["value"] < estimate["high"]
    assert "covariance" not in result.err
    assert isoflop("kaplan", "stop", "--law", "steps.json").out.count("[") == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["kaplan", "stop", "--law", "kaplan-2020-sn"], "unknown law 'kaplan-2020-sn'; did you"),
        (["kaplan", "stop", "--law", "hoffmann-2022"], "hoffmann-2022 is of the form chinchilla"),
        (["kaplan", "size", "--ratio", "-2"], "Invalid value for '--ratio': expected a positive"),
        (["data", "--flops", "1e22", "--unique", "many"], "Invalid value for '--unique'"),
        (["data", "--flops", "1e22", "--unique", "1B", "--epochs", "0.5"], "epochs must be at le"),
        (["overtrain", "--flops", "-1"], "Invalid value for '--flops'"),
        (["tune", "--n-params", "1B", "--n-tokens", "1B", "--rule", "besiroglu-2024"],
         "besiroglu-2024 predicts loss from"),
        (["inference", "--served", "1T", "--n-params", "7B", "--law", "kaplan-2020-l-n"],
         "kaplan-2020-l-n is a law of n_params; needed: one of n_params, n_tokens"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(isoflop, arguments: list[str], message: str) -> None:
    result = isoflop(*arguments)
    assert result.code == 2
    assert result.error.startswith(message)


def test_a_question_without_an_answer_is_refused(isoflop) -> None:
    never = isoflop("kaplan", "batch", "--loss", "1.5", "--n-params", "1B")
    assert never.code == 1
    assert "never reaches 1.5 nats" in never.error
    assert isoflop("kaplan", "size", "--ratio", ".2").code == 1


SLIPS = (
    "kaplan batch --flops",
    "kaplan batch --flops 1e21 --batch",
    "kaplan batch --n-params 1e9 --loss",
    "kaplan batch --loss 3 --n-params",
    "kaplan overfit --n-params",
    "kaplan overfit --n-params 1e9 --tolerance",
    "kaplan overfit --n-params 1e9 --n-tokens",
    "kaplan split --compute",
    "kaplan size --excess",
    "kaplan size --ratio",
    "kaplan stop --instead",
    "kaplan stop --loss",
    "data --unique 1e9 --flops",
    "data --flops 1e22 --unique",
    "data --flops 1e22 --unique 1e9 --more",
    "data --flops 1e22 --unique 1e9 --epochs",
    "inference --n-params 7e9 --served",
    "inference --served 1e12 --loss",
    "inference --served 1e12 --n-params 7e9 --n-tokens",
    "inference --served 1e12 --n-params 7e9 --price-ratio",
    "overtrain --flops",
    "overtrain --flops 1e21 --factor",
    "size --law besiroglu-2024 --flops",
    "size --law besiroglu-2024 --flops 1e21 --ratio",
    "tune --n-tokens 1e10 --n-params",
    "tune --n-params 1e9 --n-tokens",
    "tune --n-params 1e9 --n-tokens 1e10 --loss",
)


@pytest.mark.parametrize("command", SLIPS)
@pytest.mark.parametrize("amount", ["1e-300", "1", "1e9", "1e300"])
def test_a_slip_of_the_keyboard_gives_a_number_or_one_line(isoflop, command, amount) -> None:
    result = isoflop(*command.split(), amount, "--json")
    assert result.code in (0, 1, 2)
    if result.code:
        assert result.error
    else:
        assert result.document
    shown = isoflop(*command.split(), amount).out
    assert not re.search(r"\b(nan|inf)\b", shown)
