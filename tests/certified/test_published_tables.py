"""Every registered table, read from its bytes: the rows it says, and published constants from them.

The data are not part of this repository: expected beside it, or where ISOFLOP_SHARED_DATA says. The
package itself looks where ISOFLOP_DATA says, which the tests set to the same folder.
"""

import os
from pathlib import Path

import numpy as np
import pytest

import isoflop
from isoflop.exchange.published.read import published_runs
from isoflop.exchange.published.registry import find_published_table, published_table_names
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.runs.drop import drop_highest_loss
from isoflop.runs.table import derive_column

SHARED = Path(os.environ.get("ISOFLOP_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))

pytestmark = pytest.mark.skipif(
    not SHARED.exists(), reason="the public tables are not here; point ISOFLOP_SHARED_DATA at them"
)


@pytest.fixture(autouse=True)
def _folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISOFLOP_DATA", str(SHARED))


@pytest.mark.parametrize("name", published_table_names())
def test_every_table_reads_with_its_registered_hash_and_rows(name: str) -> None:
    entry = find_published_table(name)
    if not (SHARED / entry.local).exists():
        pytest.skip(f"{entry.local} is not in the folder of public tables")
    runs = published_runs(name)
    assert len(runs) == entry.rows
    for column in entry.columns:
        values = runs.columns[column]
        assert values.dtype.kind != "f" or np.isfinite(values).mean() > 0.9


def test_the_named_points_give_the_certified_constants() -> None:
    runs = derive_column(isoflop.published_runs("besiroglu-2024-points"), "n_tokens")
    spec = FitSpec(objective=Objective("huber", 1e-3), n_resamples=0)
    fit = fit_parametric(drop_highest_loss(runs, 5), ChinchillaLaw(), spec)
    # Besiroglu et al. 2024: alpha .3478 and beta .3658 in their table, .3473 and .3672 at the
    # optimum of their own objective, E 1.8172.
    assert round(fit.params["alpha"].value, 4) == 0.3473
    assert round(fit.params["beta"].value, 4) == 0.3672
    assert round(fit.params["E"].value, 3) == 1.817
