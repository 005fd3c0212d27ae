"""Loss first, then accuracy: what a curve through the accuracies themselves cannot foresee."""

import numpy as np
import pytest
from planted import SURFACES, chinchilla, isoflop_design, optimum, table_of
from scipy.optimize import curve_fit

from isoflop.base.errors import InputError
from isoflop.fitting.downstream.two_step import check_floor, fit_two_step, predict_two_step
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.downstream import AccuracyExponentialLaw, AccuracySigmoidLaw
from isoflop.laws.fixed import fix_constants
from isoflop.laws.kaplan import KaplanTokensLaw
from isoflop.laws.power import PowerLaw

QUESTIONS, TOKENS = 200, 5
TASK = (0.0, *SURFACES["epoch"][1:])  # loss of the answer's tokens: it can be learned perfectly
FAR = 1e24
SPEC = FitSpec(Objective("squared"), n_resamples=200, n_starts=16)


def exact_match(nll):
    """All of the answer's tokens right."""
    return np.exp(-TOKENS * nll)


def measure(seed: int):
    """63 runs of 1e17 to 1e20 FLOPs: compute, table with loss and share of 200 exact matches."""
    rng = np.random.default_rng(seed)
    budgets = np.geomspace(1e17, 1e20, 7)
    N, D = isoflop_design(TASK, half_width=8, points=9, budgets=budgets)
    nll = chinchilla(TASK, N, D)
    accuracy = rng.binomial(QUESTIONS, exact_match(nll)) / QUESTIONS
    measured = nll * np.exp(0.005 * rng.standard_normal(len(N)))
    return 6 * N * D, table_of(n_params=N, n_tokens=D, loss=measured, accuracy=accuracy)


def fit_study(table):
    return fit_two_step(
        table,
        fix_constants(ChinchillaLaw(), {"E": 0.0}),
        fix_constants(AccuracyExponentialLaw(), {"k": 1.0}),
        n_questions=QUESTIONS,
        spec=SPEC,
    )


def logistic_at(flops, accuracy, far: float) -> float:
    """Least squares of a logistic curve in log compute, extrapolated: the usual mistake."""

    def curve(x, slope, middle):
        return 1 / (1 + np.exp(-slope * (x - middle)))

    x, best = np.log10(flops), (np.inf, np.nan)
    for middle in (20, 22, 24):
        found, _ = curve_fit(curve, x, accuracy, p0=(2, middle), maxfev=10_000)
        miss = float(np.sum((curve(x, *found) - accuracy) ** 2))
        best = min(best, (miss, float(curve(np.log10(far), *found))))
    return best[1]


def test_loss_then_map_foresees_what_a_logistic_through_mostly_zeros_cannot() -> None:
    best = optimum(TASK, FAR)
    at = {"n_params": np.array([best]), "n_tokens": np.array([FAR / 6 / best])}
    nll = chinchilla(TASK, best, FAR / 6 / best)
    zeros, direct, mapped, covered = [], [], [], []
    for seed in range(8):
        flops, table = measure(seed)
        accuracy = table.numbers("accuracy")
        zeros.append(np.mean(accuracy == 0))
        direct.append(logistic_at(flops, accuracy, FAR) - exact_match(nll))
        fit = fit_study(table)
        estimate = predict_two_step(fit, at, n_questions=QUESTIONS)[0]
        mapped.append(estimate.value - exact_match(nll))
        covered.append(estimate.low < exact_match(nll) < estimate.high)
    assert np.mean(zeros) == pytest.approx(0.69, abs=0.03)
    assert np.mean(direct) > 0.26
    assert np.abs(mapped).max() < 0.05
    assert np.mean(covered) >= 0.75


@pytest.mark.study
def test_nine_in_ten_future_accuracies_lie_in_the_interval() -> None:
    best = optimum(TASK, FAR)
    at = {"n_params": np.array([best]), "n_tokens": np.array([FAR / 6 / best])}
    nll = chinchilla(TASK, best, FAR / 6 / best)
    covered = []
    for seed in range(200):
        rng = np.random.default_rng(10_000 + seed)
        estimate = predict_two_step(fit_study(measure(seed)[1]), at, n_questions=QUESTIONS)[0]
        share = exact_match(nll * np.exp(0.005 * rng.standard_normal()))
        covered.append(estimate.low <= rng.binomial(QUESTIONS, share) / QUESTIONS <= estimate.high)
    assert 0.85 <= np.mean(covered) <= 0.97


def test_zeros_are_counted_and_what_they_can_hide_is_said() -> None:
    _, table = measure(0)
    (finding,) = fit_study(table).findings
    assert finding.code == "accuracy-at-floor"
    zeros = int(np.sum(table.numbers("accuracy") == 0))
    assert finding.evidence.startswith(f"{zeros} of 63 runs solve no question at all")
    assert finding.evidence.endswith("0 of 200 is anything below 1.5%")


def test_errors_of_one_are_zeros_too_and_few_of_them_are_no_finding() -> None:
    assert check_floor(table_of(error=[1.0, 1.0, 0.5]), "error")[0].code == "accuracy-at-floor"
    assert check_floor(table_of(error=[1.0, *[0.5] * 9]), "error") == []
    assert check_floor(table_of(loss=[1.0, 1.0]), "loss") == []


def make_runs():
    """Twelve runs on a power law, whose accuracy is a sigmoid of the loss from .25 to .9."""
    flops = np.geomspace(1e17, 1e21, 12)
    rng = np.random.default_rng(2)
    loss = (1e27 / flops) ** 0.05 * np.exp(0.002 * rng.standard_normal(12))
    accuracy = 0.25 + 0.65 / (1 + np.exp(5 * (loss - 2.2))) + 0.004 * rng.standard_normal(12)
    return table_of(flops=flops, loss=loss, accuracy=accuracy)


def test_both_uncertainties_come_through() -> None:
    fit = fit_two_step(make_runs(), PowerLaw("flops"), AccuracySigmoidLaw(), spec=SPEC)
    near, far = predict_two_step(fit, {"flops": np.array([1e20, 1e24])})
    truth = [0.25 + 0.65 / (1 + np.exp(5 * ((1e27 / c) ** 0.05 - 2.2))) for c in (1e20, 1e24)]
    for estimate, expected in zip((near, far), truth, strict=True):
        assert estimate.low < expected < estimate.high
        assert 0 <= estimate.low < estimate.value < estimate.high <= 1
    assert far.high - far.low > near.high - near.low
    mean = predict_two_step(fit, {"flops": np.array([1e20])}, future=False)[0]
    assert mean.high - mean.low < near.high - near.low


def test_runs_without_an_accuracy_serve_the_loss_and_not_the_map() -> None:
    full = make_runs()
    accuracy = full.numbers("accuracy").copy()
    accuracy[::3] = np.nan
    table = full.with_column("accuracy", accuracy)
    fit = fit_two_step(table, PowerLaw("flops"), AccuracySigmoidLaw(), spec=SPEC)
    assert (fit.loss.n_runs, fit.mapped.n_runs) == (12, 8)


def test_the_same_fit_predicts_the_same_bytes() -> None:
    fit = fit_two_step(make_runs(), PowerLaw("flops"), AccuracySigmoidLaw(), spec=SPEC)
    at = {"flops": np.array([1e22])}
    assert predict_two_step(fit, at) == predict_two_step(fit, at)
    questions = predict_two_step(fit, at, n_questions=50)
    assert questions == predict_two_step(fit, at, n_questions=50)
    assert questions[0].high - questions[0].low > predict_two_step(fit, at)[0].half_width


def test_a_map_of_something_else_is_refused() -> None:
    with pytest.raises(InputError, match="kaplan-nd is a law of n_params, n_tokens; the second"):
        fit_two_step(make_runs(), PowerLaw("flops"), KaplanTokensLaw())


def test_a_table_without_accuracies_is_refused() -> None:
    table = table_of(flops=np.geomspace(1e17, 1e21, 12), loss=np.linspace(4, 2, 12))
    with pytest.raises(InputError, match="no column `accuracy` to map the loss with"):
        fit_two_step(table, PowerLaw("flops"), AccuracySigmoidLaw())
    empty = table.with_column("accuracy", np.full(12, np.nan))
    with pytest.raises(InputError, match="no run records both its loss and its accuracy"):
        fit_two_step(empty, PowerLaw("flops"), AccuracySigmoidLaw())
