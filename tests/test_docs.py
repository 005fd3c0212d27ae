"""The documentation is true: generated pages are current, commands run, nothing is missing."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from foreign_files import mlflow_database

from isoflop.cli.main import SUMMARIES, run
from isoflop.exchange.run_tables import write_runs
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.forms import form_names
from isoflop.runs.table import RunTable
from isoflop.store.index.listing import RUN_STATES

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SLOW = ("isoflop tour", "isoflop ladder run", "isoflop ladder resume")


def console_commands() -> list[str]:
    found = []
    for page in PAGES:
        for block in re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.S):
            found += [line[2:] for line in block.splitlines() if line.startswith("$ isoflop ")]
    return sorted({command for command in found if not command.startswith(SLOW)})


def test_generated_pages_are_current():
    checked = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.stdout == ""
    assert checked.returncode == 0


def test_every_command_and_form_is_documented():
    cli = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    laws = (ROOT / "docs/laws.md").read_text(encoding="utf-8")
    assert [name for name in SUMMARIES if f"`isoflop {name}`" not in cli] == []
    assert [name for name in form_names() if f"`{name}`" not in laws] == []


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the files the documentation's commands name."""
    folder = tmp_path_factory.mktemp("docs")
    C = np.repeat(np.logspace(18, 21, 4), 7)
    N = 0.1 * np.sqrt(C) * np.tile(np.logspace(-0.6, 0.6, 7), 4)
    runs = {"n_params": N, "n_tokens": C / (6 * N)}
    theta = np.array([1.8172, 482.01, 2085.43, 0.3478, 0.3658])
    loss = ChinchillaLaw().predict(theta, runs)
    loss = loss * np.exp(0.004 * np.random.default_rng(0).standard_normal(len(C)))
    rows = [
        {"n_params": n, "n_tokens": d, "flops": c, "loss": value}
        for n, d, c, value in zip(N, runs["n_tokens"], C, loss, strict=True)
    ]
    write_runs(RunTable.from_records(rows), folder / "runs.csv")
    write_runs(RunTable.from_records(rows[::2]), folder / "ours.csv")
    faster = [{**row, "flops": row["flops"] / 2, "n_tokens": row["n_tokens"] / 2} for row in rows]
    write_runs(RunTable.from_records(faster[1::2]), folder / "theirs.csv")
    curve = [{"n_tokens": x, "loss": 2 + 50 * x**-0.3} for x in np.geomspace(1e6, 1e9, 30)]
    write_runs(RunTable.from_records(curve), folder / "curve.csv")
    sweep = [
        {"batch_tokens": b, "loss": x, "steps": 2e3 / (x - 1.2) * (1 + 4e7 / x ** (1 / 0.21) / b)}
        for b in np.geomspace(4e3, 4e6, 6)
        for x in (3.6, 3.2, 2.8, 2.5)
    ]
    write_runs(RunTable.from_records(sweep), folder / "sweep.csv")
    scores = [
        {"task": task, "n_params": n, "score_percent": top - 12 * k}
        for task, top in (("LAMBADA", 86.0), ("CoQA", 85.0))
        for k, n in enumerate((1.75e11, 1.3e10, 1.3e9, 1.25e8))
    ]
    write_runs(RunTable.from_records(scores), folder / "scores.csv")
    return folder


def test_the_documentation_names_commands():
    assert len(console_commands()) >= 8


@pytest.mark.parametrize("command", console_commands())
def test_every_command_in_the_documentation_runs(command, folder, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(folder)
    if "mlflow.db" in command:  # writes runs.csv: not over that of the other commands
        monkeypatch.chdir(tmp_path)
        Path("mlflow.db").write_bytes(mlflow_database())
    if "law.json" in command and "-o law.json" not in command:
        assert run(["fit", "runs.csv", "-o", "law.json", "--bootstrap", "50"]) == 0
    words = shlex.split(command.split(" #")[0])
    wanted = [word for word in words[1:] if word.endswith((".csv", ".toml")) or "study" in word]
    if any(word.startswith(("study", "ladder.toml")) for word in wanted):
        pytest.skip("needs a trained study; run by tests/end_to_end")
    data = ROOT.parent / "shared" / "data"
    public = {word for word in words if re.fullmatch(r"[\w-]+/[\w-]+\.csv", word)}
    if missing := [word for word in public if not (data / word).exists()]:
        pytest.skip(f"public run tables are not beside the checkout: {', '.join(missing)}")
    words = [str(data / word) if word in public else word for word in words]
    assert run(words[1:]) == 0
    assert capsys.readouterr().out.strip()


def test_every_state_of_a_run_is_on_the_page_of_ladders():
    page = (ROOT / "docs/ladders.md").read_text(encoding="utf-8")
    assert [state for state in RUN_STATES if f"`{state}`" not in page] == []


def test_the_page_of_launchers_promises_no_bytes_that_ranks_do_not_keep():
    launchers = (ROOT / "docs/launchers.md").read_text(encoding="utf-8").split("\n| ")[0]
    measured = (ROOT / "docs/distributed.md").read_text(encoding="utf-8")
    assert "`torchrun` with several\nprocesses does not" in launchers
    (said,) = re.findall(r"within (\S+) of one process's,\s+relative, after 48 steps", launchers)
    rows = re.findall(r"^\| [^|]+ \| ([\d.]+e-\d) \|", measured.split("| 48 steps")[1], re.M)
    float32 = [float(each) for each in rows if float(each) < 1e-5]  # not noise, which is no loss
    assert float(said) == max(float32)
