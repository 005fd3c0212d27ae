"""Caballero et al. 2022, four-digit addition: fitted to 14 points, three more foretold.

Legend: y = a + b·x^-c0·(1 + (x/d1)^(1/f1))^(-c1·f1), x training examples, y test loss.
"""

from collections.abc import Iterator

import numpy as np

from benchmarks._reproduced import Reproduced
from isoflop.exchange.published.read import published_runs
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.broken import BrokenLaw
from isoflop.laws.law import Array
from isoflop.runs.table import RunTable

TABLE = "caballero-2022-arithmetic"
N_FITTED = 14
CONSTANTS = {"a": ".41389", "b": "2.27727", "c0": ".055077", "c1": "5.6629", "d1": "612.58",
             "f1": ".059193"}  # fmt: skip
"""By the authors' procedure, not by this code; the paper prints none of them."""
FORETOLD = (".760", ".637", ".563")


def caballero() -> Iterator[Reproduced]:
    """Errors as the paper prints them; constants and forecasts as recomputed elsewhere."""
    x, loss = points()
    theta = refit()
    predicted = predict(theta, x)
    miss = np.log(predicted / loss)
    rms = [float(np.sqrt(np.mean(part**2))) for part in (miss[:N_FITTED], miss[N_FITTED:])]
    paper, elsewhere = "Caballero 2022", "recomputed elsewhere"
    yield Reproduced(paper, "RMSLE of the 14 fitted", "5.98e-4", rms[0], "")
    yield Reproduced(paper, "RMSLE of the 3 foretold", "1.09e-2", rms[1], "")
    for (name, printed), ours in zip(CONSTANTS.items(), theta, strict=True):
        yield Reproduced(
            elsewhere, name, printed, float(ours), "one in the fifth digit: two solvers"
        )
    for at, printed, ours in zip(x[N_FITTED:], FORETOLD, predicted[N_FITTED:], strict=True):
        yield Reproduced(elsewhere, f"loss foretold at {at:.0f} examples", printed, float(ours), "")


def lines() -> Iterator[str]:
    """Every line of the page."""
    yield from (row.line() for row in caballero())


def points() -> tuple[Array, Array]:
    """Training examples and test loss, (17,) each."""
    table = published_runs(TABLE)
    return np.array(table.text("n_train"), dtype=float), table.numbers("loss")


def refit() -> Array:
    """(6,) a, b, c0, c1, d1, f1 of least squares of log(loss + 1) on the first 14 points."""
    x, loss = points()
    rows = [{"n_tokens": a, "loss": b + 1} for a, b in zip(x, loss, strict=True)]
    spec = FitSpec(Objective("squared"), n_resamples=0)
    fit = fit_parametric(RunTable.from_records(rows[:N_FITTED]), BrokenLaw("n_tokens"), spec)
    return fit.theta - np.eye(len(fit.theta))[0]


def predict(theta: Array, x: Array) -> Array:
    """Loss at x."""
    return BrokenLaw("n_tokens").predict(theta, {"n_tokens": x})
