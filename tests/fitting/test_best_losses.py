"""A law that stands still above losses measured is said to, and a law above noise alone is not."""

import numpy as np
import pytest
from planted import SURFACES, isoflop_design, make_table, table_of

from isoflop.fitting.best_losses import (
    MOST_STEPS,
    best_losses,
    judge_constant,
    judge_plan,
    noise_allowance,
)
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.formula.formula import FormulaLaw
from isoflop.laws.power import PowerConstantLaw, PowerLaw

EPOCH = np.array(SURFACES["epoch"])
SPEC = FitSpec(n_resamples=0, n_starts=8)


def judge(constant: float, lowest: float, rms: float) -> list[str]:
    theta = np.array([constant, *EPOCH[1:]])
    loss = np.array([5.0, 4.0, lowest])
    return [finding.code for finding in judge_constant(ChinchillaLaw(), theta, loss, rms)]


@pytest.mark.parametrize(
    ("constant", "lowest", "rms", "raised"),
    [
        (3.21, 3.097, 0.088, True),  # the runs of Porian et al. 2024 that asked for this finding
        (3.21, 3.097, 0.004, True),
        (3.03, 3.0, 0.002, True),  # 1 % below, ten times the noise of .2 % more
        (3.006, 3.0, 0.005, False),  # .2 % below: the noise of a run
        (3.05, 3.0, 0.088, False),  # a saturated curve of noise up to 2 %
        (1.8, 3.0, 0.004, False),
    ],
)
def test_a_constant_is_too_high_where_runs_lie_below_it_by_more_than_noise(
    constant, lowest, rms, raised
) -> None:
    assert judge(constant, lowest, rms) == (["constant-above-losses"] if raised else [])


def test_the_finding_counts_the_runs_below() -> None:
    theta = np.array([3.21, *EPOCH[1:]])
    (finding,) = judge_constant(ChinchillaLaw(), theta, np.array([4.0, 3.2, 3.1, 3.3]), 0.01)
    assert "2 of 4 runs measured 3.21 or less, down to 3.1" in finding.evidence
    assert finding.severity == "warning"


def test_a_law_without_a_constant_has_none_too_high() -> None:
    law = PowerLaw("n_params")
    assert judge_constant(law, np.array([1e14, 0.08]), np.array([0.1]), 0.01) == []
    # A constant called E that multiplies is no limit of the law.
    other = FormulaLaw.parse("E*n_params**-alpha", columns=("n_params", "loss"))
    theta = np.array([5.0 if name == "E" else 0.1 for name in other.parameter_names])
    assert judge_constant(other, theta, np.array([0.1]), 0.01) == []


def test_healthy_fits_are_not_warned_of_and_keep_their_best_losses() -> None:
    N, D = isoflop_design(EPOCH, points=9)
    table = make_table(EPOCH, N, D, noise=0.005)
    fit = fit_parametric(table, ChinchillaLaw(), SPEC)
    assert "constant-above-losses" not in [finding.code for finding in fit.findings]
    lowest = table.numbers("loss").min()
    assert fit.data.best[-1][1] == lowest
    # A curve that has come to rest: a third of its runs lie below the constant, by noise.
    C = np.geomspace(1e17, 1e24, 60)
    noise = np.exp(0.004 * np.random.default_rng(0).standard_normal(60))
    flat = fit_parametric(
        table_of(flops=C, loss=(2.0 + 4e7 * C**-0.45) * noise), PowerConstantLaw("flops"), SPEC
    )
    assert flat.data.ranges["loss"][0] < flat.params["E"].value
    assert "constant-above-losses" not in [finding.code for finding in flat.findings]


def test_a_fit_whose_constant_lies_above_its_runs_says_so() -> None:
    # Two sorts of runs: most come to rest at 3.2, the largest few are of another recipe.
    C = np.geomspace(1e17, 1e22, 40)
    loss = 3.2 + 4e7 * C**-0.45
    loss[-3:] *= 0.9
    fit = fit_parametric(table_of(flops=C, loss=loss), PowerConstantLaw("flops"), SPEC)
    assert "constant-above-losses" in [finding.code for finding in fit.findings]


def test_a_plan_above_a_loss_measured_with_less_is_warned_of() -> None:
    best = ((1e18, 3.5), (2.56e19, 3.097))
    (finding,) = judge_plan(best, 1e20, 3.275, 0.088)
    assert finding.code == "planned-above-measured"
    assert "a run measured 3.097 with 2.56e19, 3.91x less" in finding.evidence
    assert judge_plan(best, 1e20, 3.05, 0.088) == []
    assert judge_plan(best, 1e20, 3.10, 0.004) == []  # by the noise of a run
    assert judge_plan(best, 1e19, 3.275, 0.088) == []  # only 3.5 was measured with less
    assert judge_plan(best, 1e20, float("nan"), 0.01) == []
    assert judge_plan((), 1e20, 3.275, 0.01) == []


def test_the_staircase_falls_and_is_short() -> None:
    rng = np.random.default_rng(0)
    flops, loss = np.geomspace(1e17, 1e22, 900), np.geomspace(5.0, 2.0, 900)
    steps = best_losses(flops, loss * np.exp(1e-4 * rng.standard_normal(900)))
    assert len(steps) == MOST_STEPS
    assert (np.diff(np.array(steps), axis=0) * [1, -1] > 0).all()
    assert noise_allowance(0.001) == pytest.approx(0.003)
    assert noise_allowance(0.1) == 0.02
