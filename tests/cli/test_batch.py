"""`isoflop batch`: what people and programs read."""

import json

import numpy as np
import pytest

from isoflop.cli.main import run
from isoflop.exchange.run_tables import read_runs, write_runs
from isoflop.runs.table import RunTable


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Steps to four losses at six batches, and runs at batches of their own."""
    rng, rows = np.random.default_rng(0), []
    for batch in np.geomspace(4e3, 4e6, 6):
        for loss in (3.6, 3.2, 2.8, 2.5):
            steps = 2e3 / (loss - 1.2) * (1 + 4e7 / loss ** (1 / 0.21) / batch)
            steps *= np.exp(0.03 * rng.standard_normal())
            rows.append({"batch_tokens": batch, "loss": loss, "steps": steps})
    write_runs(RunTable.from_records(rows), tmp_path / "sweep.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_fit_prints_hyperbolas_and_the_law(folder, capsys):
    assert run(["batch", "fit", "sweep.csv", "--at", "2", "--at", "3"]) == 0
    shown = capsys.readouterr().out
    assert "S_min" in shown
    assert "alpha_B" in shown
    assert shown.count("B_crit at") == 2


def test_the_law_goes_from_file_to_plan_and_to_adjusted_runs(folder, capsys):
    assert run(["batch", "fit", "sweep.csv", "-o", "critical.json", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    found = document["fit"]["params"]["alpha_B"]
    assert found["low"] < 0.21 < found["high"]
    assert len(document["trades"]) == 4
    arguments = ["kaplan", "batch", "--loss", "2.6", "--n-params", "1.5B"]
    assert run([*arguments, "--critical-law", "critical.json", "--json"]) == 0
    critical = json.loads(capsys.readouterr().out)["critical_batch"]
    assert critical["low"] < 4e7 / 2.6 ** (1 / 0.21) < critical["high"]
    adjust = ["batch", "adjust", "sweep.csv", "--critical-law", "critical.json"]
    assert run([*adjust, "-o", "adjusted.csv"]) == 0
    table = read_runs(folder / "adjusted.csv")
    spread = table.numbers("steps") * (table.numbers("loss") - 1.2)
    assert spread == pytest.approx(2e3, rel=0.15)
    assert np.ptp(np.log(table.numbers("steps_taken"))) > 3


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["fit", "sweep.csv", "--target", "3"], 2, "need a column `run`"),
        (["fit", "nothing.csv"], 2, "no such file"),
        (["adjust", "sweep.csv", "-o", "x.csv", "--critical-law", "kaplan-2020-ns"], 2, "needed"),
        (["adjust", "sweep.csv", "-o", "x.doc"], 2, "cannot tell the format"),
    ],
)
def test_bad_input_is_one_line(folder, capsys, arguments, code, message):
    assert run(["batch", *arguments]) == code
    error = [x for x in capsys.readouterr().err.splitlines() if not x.startswith("note:")]
    assert len(error) == 1
    assert message in error[0]
