"""`isoflop crossing` and `isoflop regime` on the command line."""

import numpy as np
import pytest

from isoflop.exchange.run_tables import write_runs
from isoflop.runs.table import RunTable

PF_DAY = 8.64e19


@pytest.fixture
def own_laws(isoflop, tmp_path):
    """Fits of L(C) and of L(D), saved in the current folder."""
    for name, variable, scale, exponent, ends in (
        ("lc", "flops", 3.1e8 * PF_DAY, 0.05, (1e17, 1e21)),
        ("ld", "n_tokens", 5.4e13, 0.095, (1e7, 1e10)),
    ):
        x = np.geomspace(*ends, 12)
        loss = (scale / x) ** exponent * np.exp(
            0.002 * np.random.default_rng(1).standard_normal(12)
        )
        rows = [{variable: a, "loss": b} for a, b in zip(x, loss, strict=True)]
        write_runs(RunTable.from_records(rows), tmp_path / f"{name}.csv")
        fit = ("fit", f"{name}.csv", "--law", "power", "--over", variable, "--bootstrap", "100")
        assert isoflop(*fit, "-o", f"{name}.json").code == 0
    return "--compute-law", "lc.json", "--data-law", "ld.json"


def test_own_laws_cross_with_an_interval(isoflop, own_laws) -> None:
    result = isoflop("crossing", *own_laws, "--rounding", "ignored", "--json")
    days = result.document["pf_days"]
    assert days["low"] < 11189 < days["high"]
    assert result.document["constants"]["compute_law"]["name"] == "lc.json"
    assert result.document["assumed"]["data_law"].endswith("draws of its fit")
    shown = isoflop("crossing", *own_laws).out
    assert "outside the flops of the runs fitted" in shown


def test_own_laws_with_tokens_in_proportion(isoflop, own_laws) -> None:
    result = isoflop("crossing", *own_laws, "--tokens-per-param", "1", "--json").document
    assert result["n_tokens"]["value"] == pytest.approx(result["n_params"]["value"])


def test_the_table_prints_every_set(isoflop) -> None:
    document = isoflop("crossing", "--table", "--json").document
    assert [row["agrees"] for row in document["rows"]] == [True] * 8
    assert document["kaplan_6_3"] == ["1e4", "1e12", "1e12", "1.7"]
    shown = isoflop("crossing", "--table").out
    assert "1.06e5 / 1.06e5" in shown
    assert "8 of 8 sets agree in every digit" in shown


def test_errors_of_exponents_widen_the_interval(isoflop) -> None:
    narrow, wide = (
        isoflop("crossing", "--rounding", "ignored", "--compute-error", error, "--json").document
        for error in ("0.0002", "0.002")
    )
    assert wide["flops"]["high"] > 2 * narrow["flops"]["high"]
    assert narrow["flops"]["value"] == wide["flops"]["value"]


def test_the_figure_is_written(isoflop, tmp_path) -> None:
    result = isoflop("crossing", "--figure", "contradiction", "--json")
    assert result.document["pf_days"]["value"] > 1e4
    assert {path.suffix for path in tmp_path.glob("contradiction.*")} == {
        ".png", ".svg", ".csv", ".json",
    }  # fmt: skip
    assert "written to contradiction.png" in result.err


def test_a_figure_may_not_overwrite_a_law(isoflop, own_laws, tmp_path) -> None:
    before = (tmp_path / "lc.json").read_bytes()
    result = isoflop("crossing", *own_laws, "--figure", "lc")
    assert result.code == 2
    assert "--figure lc would overwrite lc.json" in result.error
    assert (tmp_path / "lc.json").read_bytes() == before


def test_gpt_3s_mix(isoflop) -> None:
    document = isoflop("regime", "--mix", "gpt-3", "--n-tokens", "300B", "--json").document
    assert document["n_tokens_unique"] == pytest.approx(238e9)
    assert f"{document['effective_epochs']:.2f}" == "1.26"
    assert (
        "2.38e11 of them distinct: 1.26 effective epochs"
        in isoflop("regime", "--mix", "gpt-3", "--n-tokens", "300B").out
    )


def test_a_plan_and_its_mix(isoflop) -> None:
    plan = ("regime", "--law", "kaplan-2020-nd", "--n-params", "175B", "--n-tokens", "300B")
    document = isoflop(*plan, "--mix", "gpt-3", "--json").document
    assert document["regime"] == "repeat-limited"
    assert document["mix"]["n_tokens_unique"] == document["n_tokens_unique"]
    assert "not credible by the rule of 1.1" in isoflop(*plan, "--mix", "gpt-3").out


def test_a_budget_is_planned_first_and_stands_on_the_border(isoflop, law) -> None:
    document = isoflop("regime", "--law", law, "--flops", "1e22", "--json").document
    margins = [document["margins"][name]["value"] for name in ("parameters", "data")]
    assert margins[0] == pytest.approx(margins[1], rel=1e-3)
    assert sum(document["shares"].values()) == pytest.approx(1)
    assert "(draws: " in isoflop("regime", "--law", law, "--flops", "1e22").out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["crossing", "--compute-law", "kaplan-2020-lcmin"], "did you mean kaplan-2020-l-cmin"),
        (["crossing", "--data-law", "nofile.json"], "nofile.json: no such file"),
        (["crossing", "--data-law", "kaplan-2020-l-n"], "data_law must predict loss from n_tokens"),
        (["crossing", "--compute-error", "-1"], "a standard error is 0 or more, found -1"),
        (["crossing", "--compute-law", "besiroglu-2024-l-c"], "they do not cross"),
        (["crossing", "--compute-law", "besiroglu-2024-l-c", "--compute-error", "0.1"],
         "has no single exponent"),
        (["crossing", "--tokens-per-param", "0"], "expected a positive number"),
        (["crossing", "--table", "--data-law", "ld.json"], "--table has its own laws"),
        (["crossing", "--table", "--figure", "x"], "--table has its own laws"),
        (["crossing", "--tokens-per-param", "20", "--params-rule", "kaplan-2020-n-opt"],
         "leave the others out"),
        (["regime", "--law", "besiroglu-2024"], "give --n-tokens"),
        (["regime", "--n-tokens", "1B"], "a regime needs --law with --n-params"),
        (["regime", "--mix", "none.csv", "--n-tokens", "1B"], "none.csv: no such mix"),
        (["regime", "--mix", "gpt-3", "--n-tokens", "1B", "--n-params", "1B"], "needs --law"),
        (["regime", "--mix", "gpt-3", "--n-tokens", "1B", "--n-tokens-unique", "1B"],
         "leave --n-tokens-unique out"),
        (["regime", "--law", "besirolgu-2024", "--n-params", "1B", "--n-tokens", "1B"],
         "did you mean besiroglu-2024"),
        (["regime", "--law", "besiroglu-2024", "--flops", "1e22", "--n-params", "1B"],
         "give it without them"),
        (["regime", "--law", "besiroglu-2024", "--n-params", "1B", "--n-tokens", "1B",
          "--n-vocab", "2"], "knowing nothing must cost more"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_error(isoflop, arguments: list[str], message: str) -> None:
    result = isoflop(*arguments)
    assert result.code in (1, 2)
    assert message in result.error
