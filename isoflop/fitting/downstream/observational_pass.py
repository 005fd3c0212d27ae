"""One pass of observational scaling: capabilities, families' lines in compute, a task's sigmoid.

Legend: m a model, f its family, C training FLOPs, S capabilities (k), E score of the target;
S_m = theta_f·ln C_m + nu_f and E_m = floor + (ceiling - floor)·sigma(beta·S_m + alpha).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.special import expit, logit

from isoflop.fitting.downstream.capability import Array, Capabilities, find_capabilities

FLOOR, CEILING = (0.0, 0.5), (0.8, 1.0)
"""Where the ends of the sigmoid may lie: models that have not learned a task never show its top."""


@dataclass(frozen=True)
class Models:
    """Models that others have trained.

    Args:
        scores: (n, b) on the benchmarks, gaps filled.
        families: (n,) text.
        flops: (n,) training compute.
        target: (n,) score of the task to predict.
    """

    scores: Array
    families: NDArray[np.str_]
    flops: Array
    target: Array

    def take(self, rows: NDArray[np.intp]) -> "Models":
        """Return some of them, repeats included."""
        return Models(self.scores[rows], self.families[rows], self.flops[rows], self.target[rows])


@dataclass(frozen=True)
class Pipeline:
    """One pass through the procedure.

    Args:
        capabilities: principal components of the benchmarks.
        lines: {family: (2, k)}, theta_f and nu_f.
        beta: (k,) weights of the capabilities.
        alpha: offset.
        floor: score of the weakest models.
        ceiling: score of the strongest.
        scatter: (n,) residuals of beta·S + alpha about the families' lines.
        residuals: (n,) residuals of the score about the sigmoid.
    """

    capabilities: Capabilities
    lines: Mapping[str, Array]
    beta: Array
    alpha: float
    floor: float
    ceiling: float
    scatter: Array
    residuals: Array

    def index(self, family: str, flops: Array) -> Array:
        """Return beta·S + alpha of a family's models at some compute."""
        theta, nu = self.lines[family]
        return np.log(flops) * float(theta @ self.beta) + float(nu @ self.beta) + self.alpha

    def score(self, index: Array) -> Array:
        """Return the score at values of beta·S + alpha."""
        return self.floor + (self.ceiling - self.floor) * expit(index)


def run_pipeline(models: Models, n_components: int, near: Pipeline | None = None) -> Pipeline:
    """Find capabilities, draw the families' lines in compute, fit the sigmoid.

    Args:
        models: the models.
        n_components: capabilities kept.
        near: a pass through nearly the same models, where the sigmoid is looked for.
    """
    capabilities = find_capabilities(models.scores, n_components)
    S, log_C = capabilities.measure(models.scores), np.log(models.flops)
    lines, along = {}, np.empty_like(S)
    for family in np.unique(models.families):
        mine = models.families == family
        design = np.column_stack([log_C[mine], np.ones(mine.sum())])
        lines[str(family)] = np.linalg.lstsq(design, S[mine], rcond=None)[0]
        along[mine] = design @ lines[str(family)]
    ends = None if near is None else (near.floor, near.ceiling)
    theta = _fit_sigmoid(S, models.target, ends)
    beta, (alpha, floor, ceiling) = theta[:-3], theta[-3:]
    residuals = models.target - (floor + (ceiling - floor) * expit(S @ beta + alpha))
    return Pipeline(
        capabilities=capabilities,
        lines=lines,
        beta=beta,
        alpha=float(alpha),
        floor=float(floor),
        ceiling=float(ceiling),
        scatter=(S - along) @ beta,
        residuals=residuals,
    )


def _fit_sigmoid(S: Array, target: Array, ends: tuple[float, float] | None) -> Array:
    """Least squares of beta, alpha, floor and ceiling, from known or several guessed ends."""
    design = np.column_stack([S, np.ones(len(S))])

    def residuals(theta: Array) -> Array:
        floor, ceiling = theta[-2:]
        return floor + (ceiling - floor) * expit(design @ theta[:-2]) - target

    def jacobian(theta: Array) -> Array:
        share = expit(design @ theta[:-2])
        steep = (theta[-1] - theta[-2]) * share * (1 - share)
        return np.column_stack([steep[:, None] * design, 1 - share, share])

    low = np.array([*[-np.inf] * design.shape[1], FLOOR[0], CEILING[0]])
    high = np.array([*[np.inf] * design.shape[1], FLOOR[1], CEILING[1]])
    best, smallest = np.zeros(0), np.inf
    for floor, ceiling in _guess_ends(target) if ends is None else [ends]:
        inside = (np.clip(floor, 0.01, 0.49), np.clip(ceiling, 0.81, 0.99))
        share = np.clip((target - inside[0]) / (inside[1] - inside[0]), 0.02, 0.98)
        start = np.linalg.lstsq(design, logit(share), rcond=None)[0]
        found = least_squares(
            residuals,
            [*start, *inside],
            jac=jacobian,  # pyright: ignore[reportArgumentType]
            bounds=(low, high),
            x_scale="jac",
        )
        if found.cost < smallest:
            best, smallest = found.x, found.cost
    return best


def _guess_ends(target: Array) -> list[tuple[float, float]]:
    """Two floors with two ceilings."""
    return [(floor, ceiling) for floor in (0.0, float(target.min())) for ceiling in (0.8, 1.0)]
