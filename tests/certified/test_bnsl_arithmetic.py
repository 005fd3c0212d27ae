"""Four-digit addition, Caballero et al. 2022: fitted to 14 points, three more foreseen.

Data of github.com/ethancaballero/broken_neural_scaling_laws, not part of this repository: expected
beside it, or where ISOFLOP_SHARED_DATA says.
"""

import csv
import json
import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from isoflop.cli.main import run
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.broken import BrokenLaw
from isoflop.runs.table import RunTable

SHARED = Path(os.environ.get("ISOFLOP_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
POINTS = SHARED / "bnsl-arithmetic" / "points.csv"
N_FITTED = 14

pytestmark = pytest.mark.skipif(
    not POINTS.exists(),
    reason="the 17 points of ethancaballero/broken_neural_scaling_laws are not here; point "
    "ISOFLOP_SHARED_DATA at the folder that holds bnsl-arithmetic/",
)


@cache
def fit_first_points(shift: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Least squares of log(loss + shift) on 14 points: constants, and losses of all 17."""
    with POINTS.open(newline="", encoding="utf-8") as file:
        rows = [(float(row["n_train"]), float(row["loss"])) for row in csv.DictReader(file)]
    x, loss = np.array(rows).T
    law = BrokenLaw("n_tokens")
    records = [
        {"n_tokens": a, "loss": b + shift}
        for a, b in zip(x[:N_FITTED], loss[:N_FITTED], strict=True)
    ]
    spec = FitSpec(Objective("squared"), n_resamples=0)
    theta = fit_parametric(RunTable.from_records(records), law, spec).theta
    theta = theta - shift * np.eye(len(theta))[0]
    return theta, law.predict(theta, {"n_tokens": x}), loss


def rmsle(predicted: np.ndarray, measured: np.ndarray, *, shift: float = 0.0) -> float:
    return float(np.sqrt(np.mean(np.log((predicted + shift) / (measured + shift)) ** 2)))


def test_the_authors_objective_has_the_authors_constants_and_errors():
    theta, predicted, measured = fit_first_points(1.0)  # they fit log(loss + 1)
    expected = [0.41389, 2.27727, 0.055077, 5.6629, 612.58, 0.059193]
    np.testing.assert_allclose(theta, expected, rtol=5e-5)
    assert f"{rmsle(predicted[:N_FITTED], measured[:N_FITTED]):.2e}" == "5.98e-04"
    assert f"{rmsle(predicted[N_FITTED:], measured[N_FITTED:]):.2e}" == "1.09e-02"
    assert [f"{loss:.3f}" for loss in predicted[N_FITTED:]] == ["0.760", "0.637", "0.563"]


def test_log_loss_fits_as_well_and_foresees_as_well_on_the_authors_scale():
    _, predicted, measured = fit_first_points(0.0)
    assert rmsle(predicted[:N_FITTED], measured[:N_FITTED]) <= 5.985e-4
    assert rmsle(predicted[:N_FITTED], measured[:N_FITTED], shift=1) <= 5.98e-4
    assert rmsle(predicted[N_FITTED:], measured[N_FITTED:], shift=1) <= 1.09e-2


def test_the_command_line_reaches_the_authors_error(capsys: pytest.CaptureFixture[str]) -> None:
    cut = ["--law", "bnsl1", "--over", "n_train", "--by", "n_train", "--cut", "740"]
    code = run(["backtest", str(POINTS), *cut, "--loss", "squared", "--residuals", "log1p",
                "--bootstrap", "20", "--json"])  # fmt: skip
    document = json.loads(capsys.readouterr().out)
    assert code in (0, 1)
    assert f"{document['rmsle']:.2e}" == "1.09e-02"
