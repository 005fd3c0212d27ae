"""`isoflop orders` and `isoflop century`: tables for people, one JSON document for programs."""

import csv
import json

import numpy as np
import pytest

SIZES = (1e8, 1e9, 1e10, 1e11)


@pytest.fixture
def scores(tmp_path) -> str:
    path = tmp_path / "scores.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["task", "shots", "n_params", "score_percent"])
        for shots, top in (("few", 80.0), ("zero", 70.0)):
            for k, n in enumerate(SIZES):
                writer.writerow(["CoQA", shots, n, top - 10 * (len(SIZES) - 1 - k)])
    return path.name


def test_orders_in_json_hold_forms_groups_and_findings(isoflop, scores: str) -> None:
    result = isoflop("orders", scores, "--human", "CoQA=95", "--shots", "few", "--json")
    assert (result.code, result.err) == (0, "")
    (task,) = result.document["tasks"]
    assert task["orders"]["linear"]["value"] == pytest.approx(1.5)
    assert set(task["orders"]) == {"linear", "logit", "power-error", "bnsl"}
    assert task["orders"]["bnsl"] is None
    assert task["reasons"]["bnsl"] == "4 usable sizes, 8 needed"
    assert (task["group"], task["human_verified"]) == ("maybe", True)
    assert result.document["findings"] == []
    assert result.document["forms"]["power-error"] == "1 - s = A/x^alpha"
    assert result.document["forms"]["bnsl"].startswith("1 - s = a + b*x**(-c0)*(1 + (x/d1)")


def test_orders_for_people_name_levels_nobody_verified(isoflop, scores: str) -> None:
    result = isoflop("orders", scores)
    assert result.code == 0
    assert "human-level-unverified" in result.out
    assert "no fit" in result.out
    assert "CoQA (few)" in result.out
    assert "CoQA (zero)" in result.out


def test_orders_example_and_python_line_run(isoflop, scores: str) -> None:
    import isoflop as package

    assert isoflop("orders", scores, "--human", "CoQA=88.8", "--shots", "few").code == 0
    found = package.measure_orders(package.read_runs(scores), {"CoQA": 88.8})
    assert len(found.tasks) == 2


def test_figures_are_written_with_their_data(isoflop, scores: str, tmp_path) -> None:
    pytest.importorskip("matplotlib")
    assert isoflop("orders", scores, "--figure", "oom").code == 0
    assert isoflop("century", "--figure", "century").code == 0
    for stem, kind in (("oom", "OrdersFigure"), ("century", "CenturyFigure")):
        assert json.loads((tmp_path / f"{stem}.json").read_text())["figure"] == kind
        assert (tmp_path / f"{stem}.png").stat().st_size > 5000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--human", "CoQA"), "--human wants TASK=PERCENT, such as CoQA=88.8; found 'CoQA'"),
        (("--human", "CoQA=high"), "--human wants TASK=PERCENT"),
        (("--human", "CoQB=90"), "unknown task 'CoQB'; did you mean CoQA?"),
        (("--shots", "five"), "unknown value of shots 'five'"),
        (("--mean",), "the mean of all tasks has no human level; give one: --every 95"),
        (("--over", "flops"), "no column `flops`; a table of scores has task, n_params"),
    ],
)
def test_bad_orders_are_one_line(isoflop, scores: str, arguments, message: str) -> None:
    result = isoflop("orders", scores, *arguments)
    assert result.code == 2
    assert message in result.error


def test_a_run_table_is_no_table_of_scores(isoflop, runs: str) -> None:
    result = isoflop("orders", runs)
    assert result.code == 2
    assert "no column `task`" in result.error


def test_the_century_in_json_is_estimates_and_inputs(isoflop) -> None:
    document = isoflop("century", "--growth", "1e12", "--json").document
    assert document["n_params"]["value"] == pytest.approx(1.007e20, rel=1e-3)
    assert document["n_bytes"]["value"] == pytest.approx(2.085e15, rel=1e-3)
    assert document["inputs"]["growth"] == 1e12
    assert document["loss_unit"] == "nats/token"
    assert document["n_params"]["low"] < document["n_params"]["value"]
    assert {end["stock"]["modality"] for end in document["exhaustion"]} == {
        "text",
        "image",
        "video",
    }


def test_every_input_of_the_century_can_be_replaced(isoflop) -> None:
    document = isoflop(
        "century", "--usd", "1B", "--flops-per-usd", "1e18", "--anchor-flops", "1e24",
        "--anchor-params", "70B", "--anchor-tokens", "1.4T", "--params-exponent", ".5",
        "--tokens-exponent", ".5", "--exponent-error", "0", "--stock", "public-text", "--rule",
        "hoffmann-2022-tex", "--json",
    ).document  # fmt: skip
    assert document["growth"]["value"] == pytest.approx(1e3)
    assert document["n_params"]["value"] == pytest.approx(70e9 * np.sqrt(1e3))
    assert document["n_tokens"] == {
        "value": pytest.approx(1.4e12 * np.sqrt(1e3)), "low": None, "high": None, "level": 0.9,
    }  # fmt: skip
    (end,) = document["exhaustion"]
    assert (end["stock"]["name"], end["rule"]) == ("public-text", "hoffmann-2022-tex")


def test_the_audit_prints_what_was_printed_beside_what_is_right(isoflop) -> None:
    text = isoflop("century", "--audit").out
    for number in (
        "2.085e+15",
        "1.007e+20",
        "0.84120903154",
        "0.84120903155",
        "0.8094",
        "5.754e+08",
    ):
        assert number in text
    rows = isoflop("century", "--audit", "--json").document["audit"]
    assert {"what", "printed", "recomputed", "unit", "verdict", "why"} <= set(rows[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--usd", "-3"), "expected a positive number"),
        (("--tokens-exponent", "-1"), "tokens_exponent must be positive and finite, found -1"),
        (("--stock", "oil"), "unknown stock of data 'oil'"),
        (("--rule", "kaplan-2020-l-n"), "no optimum"),
        (("--inventory", "absent.csv"), "absent.csv"),
        (("--per-year", "1"), "growth a year must exceed 1"),
    ],
)
def test_bad_centuries_are_one_line(isoflop, arguments, message: str) -> None:
    result = isoflop("century", *arguments)
    assert result.code == 2
    assert message in result.error
