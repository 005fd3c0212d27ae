"""Fits of planted laws with a little noise: constants that carry an interval."""

import numpy as np

from isoflop.fitting.fit import Fit
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.law import AbstractLaw
from isoflop.runs.table import RunTable


def fit_planted(
    law: AbstractLaw,
    theta: list[float],
    grid: dict[str, np.ndarray],
    *,
    noise: float = 0.002,
    seed: int = 0,
    draws: int = 100,
) -> Fit:
    """Fit a law to runs drawn from it, over every combination of the grid's columns."""
    columns = [axis.ravel() for axis in np.meshgrid(*grid.values())]
    variables = dict(zip(grid, columns, strict=True))
    mean = law.predict(np.array(theta), variables)
    seen = mean * np.exp(noise * np.random.default_rng(seed).standard_normal(len(mean)))
    rows = [
        {"loss": 1.0, **{name: variables[name][k] for name in grid}, law.response: seen[k]}
        for k in range(len(seen))
    ]
    table = RunTable.from_records(rows, source="planted.csv")
    return fit_parametric(table, law, FitSpec(Objective("squared"), n_resamples=draws))
