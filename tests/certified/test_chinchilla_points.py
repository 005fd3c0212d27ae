"""The digitised points of Hoffmann et al. 2022, figure 4, refitted: the published constants.

Data of Besiroglu et al. 2024 (github.com/epoch-research/analyzing-chinchilla), not part of this
repository: expected beside it, or where ISOFLOP_SHARED_DATA says.
"""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest

from isoflop.cli.main import run
from isoflop.exchange.run_tables import read_runs
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric, pose_problem
from isoflop.fitting.solve.solver import Problem, minimise
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.runs.drop import drop_highest_loss
from isoflop.runs.table import derive_column

SHARED = Path(os.environ.get("ISOFLOP_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
POINTS = SHARED / "chinchilla-epoch" / "svg_extracted_data.csv"

pytestmark = pytest.mark.skipif(
    not POINTS.exists(),
    reason="svg_extracted_data.csv of epoch-research/analyzing-chinchilla is not here; "
    "point ISOFLOP_SHARED_DATA at the folder that holds chinchilla-epoch/",
)

RECIPE = ["--law", "chinchilla", "--loss", "huber", "--delta", "1e-3", "--derive", "n_tokens"]


def fit_points(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert run(["fit", str(POINTS), *RECIPE, *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def printed(document: dict) -> dict[str, str]:
    """The constants in the digits Besiroglu et al. reach on these points."""
    values = {name: e["value"] for name, e in (document["params"] | document["derived"]).items()}
    digits = {"E": ".3f", "A": ".0f", "B": ".0f", "alpha": ".4f", "beta": ".4f", "a": ".3f"}
    return {name: f"{values[name]:{shape}}" for name, shape in digits.items()}


CERTIFIED = {
    "E": "1.817",
    "A": "478",
    "B": "2143",
    "alpha": "0.3473",
    "beta": "0.3672",
    "a": "0.514",
}


def test_the_240_points_give_the_certified_optimum(capsys: pytest.CaptureFixture[str]) -> None:
    document = fit_points(capsys, "--drop-highest-loss", "5")
    assert document["n_runs"] == 240
    assert document["objective"] <= 0.00101827405
    assert document["objective"] == pytest.approx(0.0010182740178, rel=1e-9)
    assert printed(document) == CERTIFIED
    assert document["outcome"] == "converged"
    assert [finding["code"] for finding in document["findings"]] == [
        "clustered-runs",
        "law-suspected",
    ]
    assert document["interval"]["estimator"] == "cluster-bootstrap"  # 42 sizes, heavy tails
    assert document["basins"]["share_best"] >= 0.99


def test_the_bootstrap_spreads_as_published(capsys: pytest.CaptureFixture[str]) -> None:
    # Besiroglu et al. 2024: 95 % intervals from 4000 bootstraps.
    published = {
        "E": (1.769, 1.871),
        "A": (285, 744),
        "B": (1042, 5810),
        "alpha": (0.317, 0.373),
        "beta": (0.331, 0.415),
    }
    document = fit_points(
        capsys, "--drop-highest-loss", "5", "--level", "0.95", "--interval", "case"
    )
    for name, (low, high) in published.items():
        found = document["params"][name]
        assert found["low"] == pytest.approx(low, abs=0.2 * (high - low)), name
        assert found["high"] == pytest.approx(high, abs=0.2 * (high - low)), name


def test_dropping_the_five_by_row_number_is_the_same_fit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with POINTS.open(encoding="utf-8", newline="") as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    highest = sorted(range(1, len(losses) + 1), key=lambda row: -losses[row - 1])[:5]
    listed = tmp_path / "drop.txt"
    listed.write_text("# misread off the figure\n" + "\n".join(map(str, highest)) + "\n")
    document = fit_points(capsys, "--drop-rows", str(listed), "--bootstrap", "0")
    assert document["n_runs"] == 240
    assert document["objective"] == pytest.approx(0.0010182740178, rel=1e-9)
    assert printed(document) == CERTIFIED


def test_all_245_points_warn_that_five_runs_move_the_answer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    document = fit_points(capsys, "--bootstrap", "0")
    assert document["n_runs"] == 245
    # Besiroglu et al. 2024, table 3, all points: A 496, B 12850, E 1.891, alpha .349, beta .453.
    values = {name: estimate["value"] for name, estimate in document["params"].items()}
    assert values["B"] == pytest.approx(12850, rel=2e-3)
    assert [f"{values[name]:.3f}" for name in ("E", "alpha", "beta")] == ["1.891", "0.349", "0.453"]
    (finding,) = (f for f in document["findings"] if f["code"] == "few-runs-move-the-answer")
    assert len(finding["runs"]) == 5
    assert "a goes from 0.5646 to 0.5139" in finding["evidence"]


def test_squared_loss_gives_the_other_published_exponents(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for arguments, expected in (((), 0.6219), (("--drop-highest-loss", "5"), 0.5298)):
        document = fit_points(capsys, "--loss", "squared", "--bootstrap", "0", *arguments)
        assert round(document["derived"]["a"]["value"], 4) == expected


def pose_points() -> Problem:
    table = derive_column(drop_highest_loss(read_runs(POINTS), 5), "n_tokens")
    return pose_problem(table, ChinchillaLaw(), Objective("huber"))


def blind_starts(count: int, seed: int) -> np.ndarray:
    """Starts drawn without a look at the data; exponents log-uniform from .01 to 2."""
    rng = np.random.default_rng(seed)
    E = rng.uniform(0.0, 4.0, count)
    coefficients = np.exp(rng.uniform(0.0, np.log(1e6), (count, 2)))
    exponents = np.exp(rng.uniform(np.log(0.01), np.log(2.0), (count, 2)))
    return np.column_stack([E, coefficients, exponents])


@pytest.mark.parametrize("seed", range(3))
def test_ninety_nine_in_a_hundred_blind_starts_reach_the_optimum(seed: int) -> None:
    problem = pose_points()
    found = minimise(problem, blind_starts(300, seed), np.ones(problem.n_runs))
    assert found.objective.min() == pytest.approx(0.0010182740178, rel=1e-9)
    assert np.mean(found.objective <= 0.0010182740178 * (1 + 1e-6)) >= 0.99


def test_ninety_nine_in_a_hundred_proposed_starts_reach_the_optimum() -> None:
    table = derive_column(drop_highest_loss(read_runs(POINTS), 5), "n_tokens")
    spec = FitSpec(Objective("huber"), n_resamples=0, n_starts=300, seed=11)
    fit = fit_parametric(table, ChinchillaLaw(), spec)
    assert fit.basins.n_starts == 300
    assert fit.basins.share_best >= 0.99


def test_by_default_five_bad_rows_of_245_move_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    # Huber's 1e-3 goes from a = .5139 to .5646; the robust default stays inside its intervals.
    arguments = ["fit", str(POINTS), "--derive", "n_tokens", "--json"]
    assert run([*arguments, "--drop-highest-loss", "5"]) == 0
    kept = json.loads(capsys.readouterr().out)
    assert run([*arguments, "--bootstrap", "0"]) == 0
    every = json.loads(capsys.readouterr().out)
    assert (kept["n_runs"], every["n_runs"]) == (240, 245)
    for name in ("E", "alpha", "beta"):
        interval = kept["params"][name]
        assert interval["low"] < every["params"][name]["value"] < interval["high"], name
    interval = kept["derived"]["a"]
    assert interval["low"] < every["derived"]["a"]["value"] < interval["high"]
    assert abs(every["derived"]["a"]["value"] - kept["derived"]["a"]["value"]) < 0.005
    (aside,) = [f for f in every["findings"] if f["code"] == "runs-set-aside"]
    assert "8 of 245 runs" in aside["evidence"]


@pytest.mark.parametrize("dropped", [0, 5])
@pytest.mark.parametrize("cut", ["1.2e20", "3.6e20", "1.2e21"])
def test_ninety_five_percent_of_larger_runs_are_foreseen(
    cut: str, dropped: int, capsys: pytest.CaptureFixture[str]
) -> None:
    # The strongest public tool covers 64, 60 and 70 % at 95 %, with log widths of about .03.
    arguments = ["backtest", str(POINTS), "--law", "chinchilla", "--by", "flops", "--cut", cut]
    options = ["--derive", "n_tokens", "--drop-highest-loss", str(dropped), "--json"]
    assert run([*arguments, *options]) == 0
    found = json.loads(capsys.readouterr().out)
    n_train = {"1.2e20": 140, "3.6e20": 180, "1.2e21": 220}[cut]
    assert found["n_train"] == n_train + 5 - dropped
    assert found["n_test"] == 240 - n_train
    assert found["coverage"] >= 0.9
    assert found["mean_log_width"] <= 0.06
    assert found["rmsle"] <= 0.012
    assert found["misfit"]["suspected"]
