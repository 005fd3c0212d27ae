"""What people type in their first hour: names of forms, amounts, tables as they are."""

from pathlib import Path

import pytest

from isoflop.laws.forms import AMOUNT_FORMS, CURVE_FORMS, form_names

CURVE = "flops,loss\n" + "".join(f"1e1{k},{5 - k / 4}\n" for k in range(10))


@pytest.mark.parametrize("name", [*form_names(), *CURVE_FORMS, *AMOUNT_FORMS])
def test_every_form_is_shown(isoflop, name: str) -> None:
    shown = isoflop("laws", "show", name)
    assert shown.code == 0
    assert shown.out.startswith(f"{name}: ")
    document = isoflop("laws", "show", name, "--json").document
    assert {"name", "response", "form", "variables", "parameters", "source"} == set(document)
    for parameter in document["parameters"]:
        assert parameter["low"] < parameter["high"]
        assert f"  {parameter['name']} " in shown.out


def test_a_form_is_shown_with_units_and_variables(isoflop) -> None:
    lines = isoflop("laws", "show", "chinchilla").out.splitlines()
    assert lines[0] == "chinchilla: loss = E + A/n_params**alpha + B/n_tokens**beta"
    assert "  variables   n_params, n_tokens" in lines
    assert any(line.split()[:2] == ["E", "nats"] for line in lines)
    assert isoflop("laws", "show", "hoffmann").out.splitlines() == lines


def test_a_published_law_is_still_shown_with_its_constants(isoflop) -> None:
    assert "482.01" in isoflop("laws", "show", "Besiroglu_2024").out


def test_auto_is_listed_and_shown(isoflop) -> None:
    lines = isoflop("laws").out.splitlines()
    assert sum(line.split()[:1] == ["auto"] for line in lines) == 1
    assert isoflop("laws", "show", "auto").out.startswith("auto: loss; no formula")


def test_a_budget_takes_a_suffix(isoflop) -> None:
    plain = isoflop("plan", "--law", "besiroglu-2024", "--flops", "1e15")
    assert plain.code == 0
    assert isoflop("plan", "--law", "besiroglu-2024", "--flops", "1000T").out == plain.out


@pytest.mark.parametrize("command", ["fit", "backtest", "breaks", "sensitivity", "compare"])
def test_a_table_without_the_laws_columns_is_told_so(isoflop, command: str) -> None:
    Path("fl.csv").write_text(CURVE)
    extra = ("--laws", "chinchilla") if command == "compare" else ()
    result = isoflop(command, "fl.csv", *extra)
    assert (result.code, result.error) == (
        2,
        "fl.csv: chinchilla is a law of n_params, n_tokens; columns n_params, n_tokens are absent "
        "(found: flops); try --law power-constant --over flops",
    )


def test_the_law_proposed_for_such_a_table_fits_it(isoflop) -> None:
    Path("fl.csv").write_text(CURVE)
    result = isoflop(
        "fit", "fl.csv", "--law", "power-constant", "--over", "flops", "--bootstrap", "0", "--json"
    )
    assert "E" in result.document["params"]


def test_an_unknown_column_to_cut_by_is_named(isoflop, runs: str) -> None:
    result = isoflop("backtest", runs, "--by", "n_parms")
    assert (result.code, result.error) == (2, "unknown column 'n_parms'; did you mean n_params?")
    result = isoflop("backtest", runs, "--by", "n_params")
    assert result.code == 2
    assert "say where: --cut AMOUNT" in result.error


@pytest.mark.parametrize("mark", [";", "|"])
def test_other_separators_are_named(isoflop, mark: str) -> None:
    header, row = mark.join(["n_params", "n_tokens", "loss"]), mark.join(["1e7", "1e9", "3,5"])
    Path("semi.csv").write_text(f"{header}\n{row}\n")
    result = isoflop("fit", "semi.csv")
    assert (result.code, result.error) == (
        2,
        f"semi.csv: looks separated by {mark}, expected commas or tabs",
    )


@pytest.mark.parametrize(
    "arguments", [("compare", "--laws", "chinchilla,auto"), ("breaks", "--law", "auto")]
)
def test_auto_is_sent_where_it_can_be_tested(isoflop, runs: str, arguments) -> None:
    command, *options = arguments
    result = isoflop(command, runs, *options)
    assert result.code == 2
    assert result.error.startswith("auto continues one curve")
    assert "isoflop backtest --law auto" in result.error


def test_the_python_line_of_completion_imports_what_it_uses(isoflop) -> None:
    assert "import click" in isoflop("completion", "--help").out
