"""Clark et al. 2022 refitted to the runs they published.

Data of github.com/google-deepmind/scaling_laws_for_routing (CC BY 4.0), not part of this
repository: expected beside it, or where ISOFLOP_SHARED_DATA says. As in the authors' example:
the loss at the last step, every other layer routed, one expert a token, seed 42, dense models as
one expert; least squares of log10 L.
"""

import csv
import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.catalog import find_published
from isoflop.laws.routed import RoutedLaw
from isoflop.runs.table import RunTable

SHARED = Path(os.environ.get("ISOFLOP_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
CURVES = SHARED / "routed-moe" / "curves.csv.gz"

pytestmark = pytest.mark.skipif(
    not CURVES.exists(),
    reason="curves.csv.gz of google-deepmind/scaling_laws_for_routing is not here; point "
    "ISOFLOP_SHARED_DATA at the folder that holds routed-moe/",
)

LEAST_SQUARES = Objective("squared")
REFITTED = {  # by scipy.optimize.least_squares, 40 starts: runs, RMS of log10 L, constants
    "S-Base": (58, 3.2275e-3, (-0.0830, -0.1180, 0.0099, 1.1136, 2.075, 238.7)),
    "RL-R": (59, 3.2292e-3, (-0.0827, -0.1234, 0.0112, 1.1070, 1.722, 470.1)),
    "Hash": (56, 2.9817e-3, (-0.0874, -0.1384, 0.0126, 1.1595, 4.269, 427.3)),
}


def runs_of(router: str) -> RunTable:
    last: dict[str, dict[str, str]] = {}
    with gzip.open(CURVES, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if int(row["step"]) >= int(last.get(row["hyper_id"], row)["step"]):
                last[row["hyper_id"]] = row
    kept = [
        row
        for row in last.values()
        if (row["routing_frequency"], row["k"], row["seed"]) == ("0.5", "1", "42")
        and row["router_type"] in ("Dense", router)
    ]
    columns = {"dense_parameter_count": "n_params", "num_experts": "n_experts"}
    columns |= {"loss_validation": "loss"}
    return RunTable.from_records(
        [{new: float(row[old]) for old, new in columns.items()} for row in kept]
    )


@pytest.mark.parametrize("router", REFITTED)
def test_the_refit_is_the_optimum_that_scipy_finds(router: str) -> None:
    n_runs, rms, constants = REFITTED[router]
    table = runs_of(router)
    fit = fit_parametric(table, RoutedLaw(), FitSpec(LEAST_SQUARES, n_resamples=0))
    assert len(table) == n_runs
    found = np.sqrt(2 * fit.objective_value / n_runs) / np.log(10)
    assert found == pytest.approx(rms, rel=1e-4)
    np.testing.assert_allclose(fit.theta, constants, rtol=6e-3)


@pytest.mark.parametrize(
    ("router", "published"), [("S-Base", "s-base"), ("RL-R", "rl-r"), ("Hash", "hash")]
)
def test_the_refit_lies_near_the_published_constants(router: str, published: str) -> None:
    printed = find_published(f"clark-2022-{published}").theta
    fit = fit_parametric(runs_of(router), RoutedLaw(), FitSpec(LEAST_SQUARES, n_resamples=0))
    # The saturation is hardly determined (E_max of S-BASE 239 against 314), the slopes are.
    np.testing.assert_allclose(fit.theta[:4], printed[:4], atol=0.011)
    assert np.abs(np.log(fit.theta[4:] / printed[4:])).max() < 0.3
    residuals = np.log10(
        fit.law.predict(printed, {n: runs_of(router).numbers(n) for n in fit.law.variables})
    ) - np.log10(runs_of(router).numbers("loss"))
    assert np.sqrt(np.mean(residuals**2)) < 0.008


@pytest.mark.parametrize(("router", "paper"), [("S-Base", 937e9), ("RL-R", 85e9), ("Hash", 83e9)])
def test_the_refit_finds_where_routing_ceases_to_help(router: str, paper: float) -> None:
    # The rounded constants say 1e12, 3e10 and 2e11.
    fit = fit_parametric(runs_of(router), RoutedLaw(), FitSpec(LEAST_SQUARES, n_resamples=0))
    assert float(fit.law.derive(fit.theta)["N_cutoff"]) == pytest.approx(paper, rel=0.2)
