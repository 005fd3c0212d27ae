"""A small study with hostile names, reported in full."""

import numpy as np
import pytest

from isoflop.draw.learning_curves import LearningCurve
from isoflop.fitting.parametric import FitSpec
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.plan.analysis.analysis import analyse_runs
from isoflop.report.study_report import RankedForm, StudyReport
from isoflop.runs.checks import Finding
from isoflop.runs.table import RunTable

PLANTED = np.array([1.0, 12.0, 120.0, 0.28, 0.38])
"""E, A, B, alpha, beta."""
PAYLOAD = "\"><script>alert(1)</script><img src=x onerror='alert(2)'>"
FOLDER = "/home/somebody/secret"


def make_table() -> RunTable:
    rng = np.random.default_rng(0)
    rows = []
    for flops in (5e11, 2e12, 8e12, 3.2e13):
        for n_params in np.geomspace(1e4, 4e5, 7):
            variables = {
                "n_params": np.array([n_params]),
                "n_tokens": np.array([flops / (6 * n_params)]),
            }
            loss = ChinchillaLaw().predict(PLANTED, variables)[0]
            rows.append(
                {
                    "run": f"{PAYLOAD} {len(rows)}",
                    "n_params": n_params,
                    "n_params_non_embedding": 0.8 * n_params,
                    "n_tokens": variables["n_tokens"][0],
                    "flops": flops,
                    "loss": loss * np.exp(0.002 * rng.standard_normal()),
                    "loss_unit": "nats/byte",
                    "family": "=cmd()|a`b",
                }
            )
    return RunTable.from_records(rows, source=f"{FOLDER}/runs.csv")


@pytest.fixture(scope="session")
def study() -> StudyReport:
    table = make_table()
    found = analyse_runs(table, FitSpec(n_resamples=30, n_starts=12))
    fit, backtest = found.best
    tokens = np.geomspace(1e6, 1e7, 9)
    return StudyReport(
        title=f"Study {PAYLOAD}",
        table=found.table,
        fit=fit,
        answer=tuple(f"Label {k}  text {PAYLOAD}" for k in range(6)),
        frontiers=found.frontiers,
        main_convention=found.convention,
        exponents=found.exponents,
        ranking=tuple(RankedForm(f.law.name, f.rms, b.rms_miss, "inside") for f, b in found.ranked),
        single_fits=found.slices,
        backtest=backtest,
        frontier_backtest=found.frontier_backtest,
        plans=found.plans,
        cost=found.cost,
        curves=(LearningCurve(PAYLOAD, 1e4, tokens, 6e4 * tokens, 3 - 0.1 * np.log(tokens)),),
        identification=(("condition", f"{fit.condition:.3g}"),),
        findings=(Finding("made-up", "note", PAYLOAD, PAYLOAD, PAYLOAD, (PAYLOAD,)),),
        facts={"corpus": PAYLOAD},
        commands=(f"isoflop report '{PAYLOAD}'",),
    )
