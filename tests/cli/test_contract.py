"""What every command promises: keys, streams, exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from isoflop.base.errors import did_you_mean
from isoflop.cli.amount import Amount
from isoflop.laws.catalog import published_names

ESTIMATE = {"value", "low", "high", "level"}


def test_count_gives_parameters_by_group_and_flops_by_convention(isoflop) -> None:
    result = isoflop("count", "--n-layer", "12", "--d-model", "768", "--json")
    assert result.code == 0
    assert result.err == ""
    params = result.document["n_params"]
    assert {"non_embedding", "embedding", "head", "total"} <= set(params)
    assert {"kaplan", "chinchilla", "matmul"} <= set(result.document["flops_per_token"])
    assert params["non_embedding"] == 12 * 12 * 768**2 == 84_934_656


def test_count_prices_gpt_3(isoflop) -> None:
    shape = ["--n-layer", "96", "--d-model", "12288", "--n-head", "96", "--n-ctx", "2048"]
    result = isoflop("count", *shape, "--n-tokens", "300B", "--json")
    assert result.document["n_tokens"] == 3e11
    # Brown et al. 2020, table D.1: 3.14e23 FLOPs, 3.64e3 PF-days.
    assert result.document["flops"]["kaplan"] == pytest.approx(3.14e23, rel=5e-3)
    assert result.document["pf_days"]["kaplan"] == pytest.approx(3.64e3, rel=5e-3)


def test_laws_lists_the_catalog(isoflop) -> None:
    listed = isoflop("laws", "--json").document
    promised = {"name", "form", "params", "units", "source", "convention"}
    assert [entry["name"] for entry in listed] == list(published_names())
    assert all(promised <= set(entry) for entry in listed)


def test_laws_show_gives_one_entry_with_its_constants(isoflop) -> None:
    entry = isoflop("laws", "show", "besiroglu-2024", "--json").document
    assert entry["name"] == "besiroglu-2024"
    shown = isoflop("laws", "show", "besiroglu-2024").out
    for constant in ("482.01", "2085.43", "0.3478", "0.3658", "1.8172"):
        assert constant in shown


def test_predict_gives_an_estimate_of_the_loss(isoflop, law: str) -> None:
    at = ["--n-params", "70B", "--n-tokens", "1.4T", "--json"]
    published = isoflop("predict", "--law", "besiroglu-2024", *at).document["loss"]
    assert set(published) == ESTIMATE
    expected = 1.8172 + 482.01 / 7e10**0.3478 + 2085.43 / 1.4e12**0.3658
    assert published["value"] == pytest.approx(expected, rel=1e-12)
    assert published["low"] is None
    fitted = isoflop("predict", "--law", law, *at).document["loss"]
    assert fitted["low"] < fitted["value"] < fitted["high"]


def test_predict_names_what_a_law_predicts_and_takes_any_variable(isoflop) -> None:
    law = ("--law", "hernandez-2021-text", "--n-params", "4e7", "--json")
    estimate = isoflop("predict", *law, "--at", "n_finetune=3e5").document["n_transferred"]
    assert round(1 + estimate["value"] / 3e5) == 476
    for bad, message in (
        ((), "give --at n_finetune=AMOUNT"),
        (("--at", "n_finetune"), "--at wants name=amount"),
        (("--at", "n_finetune=none"), "expected a number such as 1e9"),
    ):
        refused = isoflop("predict", *law, *bad)
        assert refused.code == 2
        assert message in refused.err


def test_fit_gives_the_promised_keys_and_narrates_on_stderr(isoflop, runs: str) -> None:
    result = isoflop("fit", runs, "--bootstrap", "100", "-o", "law.json", "--json")
    assert result.code == 0
    document = result.document
    promised = {"law", "method", "n_runs", "objective", "params", "derived", "outcome", "findings"}
    assert promised | {"data"} <= set(document)
    assert len(document["data"]["sha256"]) == 64
    assert all(set(e) == ESTIMATE for e in document["params"].values())
    assert {"a", "b"} <= set(document["derived"])
    assert result.err == "written to law.json\n"


def test_fit_prints_the_card_to_people_and_the_same_numbers_as_json(isoflop, runs: str) -> None:
    result = isoflop("fit", runs, "--bootstrap", "0")
    document = isoflop("fit", runs, "--bootstrap", "0", "--json").document
    assert result.out.startswith("chinchilla: loss = E + A/n_params**alpha + B/n_tokens**beta")
    assert f"objective {document['objective']:.10g}" in result.out


@pytest.mark.parametrize("method", ["parametric", "isoflop"])
def test_fit_by_every_method_can_be_planned_from(isoflop, runs: str, method: str) -> None:
    assert isoflop("fit", runs, "--method", method, "--bootstrap", "40", "-o", "law.json").code == 0
    plan = isoflop("plan", "--law", "law.json", "--flops", "1e23", "--json").document
    for name in ("n_params", "n_tokens", "loss", "tokens_per_param"):
        assert plan[name]["low"] < plan[name]["value"] < plan[name]["high"]


def test_the_same_seed_writes_the_same_bytes(isoflop, runs: str) -> None:
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        arguments = ["--bootstrap", "40", "--seed", seed, "-o", f"{name}.json"]
        assert isoflop("fit", runs, *arguments).code == 0
    a, b, c = (Path(f"{name}.json").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_columns_of_other_names_are_told_on_stderr(isoflop) -> None:
    rows = [
        f"{10**k},{2 * 10 ** (k + j)},{4 - k / 4 - j / 9}" for k in (6, 7, 8) for j in (1, 2, 3)
    ]
    Path("odd.csv").write_text("width,seen,final\n" + "\n".join(rows) + "\n")
    columns = "n_params=width,n_tokens=seen,loss=final"
    result = isoflop("fit", "odd.csv", "--columns", columns, "--bootstrap", "0", "--json")
    assert result.document["n_runs"] == 9
    assert result.err.startswith("columns: n_params = 'width', n_tokens = 'seen', loss = 'final'\n")


def test_findings_are_told_on_stderr_too(isoflop, runs: str) -> None:
    text = Path(runs).read_text()
    Path(runs).write_text(text + text.splitlines()[1] + "\n")
    result = isoflop("fit", runs, "--bootstrap", "0", "--json")
    assert [finding["code"] for finding in result.document["findings"]] == ["duplicate-runs"]
    assert "warning: duplicate-runs: 1 of 46 rows repeat another exactly" in result.err


@pytest.mark.parametrize(
    ("law", "n_params", "n_tokens"),
    [("besiroglu-2024", "7.2e+10", "1.3e+12"), ("hoffmann-2022-tex", "4.0e+10", "2.4e+12")],
)
def test_plan_of_chinchillas_budget(isoflop, law: str, n_params: str, n_tokens: str) -> None:
    plan = isoflop("plan", "--law", law, "--flops", "5.76e23", "--json").document
    assert f"{plan['n_params']['value']:.1e}" == n_params
    assert f"{plan['n_tokens']['value']:.1e}" == n_tokens
    assert all(set(plan[name]) == ESTIMATE for name in ("n_params", "n_tokens", "loss"))


def test_crossing_of_kaplans_constants(isoflop) -> None:
    result = isoflop("crossing", "--json")
    found = {name: result.document[name]["value"] for name in ("pf_days", "n_params", "loss")}
    assert f"{found['pf_days']:.2e}" == "1.12e+04"
    assert f"{found['n_params']:.2e}" == "1.17e+12"
    assert f"{found['loss']:.2f}" == "1.67"
    assert set(result.document["flops"]) == ESTIMATE
    shown = isoflop("crossing").out
    for constant in ("0.05", "3.1e+08", "0.095", "5.4e+13"):
        assert constant in shown


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_the_shells_script(isoflop, shell: str) -> None:
    result = isoflop("completion", shell)
    assert result.code == 0
    assert "_ISOFLOP_COMPLETE" in result.out
    assert isoflop("completion", shell, "--json").document["script"] + "\n" == result.out


def test_completion_offers_the_commands() -> None:
    environment = {
        **os.environ,
        "_ISOFLOP_COMPLETE": "bash_complete",
        "COMP_WORDS": "isoflop pl",
        "COMP_CWORD": "1",
    }
    script = "from isoflop.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "plain,plan"


def test_the_process_exits_with_the_code_and_keeps_the_streams_apart(
    isoflop, runs: str, tmp_path: Path
) -> None:
    def process(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from isoflop.cli.main import main; main()", *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)

    good = process("fit", runs, "--bootstrap", "0", "--json")
    assert (good.returncode, json.loads(good.stdout)["n_runs"], good.stderr) == (0, 45, "")
    bad = process("fit", "none.csv")
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr == "error: none.csv: no such file\n"
    refused = process("plan", "--law", "besiroglu-2024", "--flops", "1")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("error: ")


def test_a_closed_pipe_is_no_error() -> None:
    script = "from isoflop.cli.main import main; main()"
    command = f"{sys.executable} -c '{script}' laws --json | head -c 10"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    assert len(done.stdout) == 10


@pytest.mark.parametrize(
    ("text", "amount"),
    [("1e9", 1e9), ("7B", 7e9), ("1.4T", 1.4e12), ("300m", 3e8), ("2_048", 2048), ("1,000k", 1e6)],
)
def test_amounts_are_read_as_people_type_them(text: str, amount: float) -> None:
    assert Amount().convert(text, None, None) == pytest.approx(amount, rel=1e-15)


@pytest.mark.parametrize("text", ["", "B", "7Q", "-7B", "0", "nan", "inf", "1e400", "7 8", "７B"])
def test_amounts_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(click.UsageError, match="expected a"):
        Amount().convert(text, None, None)


def test_suggestions_are_nearest_first_and_everything_if_nothing_is_near() -> None:
    assert did_you_mean("paln", ["plan", "fit"]) == "; did you mean plan?"
    assert did_you_mean("zzz", ["plan", "fit"]) == "; known: fit, plan"
