"""Do the intervals cover? Planted studies, fitted and judged by isoflop, counted.

``python -m benchmarks.coverage [--studies 500] [--draws 200] [--cells iid t3 …] [--loss …]``
"""

import argparse
import sys
import time
from dataclasses import dataclass
from typing import get_args

import numpy as np

import isoflop
from benchmarks._planted import (
    CELLS,
    FAR,
    SURFACES,
    Array,
    Cell,
    chinchilla,
    optimum,
    unidentified,
)
from isoflop.base.errors import RefusalError
from isoflop.fitting.assess import Asked, Minimum, assess
from isoflop.fitting.fit import Fit
from isoflop.fitting.foresight.foresight import predict_loss
from isoflop.fitting.identify import CONDITION_LIMIT, condition_number, require_variation
from isoflop.fitting.objective import LOSSES, Objective, require_loss
from isoflop.fitting.record import DataRecord
from isoflop.fitting.solve.robust import solve
from isoflop.fitting.solve.solver import Outcome, Problem
from isoflop.fitting.starts import Basins
from isoflop.fitting.uncertainty.intervals import Estimator, require_estimator
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.runs.table import RunTable

LAW = ChinchillaLaw()
SCORED = ("alpha", "beta", "E", "a", "log10 N*", "L opt")
LEVELS = (0.90, 0.95)


@dataclass(frozen=True)
class Scores:
    """What a cell's studies came to.

    Args:
        cell: the cell.
        values: (S, 6) estimates of `SCORED`; NaN where a study was refused.
        truth: (6,).
        inside: (2, S, 6) whether each interval of `LEVELS` holds the truth.
        future: (S,) whether the interval for a future run at 100× the compute held it.
        refused: (S,) studies refused as unidentified.
        estimators: (S,) interval chosen.
        seconds: processor time.
    """

    cell: Cell
    values: Array
    truth: Array
    inside: np.ndarray
    future: np.ndarray
    refused: np.ndarray
    estimators: list[str]
    seconds: float

    @property
    def coverage(self) -> Array:
        """(2, 6) share of the studies."""
        return self.inside[:, ~self.refused].mean(axis=1)

    @property
    def rmse(self) -> Array:
        """(6,) root mean square error."""
        return np.sqrt(np.nanmean((self.values - self.truth) ** 2, axis=0))

    @property
    def bias(self) -> Array:
        """(6,) mean error."""
        return np.nanmean(self.values - self.truth, axis=0)


def score(theta: Array, C: float) -> Array:
    """The quantities scored, (..., 6), of parameters (..., 5) at a budget."""
    E, A, B, alpha, beta = np.moveaxis(np.asarray(theta, dtype=np.float64), -1, 0)
    a = beta / (alpha + beta)
    n_opt = (alpha * A / (beta * B)) ** (1 / (alpha + beta)) * (C / 6) ** a
    loss = E + A * n_opt**-alpha + B * (C / 6 / n_opt) ** -beta
    return np.stack([alpha, beta, E, a, np.log10(n_opt), loss], axis=-1)


def run_cell(
    cell: Cell,
    *,
    studies: int,
    draws: int,
    seed: int = 0,
    loss: str = "robust",
    interval: Estimator = "auto",
) -> Scores:
    """Simulate, fit and score one cell."""
    started = time.process_time()
    planted = SURFACES[cell.surface]
    N, D = cell.design(planted)
    rng = np.random.default_rng([seed, [c.name for c in CELLS].index(cell.name)])
    mean = chinchilla(planted, N, D)
    measured = mean * np.exp(cell.noise(rng, studies, N, D, mean))
    C = FAR * float((6 * N * D).max())
    n_opt = float(optimum(planted, C))
    at = {"n_params": np.array([n_opt]), "n_tokens": np.array([C / 6 / n_opt])}
    there = chinchilla(planted, at["n_params"], at["n_tokens"])
    noise = cell.noise(
        rng,
        studies,
        *(np.append(x, y) for x, y in zip((N, D), at.values(), strict=True)),
        np.append(mean, there),
    )[:, -1]
    truth = score(np.array(planted), C)
    values = np.full((studies, 6), np.nan)
    inside = np.zeros((2, studies, 6), dtype=bool)
    future, refused = np.zeros(studies, dtype=bool), np.zeros(studies, dtype=bool)
    estimators = []
    asked = Asked(Objective(require_loss(loss)), interval, draws, seed)
    for k in range(studies):
        fit = fit_study(N, D, measured[k], asked)
        refused[k] = fit is None
        if fit is None:
            continue
        estimators.append(fit.interval.estimator + ("*" if fit.noise_power else ""))
        values[k] = score(fit.theta, C)
        drawn = score(fit.draws, C)
        for row, level in enumerate(LEVELS):
            tails = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
            low, high = values[k] + fit.stretch * (tails - values[k])
            inside[row, k] = (low <= truth) & (truth <= high)
        (foreseen,) = predict_loss(fit, at)
        run = float(there[0] * np.exp(noise[k]))
        future[k] = (foreseen.low or 0.0) <= run <= (foreseen.high or 0.0)
    seconds = time.process_time() - started
    return Scores(cell, values, truth, inside, future, refused, estimators, seconds)


def fit_study(N: Array, D: Array, loss: Array, asked: Asked) -> Fit | None:
    """Fit one study as `isoflop.fit` does, from one start near the truth; None if refused."""
    variables = {"n_params": N, "n_tokens": D}
    try:
        require_variation(LAW, variables)
    except RefusalError:
        return None
    posed = Problem(LAW, variables, loss, asked.objective)
    problem, found = solve(posed, np.array([SURFACES["epoch"]]))
    theta = found.theta[0]
    if condition_number(problem, theta) >= CONDITION_LIMIT or not found.converged[0]:
        return None
    minimum = Minimum(problem, theta, float(found.objective[0]), found.at_bound[0])
    labels = {"n_params": [repr(n) for n in N.tolist()]}
    minimum, spread = assess(minimum, labels, asked)
    return Fit(
        law=LAW,
        theta=minimum.theta,
        draws=spread.draws,
        objective=minimum.problem.objective,
        objective_value=minimum.value,
        residuals=minimum.problem.residuals(minimum.theta[None])[0],
        n_units=spread.n_units,
        outcome=Outcome.CONVERGED,
        basins=Basins(1, 1.0, 1, None),
        condition=0.0,
        findings=(),
        data=DataRecord("", "", len(N), {}, (), {}),
        covariance=spread.covariance,
        interval=spread.interval,
        noise_power=minimum.noise_power,
        noise_unit=minimum.noise_unit,
    )


def share_refused(name: str, studies: int) -> float:
    """Share of the studies of an unidentified design that `isoflop.fit` refuses."""
    planted = SURFACES["epoch"]
    N, D = unidentified(planted)[name]
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(studies):
        loss = chinchilla(planted, N, D) * np.exp(0.005 * rng.standard_normal(len(N)))
        rows = [
            {"n_params": n, "n_tokens": d, "loss": x}
            for n, d, x in zip(N.tolist(), D.tolist(), loss.tolist(), strict=True)
        ]
        try:
            fit = isoflop.fit(RunTable.from_records(rows), spec=isoflop.FitSpec(n_resamples=0))
            refused += not getattr(fit, "determined", True)
        except RefusalError:
            refused += 1
    return refused / studies


def write_row(scores: Scores) -> str:
    """One line of the table."""
    alpha, beta, E, a, log_n, _ = scores.rmse
    reference = scores.cell.reference
    ratio = "" if reference is None else f"{a / reference[3]:.2f}"
    names, counts = np.unique(scores.estimators, return_counts=True)
    chosen = ", ".join(
        f"{n} {100 * c / len(scores.refused):.0f} %"
        for n, c in sorted(zip(names, counts, strict=True), key=lambda pair: -pair[1])
    )
    cells = [
        scores.cell.name,
        f"{scores.bias[3]:+.4f}",
        f"{alpha:.4f}/{beta:.4f}/{E:.3f}/{a:.4f}",
        ratio,
        f"{log_n:.3f}",
        *(" ".join(f"{share:.3f}" for share in row) for row in scores.coverage),
        f"{scores.future[~scores.refused].mean():.3f}",
        f"{scores.refused.mean():.3f}",
        chosen,
        f"{scores.seconds:.1f}",
    ]
    return "| " + " | ".join(cells) + " |"


def main(arguments: list[str] | tuple[str, ...] = ()) -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.coverage")
    parser.add_argument("--studies", type=int, default=500)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--cells", nargs="*", default=None, help="names; all if left out")
    parser.add_argument("--loss", choices=LOSSES, default="robust")
    parser.add_argument("--interval", choices=get_args(Estimator), default="auto")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    print(f"{asked.studies} studies a cell, {asked.draws} draws, loss {asked.loss}")
    print("coverage of " + ", ".join(SCORED) + " (the last two at 100 × the largest compute)\n")
    print(
        "| cell | bias a | RMSE alpha/beta/E/a | a : reference | RMSE log10 N* | 90 % | 95 % "
        "| future run 90 % | refused | interval | CPU s |"
    )
    print("|" + "---|" * 11)
    for cell in CELLS:
        if asked.cells is None or cell.name in asked.cells:
            interval = require_estimator(asked.interval)
            scores = run_cell(
                cell,
                studies=asked.studies,
                draws=asked.draws,
                seed=asked.seed,
                loss=asked.loss,
                interval=interval,
            )
            print(write_row(scores), flush=True)
    if asked.cells is None:
        for name in unidentified(SURFACES["epoch"]):
            print(f"refused, {name}: {share_refused(name, asked.studies):.3f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
