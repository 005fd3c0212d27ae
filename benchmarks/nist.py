"""NIST's 27 nonlinear regressions: digits of agreement with the certified values, from both starts.

LRE is -log10 of the relative error of the worst parameter, or of the worst standard error; NIST
certifies 11 digits, which is the most an LRE can say.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks._nist_models import MODELS
from isoflop.fitting.objective import Objective
from isoflop.fitting.solve.solver import Problem, minimise
from isoflop.fitting.uncertainty.covariance import standard_errors, wald_covariance

DATA = Path(__file__).parents[1] / "tests" / "certified" / "nist_strd.json"
CERTIFIED_DIGITS = 11.0


@dataclass(frozen=True)
class Agreement:
    """What one start of one problem gave.

    Args:
        name: NIST's name of the data set.
        difficulty: lower, average or higher, as NIST has it.
        start: 1 (far) or 2 (near).
        parameters: LRE of the worst parameter.
        errors: LRE of the worst standard error.
        converged: whether the solver said so.
    """

    name: str
    difficulty: str
    start: int
    parameters: float
    errors: float
    converged: bool


def read_problems() -> dict[str, dict]:
    return json.loads(DATA.read_text(encoding="utf-8"))["problems"]


def pose(name: str, record: dict) -> Problem:
    law = MODELS[name]
    variables = {x: np.array(record[x]) for x in law.variables}
    measured = np.log(record["y"]) if name == "Nelson" else np.array(record["y"])
    return Problem(law, variables, measured, Objective("squared", scale="linear"))


def agree(name: str, record: dict, start: int) -> Agreement:
    problem = pose(name, record)
    found = minimise(problem, np.array([record[f"start_{start}"]]), np.ones(problem.n_runs))
    theta = found.theta[0]
    errors = standard_errors(problem.law, theta, wald_covariance(problem, theta))
    return Agreement(
        name=name,
        difficulty=record["difficulty"],
        start=start,
        parameters=digits(theta, np.array(record["certified"])),
        errors=digits(errors, np.array(record["standard_deviations"])),
        converged=bool(found.converged[0]),
    )


def digits(found: np.ndarray, certified: np.ndarray) -> float:
    worst = float(np.max(np.abs(found - certified) / np.abs(certified)))
    if not np.isfinite(worst):
        return 0.0
    return float(np.clip(-np.log10(max(worst, 1e-300)), 0.0, CERTIFIED_DIGITS))


def agree_all() -> list[Agreement]:
    problems = read_problems()
    return [agree(name, problems[name], start) for name in problems for start in (1, 2)]


def main() -> None:
    rows = agree_all()
    print("problem    level    parameters LRE    standard errors LRE")
    print("                    start 1 start 2   start 1 start 2")
    for far, near in zip(rows[0::2], rows[1::2], strict=True):
        print(
            f"{far.name:10s} {far.difficulty:8s} {far.parameters:7.1f} {near.parameters:7.1f}"
            f"   {far.errors:7.1f} {near.errors:7.1f}"
            + ("" if far.converged and near.converged else "   not converged")
        )
    for start in (1, 2):
        of_start = [row for row in rows if row.start == start]
        exact = sum(row.parameters >= 6 for row in of_start)
        errors = sum(row.errors >= 4 for row in of_start)
        print(f"start {start}: parameters to 6 digits {exact}/27, standard errors to 4 {errors}/27")


if __name__ == "__main__":
    main()
