"""Designs: rays, one size, one budget and short ranges, which no analysis can mend.

Legend: N parameters, D tokens, C FLOPs; a exponent of N* ∝ C^a; J Jacobian of log loss.
"""

import numpy as np
from scipy.stats import t as student_t

from isoflop.base.estimate import LEVEL, Estimate, shorten
from isoflop.fitting.fit import Fit
from isoflop.fitting.identify import condition_number
from isoflop.fitting.objective import Objective
from isoflop.fitting.solve.solver import Problem
from isoflop.laws.law import Array
from isoflop.laws.published.besiroglu_2024 import ENTRIES
from isoflop.plan.checkup.case import Case
from isoflop.plan.checkup.cells import group_cells
from isoflop.plan.checkup.diagnosis import Diagnosis
from isoflop.plan.checkup.refit import LAW, exponent, shift_of_size
from isoflop.plan.optimum.optimum import optimal_params

ASSUMED_NOISE = 0.005
"""Noise of log loss taken where none could be measured; real ladders have .3 to .8 %."""
ON_RAY, NEAR_RAY = 0.02, 0.25
"""Standard deviation of log D about a line in log N: none to speak of, and little."""
ONE = 0.14
"""Range of a logarithm within which amounts are one: 15 %."""
SHORT = 1.0
"""Decades of compute below which a ladder is short whatever is asked of it."""
REACH = 2.0
"""Decades beyond the runs, over decades measured, from which a forecast is a long shot."""
OPEN = 0.2
"""Half of the 90 % interval of a from which it is unknown; Chinchilla's points leave .02."""
STEP = 1e-5
SINGULAR = 1e12
"""Condition number from which float64 cannot tell a direction from none, and its spread is void."""


def check_design(case: Case) -> list[Diagnosis]:
    """Find designs that leave the exponents free."""
    if not case.has("n_params", "n_tokens"):
        return []
    N, D = np.log(case.numbers("n_params")), np.log(case.numbers("n_tokens"))
    if np.ptp(N) < ONE:
        return [_free(case, "one-size", f"every run has about {np.exp(N.mean()):.3g} parameters",
                      "alpha and A cannot be told from E", "train three sizes or more over "
                      "a decade")]  # fmt: skip
    if np.ptp(N + D) < ONE and len(N) > 1:
        return [_free(case, "one-budget", f"every run has about {6 * np.exp((N + D).mean()):.3g} "
                      "FLOPs", "nothing shows how the optimum moves with compute", "add two "
                      "budgets or more over two decades")]  # fmt: skip
    slope = float((N - N.mean()) @ (D - D.mean()) / ((N - N.mean()) @ (N - N.mean())))
    off = float(np.std(D - D.mean() - slope * (N - N.mean())))
    if off < NEAR_RAY:
        ratio = f"D/N from {np.exp((D - N).min()):.3g} to {np.exp((D - N).max()):.3g}"
        return [_free(case, "single-ray", f"all runs lie on one ray, {ratio}: D leaves the line "
                      f"D ∝ N^{slope:.2f} by {100 * off:.2g} %", "the two exponents trade against "
                      "each other, and a is free", "vary D at fixed N: ±4x around the ray",
                      hard=off < ON_RAY)]  # fmt: skip
    return []


def check_range(case: Case) -> list[Diagnosis]:
    """Find ladders too short for the target."""
    if case.fit is None:
        return []
    C = 6 * case.numbers("n_params") * case.numbers("n_tokens")
    C = case.numbers("flops") if case.has("flops") else C
    decades = float(np.log10(C.max() / C.min()))
    beyond = float(np.log10(max(case.flops / C.max(), 1.0)))
    if ONE / np.log(10) < decades >= SHORT and beyond < REACH * decades:
        return []
    sd_a, sd_log_n = spread_of_optimum(case.fit, case.flops)
    found, a = optimal_params(LAW, case.fit.theta, case.flops)[0], exponent(case.fit.theta)
    wrong = (a + sd_a, found * float(np.exp(min(sd_log_n, 20.0))))
    change = shift_of_size(case, wrong, (a, found), case.fit.theta)
    return [
        Diagnosis(
            code="few-decades",
            severity="warning",
            evidence=f"{decades:.2f} decades of compute were measured, and the target lies "
            f"{beyond:.2f} beyond them",
            consequence=f"a is known to ±{sd_a:.3f} and N* at {shorten(case.flops)} FLOPs to a "
            f"factor {np.exp(min(sd_log_n, 20.0)):.2f} even if the law holds so far, which these "
            f"runs cannot show; one such error wastes {change.wasted}",
            remedy="add a larger budget: two decades, and no target further beyond them than they "
            "are wide (isoflop design, isoflop next)",
            numbers={"decades": decades, "beyond": beyond, "sd_a": sd_a, "sd_log_n": sd_log_n},
            shift=change,
        )
    ]


def check_exponent(case: Case) -> list[Diagnosis]:
    """Find surfaces that leave the exponent wide open, whatever the design looks like."""
    a = interval_of_exponent(case)
    if case.fit is None or a is None or a.half_width is None or a.half_width < OPEN:
        return []
    factor = float(np.exp(min(spread_of_optimum(case.fit, case.flops)[1], 20.0)))
    cells = len(group_cells(case.table))
    return [
        Diagnosis(
            code="exponent-unknown",
            severity="warning",
            evidence=f"a = {a} (90 %), by {len(case.table)} runs at {cells} pairs of size and data "
            f"with residuals of {100 * case.noise:.2g} %",
            consequence=f"these runs do not tell how to split compute: N* at {shorten(case.flops)} "
            f"FLOPs is known to a factor {factor:.3g}, one standard error",
            remedy="widen the range of sizes at each amount of data; record what else differs "
            "between runs of one size (batch, learning rate): it counts as noise here",
            numbers={"a": a.value, "half_width": a.half_width, "n_cells": float(cells)},
        )
    ]


def spread_of_optimum(fit: Fit, flops: float) -> tuple[float, float]:
    """Standard errors of a and of log N* at a budget, by the delta method.

    Args:
        fit: a Chinchilla surface.
        flops: the budget, FLOPs.
    """
    scale = np.array([0.0, 1.0, 1.0, 1.0, 1.0])  # E moves neither

    def answers(theta: Array) -> Array:
        _, A, B, alpha, beta = theta
        log_n = (np.log(alpha * A / (beta * B)) + beta * np.log(flops / 6)) / (alpha + beta)
        return np.array([beta / (alpha + beta), log_n])

    slope = np.stack(
        [
            (answers(fit.theta * np.exp(STEP * e)) - answers(fit.theta * np.exp(-STEP * e)))
            / (2 * STEP)
            for e in np.diag(scale)
        ]
    )
    variance = np.einsum("pi,pq,qi->i", slope, fit.covariance, slope)
    return tuple(float(np.sqrt(max(v, 0.0))) for v in variance)  # pyright: ignore


def interval_of_exponent(case: Case, *, level: float = LEVEL) -> Estimate | None:
    """The exponent a of the case's surface with the interval of independent runs.

    a ± t·(standard error by the delta method), Student's t with n − 5 degrees of freedom. Runs that
    share noise, such as those of one size, are less certain than that; `isoflop fit` sees them.
    """
    if case.fit is None:
        return None
    a, (spread, _) = exponent(case.fit.theta), spread_of_optimum(case.fit, case.flops)
    freedom = max(1, int(case.steady.sum()) - len(case.fit.theta))
    half = spread * float(student_t.ppf((1 + level) / 2, freedom))
    return Estimate(a, a - half, a + half, level)


def design_spread(N: Array, D: Array, noise: float) -> tuple[float, float]:
    """Condition number of a design and the standard error of a, at Besiroglu 2024's constants.

    Args:
        N: (n_runs,) parameters.
        D: (n_runs,) tokens.
        noise: standard deviation of log loss.
    """
    theta = np.asarray(ENTRIES[0].theta, dtype=np.float64)
    runs = {"n_params": N, "n_tokens": D}
    problem = Problem(LAW, runs, LAW.predict(theta, runs), Objective("squared"))
    jacobian = problem.jacobian(theta[None])[0]
    alpha, beta = theta[3:]
    by_exponents = np.array([0, 0, 0, -alpha * beta, alpha * beta]) / (alpha + beta) ** 2
    left, size, right = np.linalg.svd(jacobian, full_matrices=False)
    del left
    with np.errstate(divide="ignore", over="ignore"):
        spread = noise * np.linalg.norm((right @ by_exponents) / size)
    return condition_number(problem, theta), float(spread)


def _free(
    case: Case, code: str, evidence: str, consequence: str, remedy: str, *, hard: bool = True
) -> Diagnosis:
    noise = case.noise if case.fit is not None else ASSUMED_NOISE
    condition, sd_a = design_spread(case.numbers("n_params"), case.numbers("n_tokens"), noise)
    numbers = {"condition": min(condition, 1e300)}
    told = "a is not identified"
    if condition < SINGULAR:
        numbers["sd_a"] = sd_a
        told = f"with {100 * noise:.2g} % noise the standard error of a is {sd_a:.2g}, where " + (
            "a grid of 63 runs has .0075" if sd_a < 1 else "a lies between 0 and 1: not identified"
        )
    return Diagnosis(
        code=code,
        severity="error" if hard else "warning",
        evidence=f"{evidence}; condition number {condition:.2g}, where a good grid has 30 to 300"
        if condition < SINGULAR
        else f"{evidence}; the fit is singular",
        consequence=f"{consequence}: {told}",
        remedy=remedy,
        numbers=numbers,
    )
