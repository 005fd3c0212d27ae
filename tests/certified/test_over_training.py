"""Gadre et al. 2024: five small runs predict two large ones, in loss and in error.

Losses from the authors' run table (github.com/mlfoundations/scaling, MIT), not part of this
repository: expected beside it, or where ISOFLOP_SHARED_DATA says. Errors: the mean over the 17
tasks of the authors' subset, from exp_data/evals of the same repository.
"""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from isoflop.fitting.downstream.two_step import fit_two_step, predict_two_step
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.catalog import find_published
from isoflop.laws.downstream import ErrorLaw
from isoflop.laws.over_training import OverTrainingLaw
from isoflop.runs.table import RunTable

SHARED = Path(os.environ.get("ISOFLOP_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
RUNS = SHARED / "over-training" / "runs_table.csv"

pytestmark = pytest.mark.skipif(
    not RUNS.exists(),
    reason="runs_table.csv of mlfoundations/scaling is not here; point ISOFLOP_SHARED_DATA at the "
    "folder that holds over-training/",
)

SQUARES = FitSpec(Objective("squared", scale="linear"), n_resamples=0)  # as the authors fit
LOSS = "loss:eval_data/c4_val"
SMALL = ("d=96_l=8_h=4-1.0", "d=512_l=8_h=4-1.0", "d=576_l=24_h=8-1.0", "d=1024_l=24_h=8-1.0",
         "d=96_l=8_h=4-16.0")  # fmt: skip
MIDDLE = "open_lm_1b-1.0"
LARGE = {"open_lm_1b-32.0": (0.7103, 3.6365), "open_lm_7b-1.0": (0.7320, 0.0464)}
"""Relative errors in per cent of the predicted loss and 17-task error, as the authors print."""

ERRORS = {
    "d=96_l=8_h=4-1.0": 0.8134857,
    "d=512_l=8_h=4-1.0": 0.7250452,
    "d=576_l=24_h=8-1.0": 0.6710080,
    "d=1024_l=24_h=8-1.0": 0.6365529,
    "d=96_l=8_h=4-16.0": 0.7671019,
    "open_lm_1b-1.0": 0.5473253,
    "open_lm_1b-32.0": 0.4752152,
    "open_lm_7b-1.0": 0.4716372,
}


def read(dataset: str, *names: str) -> RunTable:
    """Runs of one corpus, in the order asked for."""
    with RUNS.open(encoding="utf-8", newline="") as file:
        rows = {row["name"].removeprefix(f"{dataset}-"): row for row in csv.DictReader(file)
                if row["dataset"] == dataset}  # fmt: skip
    return RunTable.from_records(
        [
            {
                "run": name,
                "n_params": float(rows[name]["params"]),
                # M is a nominal multiple of 20 in the authors' fit; steps round the tokens.
                "n_tokens": 20 * float(rows[name]["chinchilla_multiplier"])
                * float(rows[name]["params"]),
                "loss": float(rows[name][LOSS]),
                "error": ERRORS[name] if dataset == "rpj" else None,
            }
            for name in names
        ]
    )  # fmt: skip


def variables(table: RunTable, *names: str) -> dict[str, np.ndarray]:
    return {name: table.numbers(name) for name in names}


def test_five_small_runs_predict_the_losses_of_two_large_ones() -> None:
    fit = fit_parametric(read("rpj", *SMALL), OverTrainingLaw(), SQUARES)
    E, _, _, eta = fit.theta
    assert f"{E:.3f} {2 * eta:.3f}" == "1.837 0.273"
    assert fit.basins.share_best == 1
    large = read("rpj", *LARGE)
    predicted = fit.law.predict(fit.theta, variables(large, "n_params", "n_tokens"))
    misses = 100 * np.abs(predicted / large.numbers("loss") - 1)
    assert misses.round(4).tolist() == [loss for loss, _ in LARGE.values()]


def test_six_runs_predict_the_errors_of_two_large_ones() -> None:
    small, evaluated = read("rpj", *SMALL), read("rpj", *SMALL, MIDDLE)
    fit = fit_two_step(small, OverTrainingLaw(), ErrorLaw(), mapped=evaluated, spec=SQUARES)
    large = read("rpj", *LARGE)
    estimates = predict_two_step(fit, variables(large, "n_params", "n_tokens"))
    predicted = np.array([estimate.value for estimate in estimates])
    misses = 100 * np.abs(predicted / large.numbers("error") - 1)
    np.testing.assert_allclose(misses, [error for _, error in LARGE.values()], atol=2e-4)


@pytest.mark.parametrize(
    ("dataset", "name"),
    [("rpj", "redpajama"), ("c4_original", "c4"), ("rw_original", "refinedweb")],
)
def test_the_catalog_holds_the_authors_fits(dataset: str, name: str) -> None:
    fit = fit_parametric(read(dataset, *SMALL), OverTrainingLaw(), SQUARES)
    published = find_published(f"gadre-2024-{name}")
    np.testing.assert_allclose(published.theta, fit.theta, rtol=1e-4)
    if dataset == "rpj":
        error = fit_parametric(read(dataset, *SMALL, MIDDLE), ErrorLaw(), SQUARES)
        np.testing.assert_allclose(find_published("gadre-2024-error").theta, error.theta, rtol=1e-4)
