"""Rows of few runs: Kish's design effect, planted intraclass correlation, and the finding."""

import numpy as np
import pytest
from planted import SURFACES, chinchilla

from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.fitting.uncertainty.clusters import effective_runs
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.runs.table import RunTable

THETA = SURFACES["epoch"]
SPEC = FitSpec(n_resamples=100, n_starts=8)


def checkpoints(icc: float, *, seed: int = 0, n_sizes: int = 14, n_each: int = 15) -> RunTable:
    """Trajectories of a few models, each with an offset of its own."""
    rng = np.random.default_rng(seed)
    rows = []
    for n_params in np.geomspace(3e7, 3e9, n_sizes):
        tokens = n_params * np.geomspace(3, 60, n_each)
        offset = np.sqrt(icc) * rng.standard_normal()
        noise = 0.005 * (offset + np.sqrt(1 - icc) * rng.standard_normal(n_each))
        loss = chinchilla(THETA, np.full(n_each, n_params), tokens) * np.exp(noise)
        rows += [
            {"n_params": n_params, "n_tokens": d, "loss": value}
            for d, value in zip(tokens.tolist(), loss.tolist(), strict=True)
        ]
    return RunTable.from_records(rows)


def codes(table: RunTable) -> set[str]:
    return {finding.code for finding in fit_parametric(table, ChinchillaLaw(), SPEC).findings}


@pytest.mark.parametrize(("m", "icc"), [(5, 0.3), (20, 0.1), (2, 0.9)])
def test_equal_groups_have_kishs_design_effect(m: int, icc: float) -> None:
    labels = [f"g{k}" for k in range(30) for _ in range(m)]
    assert effective_runs(labels, icc) == pytest.approx(30 * m / (1 + (m - 1) * icc))


def test_effective_runs_are_those_of_the_variance_of_a_mean() -> None:
    rng = np.random.default_rng(0)
    labels, icc = [f"g{k}" for k in range(12) for _ in range(8)], 0.4
    offsets = np.repeat(rng.standard_normal((4000, 12)), 8, axis=1) * np.sqrt(icc)
    means = (offsets + np.sqrt(1 - icc) * rng.standard_normal((4000, 96))).mean(axis=1)
    assert effective_runs(labels, icc) == pytest.approx(1 / means.var(), rel=0.08)


def test_checkpoints_of_few_runs_are_noticed_without_being_told() -> None:
    fit = fit_parametric(checkpoints(0.6), ChinchillaLaw(), SPEC)
    (finding,) = [f for f in fit.findings if f.code == "clustered-runs"]
    assert "210 rows share 14 values of `n_params`" in finding.evidence
    worth = float(finding.evidence.split("worth ")[1].split()[0])
    assert 14 <= worth <= 45  # 210/(1 + 14·.6) = 22, the correlation measured on 14 sizes


def test_independent_rows_are_left_alone() -> None:
    alarms = sum("clustered-runs" in codes(checkpoints(0.0, seed=seed)) for seed in range(12))
    assert alarms <= 1
