"""What a first reader stumbled over: names, units, intervals of no width, the order of messages."""

import re
import sys

import pytest
from planted import SURFACES, isoflop_design, make_table

import isoflop as library
from isoflop.exchange.run_tables import write_runs
from isoflop.fitting.parametric import FitSpec
from isoflop.fitting.saved import write_fit

EPOCH = SURFACES["epoch"]


@pytest.fixture(scope="module")
def table():
    return make_table(EPOCH, *isoflop_design(EPOCH, points=7), noise=0.003, seed=1)


@pytest.fixture(scope="module")
def law(table, tmp_path_factory) -> str:
    fit = library.fit(table, "chinchilla", spec=FitSpec(n_resamples=40, n_starts=8))
    return str(write_fit(fit, tmp_path_factory.mktemp("law") / "law.json"))


@pytest.mark.parametrize("command", ["size", "overtrain"])
def test_tables_of_a_fit_fit_a_screen_and_exact_numbers_have_no_interval(isoflop, law, command):
    out = isoflop(command, "--flops", "1e22", "--law", law).out
    rows = [line for line in out.splitlines() if re.match(r" *[\d.]+×", line)]
    assert max(len(line) for line in rows) <= 110
    assert any("[" in line for line in rows)
    assert "1.0000000" not in out
    assert "[0, 0]" not in out


def test_compute_at_the_same_size_and_at_the_same_ratio_are_named_apart(isoflop) -> None:
    size = isoflop("size", "--flops", "1e22", "--law", "besiroglu-2024").out
    over = isoflop("overtrain", "--flops", "1e22").out
    assert "compute, same N" in size
    assert "compute, same D/N" not in size
    assert "compute, same D/N" in over
    assert "wasted: share of the budget" in size
    assert "compute*" not in size + over


@pytest.mark.parametrize(
    ("command", "law", "said"),
    [
        ("overtrain --flops 1e21", "gadre-2024-redpajama", "nats per GPT-NeoX token"),
        ("inference --served 1e11 --n-params 7B", "sardana-2024", "2N inferred"),
        ("data --flops 1e22 --unique 25B", "muennighoff-2023-repeated", "n_tokens_unique distinct"),
    ],
)
def test_a_law_by_default_is_named_in_the_first_line(isoflop, command, law, said) -> None:
    lines = isoflop(*command.split()).out.splitlines()
    assert lines[0].startswith(f"law  {law}: ")
    assert said in lines[1]


@pytest.mark.parametrize(
    "command",
    [
        "plan --law besiroglu-2024 --flops 1e21",
        "predict --law besiroglu-2024 --n-params 1B --n-tokens 20B",
        "size --law besiroglu-2024 --flops 1e21",
        "overtrain --flops 1e21",
        "inference --served 1e11 --n-params 7B",
        "data --flops 1e22 --unique 25B",
        "regime --law besiroglu-2024 --flops 1e21",
    ],
)
def test_losses_have_a_unit(isoflop, command) -> None:
    told = [line for line in isoflop(*command.split()).out.splitlines() if "loss" in line]
    assert any("nats/token" in line for line in told if not line.startswith(" " * 5 + "loss in"))


def test_other_quantities_have_theirs(isoflop, law) -> None:
    transfer = ("predict", "--law", "hernandez-2021-text", "--n-params", "1B")
    assert "characters" in isoflop(*transfer, "--at", "n_finetune=3e5").out


def test_the_unit_is_the_fits_own(isoflop, table, tmp_path) -> None:
    runs = table.with_column("loss", table.numbers("loss") / 3)
    records = [
        {name: float(runs.numbers(name)[k]) for name in ("n_params", "n_tokens", "flops", "loss")}
        | {"loss_unit": "bits/byte"}
        for k in range(len(runs))
    ]
    fit = library.fit(
        type(table).from_records(records), "chinchilla", spec=FitSpec(n_resamples=20, n_starts=8)
    )
    path = str(write_fit(fit, tmp_path / "bits.json"))
    assert " bits/byte" in isoflop("plan", "--law", path, "--flops", "1e21").out
    assert "loss, bits/byte" in isoflop("size", "--law", path, "--flops", "1e21").out


def test_the_regime_of_an_optimum_is_balanced_and_says_what_it_multiplies(isoflop) -> None:
    out = isoflop("regime", "--law", "besiroglu-2024", "--flops", "1e23").out
    assert out.startswith("balanced\n")
    assert "above the irreducible loss 5.71 times as much" in out
    assert "  epochs" not in out
    repeated = ("--n-params", "7B", "--n-tokens", "1T", "--n-tokens-unique", "100B")
    assert "  epochs" in isoflop("regime", "--law", "besiroglu-2024", *repeated).out


def test_a_crossing_labels_its_errors_and_says_first_that_nobody_meets_it(isoflop, law) -> None:
    given = isoflop("crossing", "--compute-error", "0.002").out
    assert "± 0.00329, 90 % by the standard error 0.002 given" in given
    assert given.startswith("C*")
    far = isoflop("crossing", "--tokens-rule", law).out
    assert far.startswith("beyond 1e+40 FLOPs: not a crossing anyone will meet")
    assert far.count("anyone will meet") == 1


def test_a_loss_below_the_irreducible_is_told_as_such(isoflop) -> None:
    wanted = ("inference", "--served", "1e12", "--law", "besiroglu-2024", "--loss")
    result = isoflop(*wanted, "1.5")
    assert result.code == 1
    assert "E = 1.817 nats/token" in result.error
    assert isoflop(*wanted, "2.1").code == 0


def test_a_missing_ladder_is_told_before_a_missing_extra(isoflop, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "isoflop.lab", None)  # as where torch is not installed
    for command in (("plan", "nosuch.toml"), ("run", "nosuch.toml", "-o", "study")):
        assert (
            "nosuch.toml: no such file; `isoflop ladder example`"
            in isoflop("ladder", *command).error
        )


def test_counts_have_heads_and_one_way_of_writing_powers(isoflop) -> None:
    out = isoflop("count", "--model", "gpt3-175b", "--n-tokens", "300B").out
    assert out.splitlines()[0].split() == ["gpt3-175b", "exactly", "about"]
    assert re.search(r"^C on 3\.00e11 tokens +FLOPs +PF-days$", out, re.MULTILINE)
    assert re.search(r"^six_n_total +3\.14e23 +3637$", out, re.MULTILINE)
    assert "e+" not in out


def test_tuning_far_outside_every_rule_is_warned_of(isoflop) -> None:
    odd = isoflop("tune", "--n-params", "1B", "--n-tokens", "20")
    assert "warning: 4 of 6 rules" in odd.err
    assert "n_tokens 20.0" in odd.err
    assert "warning" not in isoflop("tune", "--n-params", "1B", "--n-tokens", "20B").err


def test_every_interval_is_explained_in_the_help(isoflop) -> None:
    from isoflop.fitting.uncertainty.intervals import ESTIMATORS

    out = isoflop("fit", "--help").out
    for name in ESTIMATORS:
        assert re.search(rf"^ +{name}  +[a-z]", out, re.MULTILINE), name


def test_the_card_says_what_its_letters_are(isoflop, table, tmp_path) -> None:
    path = tmp_path / "runs.csv"
    write_runs(table, path)
    card = isoflop("fit", str(path), "--bootstrap", "20").out
    assert "N* = G·(C/6)^a" in card
    assert re.search(r"condition number \d+ \(10 to 500 on a good grid\)", card)
    optima = isoflop("fit", str(path), "--method", "isoflop").out
    assert "bias by design: what parabolas err by" in optima
    lines = [line for line in optima.splitlines() if line.startswith("  C ")]
    assert len(lines) == 6 or lines
    assert all(line.count("[") == 3 for line in lines)
