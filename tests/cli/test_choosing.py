"""`compare` and `breaks` as people and programs call them."""

import json

import numpy as np
import pytest
from planted import SURFACES, chinchilla, isoflop_design, make_table, table_of

from isoflop.exchange.run_tables import write_runs

FAST = ("--bootstrap", "20")


def test_compare_orders_laws_and_says_what_it_left_out(isoflop, runs: str) -> None:
    result = isoflop("compare", runs, "--laws", "kaplan-nd,chinchilla,kaplan-ns", *FAST)
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[0].startswith("45 runs, 5 scales of flops; ordered by the rolling backtest")
    assert lines[2].split()[0] == "chinchilla"
    assert any(line.startswith("left out: kaplan-ns: ") for line in lines)
    assert lines[1].split()[-1] == "covered"
    assert lines[2].split()[-2:][1] == "%"
    assert "covered: hidden runs inside their 90 % intervals" in result.out
    assert "R²" not in result.out
    assert "R2" not in result.out


def test_compare_in_json_is_one_document_with_the_headline_first(isoflop, runs: str) -> None:
    result = isoflop("compare", runs, "--laws", "chinchilla,kaplan-nd", *FAST, "--json")
    laws = result.document["laws"]
    assert [law["law"] for law in laws] == ["chinchilla", "kaplan-nd"]
    assert laws[0]["rolling"]["rmsle"] < laws[1]["rolling"]["rmsle"]
    assert {"aic_c", "bic", "scale_out", "determined"} <= set(laws[0])
    assert {"largest", "rmsle", "coverage", "constant"} <= set(laws[0]["rolling"]["origins"][0])


def test_a_formula_is_compared_as_any_law(isoflop, runs: str) -> None:
    formula = "E + A/n_params**alpha + B/n_tokens**alpha"
    result = isoflop("compare", runs, "--laws", "chinchilla", "--law", formula, *FAST, "--json")
    assert len(result.document["laws"]) == 2


def test_an_unknown_law_is_one_line(isoflop, runs: str) -> None:
    result = isoflop("compare", runs, "--laws", "chinchila")
    assert result.code == 2
    assert "did you mean chinchilla" in result.error


def test_compare_methods_prices_the_difference(isoflop, runs: str) -> None:
    result = isoflop("compare", runs, "--methods", "--flops", "1e22", *FAST)
    assert result.code == 0
    assert result.out.startswith("at 1.00e22 FLOPs; waste by the chinchilla law")
    document = isoflop("compare", runs, "--methods", "--flops", "1e22", *FAST, "--json").document
    parametric, parabolas = document["methods"]
    assert (parametric["method"], parametric["waste"]) == ("parametric", 0)
    assert 0 < parabolas["waste"] < 0.1
    assert document["findings"][0]["code"] in ("methods-agree", "methods-disagree")


@pytest.mark.parametrize(("lift", "code"), [(1.0, 0), (1.04, 1)])
def test_breaks_exits_with_one_where_a_break_is_seen(
    isoflop, tmp_path, lift: float, code: int
) -> None:
    theta = SURFACES["epoch"]
    N, D = isoflop_design(theta, points=9, budgets=np.geomspace(1e18, 1e21, 7))
    loss = make_table(theta, N, D, noise=0.004).numbers("loss")
    loss = loss * np.where(6 * N * D > 2e20, lift, 1.0)
    write_runs(table_of(n_params=N, n_tokens=D, flops=6 * N * D, loss=loss), tmp_path / "b.csv")
    result = isoflop("breaks", "b.csv", "--json")
    assert result.code == code
    assert result.document["seen"] == bool(code)
    assert result.document["detectable"] == pytest.approx(0.0067, rel=0.35)
    assert "detectable, 4 in 5" in isoflop("breaks", "b.csv").out
    assert result.document["loss"]["kind"] == "robust"
    other = isoflop("breaks", "b.csv", "--loss", "huber", "--json")
    assert (other.code, other.document["loss"]["kind"]) == (code, "huber")


def test_table_options_are_those_of_fit(isoflop, tmp_path) -> None:
    theta = SURFACES["epoch"]
    N, D = isoflop_design(theta, points=9, budgets=np.geomspace(1e18, 1e21, 7))
    loss = chinchilla(theta, N, D)
    loss[0] = 50.0
    (tmp_path / "odd.csv").write_text(
        "size,compute,loss\n"
        + "".join(f"{n},{6 * n * d},{y}\n" for n, d, y in zip(N, D, loss, strict=True))
    )
    result = isoflop(
        "breaks", "odd.csv", "--columns", "n_params=size,flops=compute", "--derive", "n_tokens",
        "--drop-highest-loss", "1", "--json",
    )  # fmt: skip
    assert json.loads(result.out)["n_fitted"] == 44


def test_sensitivity_prints_every_loss_and_the_runs_that_weigh_most(isoflop, runs: str) -> None:
    result = isoflop("sensitivity", runs, "--flops", "1e23", "--drop", "0,2", *FAST)
    assert result.code == 0
    for name in ("robust", "Huber 1e-3", "squares of log loss", "squares of loss"):
        assert sum(line.startswith(name) for line in result.out.splitlines()) == 2
    assert "each run left out in turn" in result.out
    document = isoflop("sensitivity", runs, "--flops", "1e23", *FAST, "--json").document
    assert document["target"] == 1e23
    assert len(document["cells"]) == 8
    assert len(document["dropped_runs"]) == 45
    assert {"loss", "dropped", "a", "tokens_per_param"} == set(document["cells"][0])


@pytest.mark.parametrize("drop", ["two", "-1", "0,40"])
def test_sensitivity_refuses_numbers_of_runs_that_make_no_sense(
    isoflop, runs: str, drop: str
) -> None:
    result = isoflop("sensitivity", runs, f"--drop={drop}", *FAST)
    assert result.code == 2
    assert result.error


@pytest.fixture
def rivals(tmp_path) -> tuple[str, str]:
    """Two tables, the second's recipe with a lower floor."""
    theta = SURFACES["epoch"]
    N, D = isoflop_design(theta, points=9)
    for name, floor, seed in (("a.csv", theta[0], 1), ("b.csv", 1.70, 2)):
        table = make_table((floor, *theta[1:]), N, D, noise=0.003, seed=seed)
        write_runs(table, tmp_path / name)
    return "a.csv", "b.csv"


def test_race_says_who_wins_and_by_how_much(isoflop, rivals: tuple[str, str]) -> None:
    result = isoflop("race", *rivals, "--bootstrap", "60")
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[0].startswith("A a.csv, 45 runs; B b.csv, 45 runs; chinchilla, 90 % intervals")
    assert lines[1].startswith("B wins: at 1.00e21 flops A spends ")
    assert "A needs × compute" in result.out
    document = isoflop("race", *rivals, "--flops", "1e22", "--bootstrap", "60", "--json").document
    (lap,) = document["laps"]
    assert lap["extrapolated"]
    assert lap["multiplier"]["low"] < lap["multiplier"]["value"]
    assert document["distinguishable"] is True
    assert [e["name"] for e in document["exponents"]] == ["E", "alpha", "beta", "a"]


def test_a_table_raced_against_itself_is_not_distinguishable(isoflop, runs: str) -> None:
    result = isoflop("race", runs, runs, *FAST)
    assert result.code == 0
    assert "not distinguishable" in result.out.splitlines()[1]


def test_race_draws_its_figure_and_the_data_beside_it(
    isoflop, rivals: tuple[str, str], tmp_path
) -> None:
    result = isoflop("race", *rivals, "--figure", "race", *FAST)
    assert result.code == 0
    assert {path.suffix for path in tmp_path.glob("race.*")} == {".png", ".svg", ".csv", ".json"}
