"""Formulas and held constants on the command line."""

from pathlib import Path

import pytest
from formulas import ATTACKS
from planted import table_of

from isoflop.exchange.run_tables import write_runs

CHINCHILLA = "E + A/n_params**alpha + B/n_tokens**beta"


@pytest.mark.parametrize("case", ATTACKS)
def test_an_attack_exits_with_2_and_one_line_and_does_nothing(isoflop, runs, case: str) -> None:
    before = sorted(Path().iterdir())
    result = isoflop("fit", runs, "--law", ATTACKS[case], "--json")
    assert result.code == 2
    assert 20 < len(result.error) < 250
    assert sorted(Path().iterdir()) == before


def test_a_formula_is_fitted_saved_and_planned_with(isoflop, runs: str) -> None:
    own = isoflop("fit", runs, "--law", CHINCHILLA, "--bootstrap", "20", "-o", "own.json", "--json")
    built_in = isoflop("fit", runs, "--law", "chinchilla", "--bootstrap", "20", "--json")
    assert own.code == 0
    assert own.document["law"] == "formula"
    assert own.document["form"] == CHINCHILLA
    for name, estimate in own.document["params"].items():
        expected = built_in.document["params"][name]["value"]
        assert estimate["value"] == pytest.approx(expected, rel=1e-6)
    plan = isoflop("plan", "--law", "own.json", "--flops", "1e22", "--json")
    assert plan.code == 0
    assert plan.document["n_params"]["low"] < plan.document["n_params"]["high"]
    predicted = isoflop(
        "predict", "--law", "own.json", "--n-params", "1e10", "--n-tokens", "2e11", "--json"
    )
    assert predicted.code == 0


def test_the_card_writes_letters_out(isoflop, runs: str) -> None:
    result = isoflop("fit", runs, "--law", "E + A/N**alpha + B/D**beta", "--bootstrap", "0")
    assert result.code == 0
    assert f"formula: loss = {CHINCHILLA}" in result.out
    assert "your formula of the columns n_params, n_tokens" in result.out


def test_columns_of_your_own_are_variables(isoflop) -> None:
    width = [64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0]
    table = table_of(hidden=width, loss=[2.0 + 9.0 / w**0.5 for w in width])
    write_runs(table, "widths.csv")
    text = Path("widths.csv").read_text().replace("hidden", "Hidden size")
    Path("widths.csv").write_text(text)
    result = isoflop(
        *("fit", "widths.csv", "--columns", "width=Hidden size", "--law", "E + A/width**p"),
        *("--bootstrap", "0", "--json"),
    )
    assert result.code == 0
    found = {name: e["value"] for name, e in result.document["params"].items()}
    assert found == pytest.approx({"E": 2.0, "A": 9.0, "p": 0.5}, rel=1e-6)
    over = isoflop(
        *("fit", "widths.csv", "--columns", "width=Hidden size", "--law", "power-constant"),
        *("--over", "width", "--bootstrap", "0", "--json"),
    )
    assert over.document["params"]["alpha"]["value"] == pytest.approx(0.5, rel=1e-6)
    assert isoflop("fit", "widths.csv", "--law", "power", "--over", "heights").error == (
        "unknown variable 'heights'; known: Hidden size, loss"
    )


def test_constants_are_declared_and_held(isoflop, runs: str) -> None:
    result = isoflop(
        *("fit", runs, "--law", CHINCHILLA, "--param", "alpha=0.1..0.3", "--param", "E=@1.8"),
        *("--fix", "beta=0.36,B=2000", "--bootstrap", "0", "--json"),
    )
    assert list(result.document["params"]) == ["E", "A", "alpha"]
    assert result.document["params"]["alpha"]["value"] <= 0.3
    assert result.document["derived"]["beta"]["value"] == 0.36
    assert result.document["form"] == f"{CHINCHILLA} with B = 2000, beta = 0.36"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fix", "E"], "--fix wants NAME=NUMBER such as E=1.69, found 'E'"),
        (["--fix", "e=1"], "unknown constant of chinchilla 'e'"),
        (["--fix", "E=-1"], "E = -1 lies outside its bounds"),
        (["--fix", "E=4"], "(and rows 11, 12, 13, 14, 15 and 30 more), not above E = 4 as fixed"),
        (["--param", "E=0..2"], "--param declares constants of a formula, and chinchilla has its"),
        (["--law", CHINCHILLA, "--param", "E"], "--param wants NAME=LOW..HIGH"),
        (["--law", CHINCHILLA, "--param", "F=0..1"], "unknown constant 'F'"),
        (["--method", "isoflop", "--fix", "E=1"], "the isoflop method has no constants to hold"),
        (["--law", "E + A/width**p"], "no column in the formula"),
        (["--law", "E + A/steps**p"], "column `steps` is needed and absent"),
        (["--law", "loss = E + A/loss**p"], "the formula predicts `loss` from itself"),
    ],
)
def test_what_cannot_be_meant_is_one_line(isoflop, runs, arguments, message) -> None:
    result = isoflop("fit", runs, "--bootstrap", "0", *arguments)
    assert result.code == 2
    assert message in result.error
