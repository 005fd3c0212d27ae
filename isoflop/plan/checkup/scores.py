"""Scores: accuracies at the floor, zeros, and the error of counting solved items.

Legend: p accuracy, n items of the task, SE = √(p(1−p)/n); C FLOPs, L loss.
"""

import numpy as np
from scipy.optimize import curve_fit

from isoflop.laws.law import Array
from isoflop.plan.checkup.case import Case
from isoflop.plan.checkup.diagnosis import Diagnosis
from isoflop.plan.checkup.refit import LAW
from isoflop.plan.optimum.optimum import optimal_params

MANY_ZEROS = 0.1
"""Share of runs at zero from which a curve through the scores is one through the floor."""
COARSE = 0.1
"""Binomial error over the range of the scores from which it is told."""
Z = 2.0


def check_scores(case: Case) -> list[Diagnosis]:
    """Find accuracies that are mostly floor, and tasks of too few items."""
    if not case.has("accuracy"):
        return []
    p = np.clip(case.numbers("accuracy"), 0.0, 1.0)
    n = case.numbers("n_examples") if case.has("n_examples") else None
    return _floor(case, p, n) + _binomial(case, p, n)


def _floor(case: Case, p: Array, n: Array | None) -> list[Diagnosis]:
    zero = p <= 0
    if zero.mean() < MANY_ZEROS:
        return []
    direct, mapped = _forecasts(case, p)
    numbers = {"share_zero": float(zero.mean())}
    told = "nothing was learned from a zero but that the score is below 1/n"
    if direct is not None and mapped is not None:
        numbers |= {"logistic": direct, "loss_then_map": mapped}
        told = f"at the target a logistic of log C says {direct:.3f}, the loss law and a map of " \
            f"loss to score {mapped:.3f}"  # fmt: skip
    items = "" if n is None else f"; of n = {np.median(n):.0f} items a zero means p < " \
        f"{3 / np.median(n):.2g} at 95 %"  # fmt: skip
    return [
        Diagnosis(
            code="accuracy-at-floor",
            severity="warning",
            evidence=f"{zero.sum()} of {len(p)} accuracies ({100 * zero.mean():.0f} %) are exactly "
            f"0{items}",
            consequence=f"a curve through them is fitted to the floor: {told}",
            remedy="fit the loss, then map it to the score (isoflop downstream); score by "
            "likelihood rather than by exact match",
            rows=case.rows(zero),
            runs=case.names(zero),
            numbers=numbers,
        )
    ]


def _binomial(case: Case, p: Array, n: Array | None) -> list[Diagnosis]:
    if n is None:
        return [
            Diagnosis(
                code="binomial-noise",
                severity="note",
                evidence="`accuracy` is recorded without the number of items (`n_examples`)",
                consequence="its error, √(p(1−p)/n), is unknown: 3 points at n = 200, .5 at 10,000",
                remedy="record n_examples",
            )
        ]
    error = np.sqrt(np.maximum(p * (1 - p), 1 / n) / n)
    share = float(np.median(error) / max(np.ptp(p), 1e-9))
    if share < COARSE:
        return []
    coarse = error > COARSE * np.ptp(p)
    return [
        Diagnosis(
            code="binomial-noise",
            severity="warning",
            evidence=f"with n = {np.median(n):.0f} items the standard error of an accuracy is "
            f"{np.median(error):.3f}, {100 * share:.0f} % of the whole range of the scores",
            consequence=f"two runs that differ by less than {Z * 1.414 * np.median(error):.3f} "
            "cannot be told apart, whatever was trained",
            remedy="use more items, several tasks, or the likelihood of the answers",
            rows=case.rows(coarse),
            runs=case.names(coarse),
            numbers={"median_error": float(np.median(error)), "share_of_range": share},
        )
    ]


def _forecasts(case: Case, p: Array) -> tuple[float | None, float | None]:
    """The score at the target: by a logistic of log C, and by log score on loss."""
    if case.fit is None:
        return None, None
    C = 6 * case.numbers("n_params") * case.numbers("n_tokens")
    x = np.log10(C)
    direct = None
    try:
        (middle, scale), _ = curve_fit(
            _logistic, x, p, p0=(x.max(), 2.0), bounds=([0.0, 0.05], [60.0, 50.0])
        )
        direct = float(_logistic(np.log10(case.flops), middle, scale))
    except (RuntimeError, ValueError):
        pass
    loss = case.numbers("loss")
    solved = p > 0
    if solved.sum() < 3 or np.ptp(loss[solved]) == 0:
        return direct, None
    slope, intercept = _poisson_line(loss, p)
    at = optimal_params(LAW, case.fit.theta, case.flops)[1]
    return direct, float(min(1.0, np.exp(intercept + slope * at)))


def _logistic(x: Array, middle: float, scale: float) -> Array:
    return 1 / (1 + np.exp(np.clip(-scale * (x - middle), -500, 500)))


def _poisson_line(loss: Array, p: Array) -> tuple[float, float]:
    """Slope and intercept of log p in loss by likelihood of counts, which a zero informs too."""
    solved = p > 0
    slope, intercept = np.polyfit(loss[solved], np.log(p[solved]), 1)
    theta = np.array([intercept, slope])
    X = np.stack([np.ones_like(loss), loss], axis=1)
    for _ in range(50):
        mean = np.exp(np.clip(X @ theta, -50, 5))
        step = np.linalg.lstsq((X.T * mean) @ X, X.T @ (p - mean), rcond=None)[0]
        theta = theta + np.clip(step, -5, 5)
        if np.abs(step).max() < 1e-10:
            break
    return float(theta[1]), float(theta[0])
