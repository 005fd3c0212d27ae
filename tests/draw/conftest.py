"""A small study whose law is known, and its fits, made once."""

import numpy as np
import pytest

from isoflop.draw.learning_curves import LearningCurve
from isoflop.fitting.fit import Fit
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.power import PowerLaw
from isoflop.runs.table import RunTable

PLANTED = np.array([1.0, 12.0, 120.0, 0.28, 0.38])
"""E, A, B, alpha, beta."""
SPEC = FitSpec(n_resamples=40, n_starts=16)


def loss_of(n_params, n_tokens):
    variables = {"n_params": np.atleast_1d(n_params), "n_tokens": np.atleast_1d(n_tokens)}
    return ChinchillaLaw().predict(PLANTED, variables)


@pytest.fixture(scope="session")
def table() -> RunTable:
    rng = np.random.default_rng(0)
    rows = [
        {
            "run": f"n{n_params:.0f}-c{flops:.0e}",
            "n_params": n_params,
            "n_tokens": flops / (6 * n_params),
            "flops": flops,
            "loss": loss_of(n_params, flops / (6 * n_params))[0] * np.exp(0.003 * noise),
            "loss_unit": "nats/byte",
        }
        for flops in (5e11, 2e12, 8e12)
        for n_params, noise in zip(np.geomspace(1e4, 4e5, 7), rng.standard_normal(7), strict=True)
    ]
    return RunTable.from_records(rows, source="toy.csv")


@pytest.fixture(scope="session")
def joint(table) -> Fit:
    return fit_parametric(table, ChinchillaLaw(), SPEC)


@pytest.fixture(scope="session")
def single(table) -> Fit:
    return fit_parametric(table, PowerLaw("flops"), SPEC)


@pytest.fixture(scope="session")
def curves() -> list[LearningCurve]:
    made = []
    for n_params in (4e5, 1e4, 6e4):
        tokens = np.geomspace(1e5, 1e7, 25)
        loss = loss_of(n_params, tokens)
        made.append(LearningCurve("size", n_params, tokens, 6 * n_params * tokens, loss))
    return made
