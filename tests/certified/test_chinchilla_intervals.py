"""Do intervals cover on the design of the digitised Chinchilla points, with the points' own noise?

Data of Besiroglu et al. 2024, as in test_chinchilla_points.py.
"""

import os
from pathlib import Path

import numpy as np
import pytest

import isoflop
from isoflop.fitting.parametric import FitSpec

SHARED = Path(os.environ.get("ISOFLOP_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
POINTS = SHARED / "chinchilla-epoch" / "svg_extracted_data.csv"

pytestmark = pytest.mark.skipif(
    not POINTS.exists(),
    reason="svg_extracted_data.csv of epoch-research/analyzing-chinchilla is not here; "
    "point ISOFLOP_SHARED_DATA at the folder that holds chinchilla-epoch/",
)


def reshuffled_noise(residuals: np.ndarray, flops: np.ndarray, rng: np.random.Generator):
    """The points' own noise: their residuals, reshuffled within each decade of compute."""
    decade, noise = np.floor(np.log10(flops)), np.empty(len(flops))
    for each in np.unique(decade):
        own = residuals[decade == each]
        noise[decade == each] = rng.choice(own - np.median(own), len(own))
    return noise


@pytest.mark.study
def test_intervals_cover_with_the_points_own_noise() -> None:
    table = isoflop.derive_column(isoflop.read_runs(POINTS), "n_tokens")
    table = isoflop.drop_highest_loss(table, 5)
    fit = isoflop.fit(table, spec=FitSpec(n_resamples=0))
    truth = {**fit.params, **fit.derived}
    expected = fit.law.predict(fit.theta, {k: table.numbers(k) for k in fit.law.variables})
    rng, names = np.random.default_rng(0), ("alpha", "beta", "E", "a")
    covered = []
    for _ in range(150):
        noise = reshuffled_noise(-fit.residuals, table.numbers("flops"), rng)
        study = table.with_column("loss", expected * np.exp(noise))
        refit = isoflop.fit(study, spec=FitSpec(n_resamples=300))
        told = {**refit.params, **refit.derived}
        covered.append([told[n].low <= truth[n].value <= told[n].high for n in names])
    share = dict(zip(names, np.mean(covered, axis=0).round(3).tolist(), strict=True))
    print(f"nominal .90 on the 240 points' design, their noise reshuffled, 150 studies: {share}")
    assert all(0.84 <= value <= 0.97 for value in share.values())
