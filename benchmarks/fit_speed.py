"""Speed of fitting against a plain scipy loop, on one core, in one run.

`python -m benchmarks.fit_speed` times a random part of Hoffmann's 4,500 starts and says how far
it extrapolates; `--full` runs them all, and PyPI's `chinchilla` package where it is installed.
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks._chinchilla_package import MISSING, fit_with_package, is_installed
from benchmarks._plain_fit import GRID, fit_plainly, to_plain
from isoflop.exchange.run_tables import read_runs
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import pose_problem
from isoflop.fitting.solve.problem import Problem
from isoflop.fitting.solve.solver import Solution, minimise
from isoflop.fitting.starts import usual_starts
from isoflop.fitting.uncertainty.bootstrap import RESAMPLE_TOLERANCE, resample_weights
from isoflop.laws.broken import BrokenLaw
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.runs.drop import drop_highest_loss
from isoflop.runs.table import derive_column

SHARED = Path(os.environ.get("ISOFLOP_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
POINTS = SHARED / "chinchilla-epoch" / "svg_extracted_data.csv"
PLANTED = np.array([1.8172, 482.01, 2085.43, 0.3478, 0.3658])
N_STARTS = 8
SOME_STARTS, SOME_RESAMPLES = 150, 20


def chinchilla_problem() -> tuple[str, Problem]:
    """The 240 digitised points where they are at hand, else as many planted ones."""
    law, loss = ChinchillaLaw(), Objective("huber", 1e-3)
    if POINTS.exists():
        table = derive_column(drop_highest_loss(read_runs(POINTS), 5), "n_tokens")
        return "240 digitised points", pose_problem(table, law, loss)
    rng = np.random.default_rng(0)
    N = np.exp(rng.uniform(np.log(6e7), np.log(1.6e10), 240))
    D = np.exp(rng.uniform(np.log(8e8), np.log(3e11), 240))
    variables = {"n_params": N, "n_tokens": D}
    noisy = law.predict(PLANTED, variables) * np.exp(rng.normal(0, 0.007, 240))
    return "240 planted points", Problem(law, variables, noisy, loss)


def small_problem() -> Problem:
    """Seven budgets of nine sizes within a factor of four of the optimum, for coverage studies."""
    law = ChinchillaLaw()
    _, A, B, alpha, beta = PLANTED
    budgets = np.geomspace(1e18, 1e21, 7)
    best = (alpha * A / (beta * B)) ** (1 / (alpha + beta)) * (budgets / 6) ** (
        beta / (alpha + beta)
    )
    N = (best[:, None] * np.geomspace(1 / 4, 4, 9)).ravel()
    variables = {"n_params": N, "n_tokens": np.repeat(budgets, 9) / (6 * N)}
    return Problem(law, variables, law.predict(PLANTED, variables), Objective("squared"))


def broken_problem() -> Problem:
    """Seventeen points with one break."""
    law, x = BrokenLaw("n_tokens"), np.geomspace(1e6, 1e10, 17)
    planted = np.array([0.3, 60.0, 0.2, 0.4, 1e8, 0.4])
    noise = np.exp(np.random.default_rng(0).normal(0, 0.002, 17))
    loss = law.predict(planted, {"n_tokens": x}) * noise
    return Problem(law, {"n_tokens": x}, loss, Objective("squared"))


def propose(problem: Problem, n_starts: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return problem.law.propose_starts(
        problem.variables, problem.measured, n_starts=n_starts, rng=rng
    )


def fit_globally(problem: Problem, n_starts: int = N_STARTS) -> Solution:
    return minimise(problem, propose(problem, n_starts), np.ones(problem.n_runs))


def median_seconds(work: Callable[[], object], repeats: int) -> float:
    work()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


def report(label: str, ours: float, plain: float, note: str) -> None:
    print(f"{label:52s} {1e3 * ours:9.1f} ms {plain:10.2f} s {plain / ours:9.0f}x  {note}")


def time_point_fit(problem: Problem, *, full: bool) -> tuple[np.ndarray, float]:
    found = fit_globally(problem)
    ours = median_seconds(lambda: fit_globally(problem), 25)
    usual = usual_starts(problem.law)
    careful = median_seconds(lambda: fit_globally(problem, usual), 25)
    best, reached = (
        found.objective.min(),
        np.mean(found.objective <= found.objective.min() * 1.000001),
    )
    starts = GRID
    if not full:
        starts = GRID[np.random.default_rng(0).choice(len(GRID), SOME_STARTS, replace=False)]
    start = time.perf_counter()
    plain = fit_plainly(problem, starts, np.ones(problem.n_runs))
    seconds = (time.perf_counter() - start) * len(GRID) / len(starts)
    part = "all 4,500 starts" if full else f"extrapolated from {len(starts)} of 4,500 starts"
    report(f"Chinchilla's law, global, {N_STARTS} starts", ours, seconds, part)
    print(f"  from {usual} starts, the default of a fit: {1e3 * careful:.1f} ms")
    arrive = np.mean(plain.values <= best * (1 + 1e-6))
    print(f"  objective {best:.13f} from {100 * reached:.0f} % of ours; plain best")
    print(
        f"  {plain.values.min():.13f}, {100 * arrive:.1f} % of its starts arrive within 1e-6, "
        f"{plain.evaluations / len(starts):.0f} evaluations a start"
    )
    return found.theta[int(np.argmin(found.objective))], ours


def time_resamples(problem: Problem, theta: np.ndarray, *, count: int) -> None:
    weights = resample_weights(problem.n_runs, n_resamples=count, rng=np.random.default_rng(1))
    starts = np.repeat(theta[None], count, axis=0)

    def refit() -> Solution:
        return minimise(problem, starts, weights, tolerance=RESAMPLE_TOLERANCE)

    ours, found = median_seconds(refit, 3), refit()
    start = time.perf_counter()
    plain = [
        fit_plainly(problem, to_plain(theta)[None], row).values[0]
        for row in weights[:SOME_RESAMPLES]
    ]
    seconds = (time.perf_counter() - start) * count / SOME_RESAMPLES
    behind = np.mean(np.array(plain) > found.objective[:SOME_RESAMPLES] * (1 + 1e-6))
    note = (
        f"extrapolated from {SOME_RESAMPLES}; it stops above ours on {100 * behind:.0f} % of them"
    )
    report(f"{count:,} bootstrap resamples of it", ours, seconds, note)


def time_coverage_cell(*, n_studies: int = 500, n_resamples: int = 200) -> None:
    """Simulate studies of one design; fit each from several starts; resample and refit each."""
    design, rng = small_problem(), np.random.default_rng(2)
    noise = np.exp(0.005 * rng.standard_normal((n_studies, design.n_runs)))
    losses = design.measured * noise
    weights = resample_weights(design.n_runs, n_resamples=n_studies * n_resamples, rng=rng)
    starts = propose(design, N_STARTS)

    def many(copies: int) -> Problem:
        repeated = np.repeat(losses, copies, axis=0)
        return Problem(design.law, design.variables, repeated, design.objective)

    start = time.perf_counter()
    points = minimise(many(N_STARTS), np.tile(starts, (n_studies, 1)), np.ones(design.n_runs))
    best = points.objective.reshape(n_studies, -1).argmin(axis=1)
    theta = points.theta.reshape(n_studies, N_STARTS, -1)[np.arange(n_studies), best]
    refits = minimise(
        many(n_resamples),
        np.repeat(theta, n_resamples, axis=0),
        weights,
        tolerance=RESAMPLE_TOLERANCE,
    )
    ours = time.perf_counter() - start
    study = Problem(design.law, design.variables, losses[0], design.objective)
    start = time.perf_counter()
    for row in weights[:SOME_RESAMPLES]:
        fit_plainly(study, to_plain(theta[0])[None], row)
    seconds = (time.perf_counter() - start) * len(weights) / SOME_RESAMPLES
    kept = 100 * refits.converged.mean()
    note = f"extrapolated from {SOME_RESAMPLES}; {kept:.1f} % of ours converge"
    report(f"{n_studies} studies x {n_resamples} resamples, 63 runs", ours, seconds, note)


def time_broken_law(*, n_starts: int = 64) -> None:
    problem = broken_problem()
    found = fit_globally(problem, n_starts)
    ours = median_seconds(lambda: fit_globally(problem, n_starts), 5)
    start = time.perf_counter()
    plain = fit_broken_plainly(problem, propose(problem, n_starts))
    seconds = time.perf_counter() - start
    note = f"objective {found.objective.min():.6g} against {plain:.6g}"
    report(f"one break (BNSL), 17 points, {n_starts} starts", ours, seconds, note)


def fit_broken_plainly(problem: Problem, starts: np.ndarray) -> float:
    from scipy.optimize import minimize

    log = np.array([parameter.scale == "log" for parameter in problem.law.parameters])
    ones = np.ones((1, problem.n_runs))

    def total(x: np.ndarray) -> float:
        theta = np.where(log, np.exp(np.where(log, x, 0.0)), x)
        value = float(problem.value(theta[None], ones)[0])
        return value if np.isfinite(value) else 1e9

    entered = np.where(log, np.log(np.where(log, starts, 1.0)), starts)
    return min(minimize(total, x, method="L-BFGS-B").fun for x in entered)


def time_package(problem: Problem, ours: float, *, full: bool) -> None:
    if not is_installed():
        print(f"PyPI's chinchilla package: {MISSING}")
        return
    if not full:
        print("PyPI's chinchilla package: takes minutes; run with --full")
        return
    seconds, theta = fit_with_package(problem)
    value = problem.value(theta[None], np.ones((1, problem.n_runs)))[0]
    report("the same by PyPI's chinchilla package", ours, seconds, f"objective {value:.13f}")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="all 4,500 starts, and the package")
    full = parser.parse_args(arguments or []).full
    where, problem = chinchilla_problem()
    print(f"on {where}, Huber 1e-3 of log loss, one core")
    print(f"{'':52s} {'isoflop':>12s} {'plain scipy':>12s} {'ratio':>10s}")
    theta, ours = time_point_fit(problem, full=full)
    time_resamples(problem, theta, count=4000)
    time_coverage_cell()
    time_broken_law()
    time_package(problem, ours, full=full)


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
