"""Do a few outlying runs move the answer? Drop them, refit, and say by how much."""

import numpy as np
from numpy.typing import NDArray

from isoflop.base.estimate import shorten
from isoflop.fitting.solve.solver import Array, Problem, minimise
from isoflop.laws.fixed import FixedLaw
from isoflop.laws.law import AbstractLaw
from isoflop.runs.checks import Finding

LARGEST_GROUP = 5
LARGEST_SHARE = 0.1
"""Most runs, and largest share of the runs, that may be called a few."""
OUTLYING = 5.0
"""Robust standard deviations from which a run counts as an outlier."""
SIGNIFICANT = 1.5
"""Standard errors by which outliers must move the answer to be reported."""
EXPONENT = "a"
"""What "the answer" is where a law derives it: N* ∝ C**a. As a constant, `a` may be anything,
such as the asymptote of a broken law."""
WATCHED = ("overfit_exponent", "alpha")
"""What it is otherwise: the first of these exponents that the law has."""
FAR = 100.0
"""Tokens per parameter are compared at this multiple of the largest compute."""

Group = NDArray[np.intp]


def check_influence(problem: Problem, theta: Array, names: list[str]) -> list[Finding]:
    """Report the outlying runs, at most five, without which the answer moves significantly.

    Args:
        problem: law, runs, objective.
        theta: (p,) the fit of all runs.
        names: (n_runs,) names of the runs.

    Returns:
        No finding, or one.
    """
    groups = _outlying_groups(problem, theta)
    if not groups:
        return []
    weights = np.ones((len(groups), len(names)))
    for row, group in enumerate(groups):
        weights[row, group] = 0.0
    solution = minimise(problem, np.repeat(theta[None], len(groups), axis=0), weights)
    before, without = watch(problem.law, theta), watch(problem.law, solution.theta)
    errors = np.array(
        [_standard_error(problem, t, w) for t, w in zip(solution.theta, weights, strict=True)]
    )
    excess = np.where(solution.converged, np.abs(without - before) / errors, 0.0)
    worst = int(np.argmax(excess))
    if excess[worst] < SIGNIFICANT:
        return []
    return [_finding(problem, theta, solution.theta[worst], groups[worst], names)]


def watched_name(law: AbstractLaw) -> str:
    """Name what "the answer" of a law is: the first exponent known, else its first constant."""
    free = law.law if isinstance(law, FixedLaw) else law  # what is held moves with no run
    derived = free.derive(np.ones(len(free.parameters)))
    if EXPONENT in derived:
        return EXPONENT
    known = {*derived, *law.parameter_names}
    return next((name for name in WATCHED if name in known), law.parameter_names[0])


def watch(law: AbstractLaw, theta: Array) -> Array:
    """Evaluate the watched quantity of parameters (..., p), shape (...)."""
    name = watched_name(law)
    derived = law.derive(theta)
    return derived[name] if name in derived else theta[..., law.parameter_names.index(name)]


def _outlying_groups(problem: Problem, theta: Array) -> list[Group]:
    """The 1, 2, … outliers with the worst deleted residual, and with the highest loss."""
    residuals = problem.residuals(theta[None])[0]
    jacobian = problem.jacobian(theta[None])[0]
    if not np.isfinite(jacobian).all():  # a law on the edge of floats, such as B at 1e-12
        return []
    leverage = np.einsum("np,pn->n", jacobian, np.linalg.pinv(jacobian))
    deleted = residuals / np.clip(1 - leverage, 0.05, 1.0)
    deleted = np.abs(deleted - np.median(deleted))
    spread = 1.4826 * np.median(deleted)
    outliers = np.flatnonzero(deleted > OUTLYING * max(spread, 1e-9))
    largest = min(len(outliers), LARGEST_GROUP, int(LARGEST_SHARE * len(residuals)))
    worst = outliers[np.argsort(-deleted[outliers])]
    highest = outliers[np.argsort(-problem.measured[outliers])]
    return [order[:size] for order in (worst, highest) for size in range(1, largest + 1)]


def _standard_error(problem: Problem, theta: Array, weights: Array) -> float:
    """Delta-method standard error of the watched quantity from the weighted runs."""
    jacobian = problem.jacobian(theta[None])[0] * weights[:, None]
    residuals = problem.residuals(theta[None])[0] * weights
    freedom = max(1.0, weights.sum() - len(theta))
    covariance = np.linalg.pinv(jacobian.T @ jacobian) * float(residuals @ residuals) / freedom
    step = 1e-5
    up, down = (watch(problem.law, theta * np.exp(s * np.eye(len(theta)))) for s in (step, -step))
    slope = (up - down) / (2 * step)
    return float(np.sqrt(max(slope @ covariance @ slope, 1e-24)))


def _finding(
    problem: Problem, theta: Array, without: Array, group: Group, names: list[str]
) -> Finding:
    moved = ", ".join(
        f"{name} {shorten(float(old))} to {shorten(float(new))}"
        for name, old, new in zip(problem.law.parameter_names, theta, without, strict=True)
    )
    before, after = (float(watch(problem.law, vector)) for vector in (theta, without))
    answer = watched_name(problem.law)
    constant = answer not in WATCHED and answer in problem.law.parameter_names
    role = answer if constant else "the exponent"
    return Finding(
        code="few-runs-move-the-answer",
        severity="warning",
        evidence=(
            f"without {len(group)} of {len(names)} runs, {answer} goes from "
            f"{before:.4f} to {after:.4f} ({moved}){_tokens_per_param(problem, theta, without)}"
        ),
        consequence=f"{role}, and every plan made with it, rests on these runs",
        remedy="look at them; drop them with --drop-rows if they are wrong, and report both fits",
        runs=tuple(names[i] for i in sorted(group.tolist())),
    )


def _tokens_per_param(problem: Problem, theta: Array, without: Array) -> str:
    """Say how the planned tokens per parameter move, where the law has a closed optimum."""
    known = problem.law.derive(np.stack([theta, without]))
    if "G" not in known:
        return ""
    N, D = problem.variables["n_params"], problem.variables["n_tokens"]
    flops = FAR * float(np.max(6 * N * D))
    before, after = (flops / 6) ** (known["b"] - known["a"]) / known["G"] ** 2
    return (
        f"; at {shorten(flops)} FLOPs the planned tokens per parameter go from "
        f"{shorten(before)} to {shorten(after)}"
    )
