"""Can these runs determine this law at all? Asked before the fit, and measured after it."""

import numpy as np

from isoflop.base.errors import InputError, UnderdeterminedError
from isoflop.fitting.solve.solver import Array, Problem
from isoflop.laws.law import AbstractLaw, Variables

CONDITION_LIMIT = 1e5
"""Beyond this a parameter direction is free; a good IsoFLOP grid measures 10 to 300."""


def require_runs(law: AbstractLaw, variables: Variables, loss: Array, source: str) -> None:
    """Insist on more distinct runs than parameters.

    Raises:
        InputError: as many distinct runs as parameters, or fewer; three parameters through
            three points is not a fit.
    """
    rows = np.stack([*(variables[name] for name in law.variables), loss], axis=1)
    distinct = len(np.unique(rows, axis=0))
    needed = len(law.parameters) + 1
    if distinct < needed:
        copies = f" ({len(rows)} rows, all copies)" if distinct < len(rows) else ""
        raise InputError(
            f"{source}: {distinct} distinct run{'s' if distinct > 1 else ''}{copies} cannot "
            f"determine the {len(law.parameters)} parameters of {law.name}; "
            f"at least {needed} are needed"
        )


def require_variation(law: AbstractLaw, variables: Variables) -> None:
    """Refuse designs that leave an exponent free whatever the noise.

    Raises:
        UnderdeterminedError: a variable that hardly varies, or two that move together.
    """
    logs = {name: np.log(variables[name]) for name in law.variables}
    for name, values in logs.items():
        if np.ptp(values) < 1e-3:
            raise UnderdeterminedError(
                f"`{name}` takes one value only ({np.exp(values[0]):.3g}), so {law.name} cannot "
                "tell how the loss depends on it; add runs that vary it"
            )
    if len(logs) == 2:
        first, second = (values - values.mean() for values in logs.values())
        slope = first @ second / (first @ first)
        off_ray = np.sqrt(np.mean((second - slope * first) ** 2))
        if off_ray < 0.02:
            names = " and ".join(f"`{name}`" for name in logs)
            raise UnderdeterminedError(
                f"{names} lie on one ray (exponent {slope:.2f}), so the two exponents of "
                f"{law.name} are not identified; add runs off the ray"
            )


def condition_number(problem: Problem, theta: Array, weights: Array | None = None) -> float:
    """Condition number of the Jacobian in solver coordinates, columns scaled to unit length.

    Args:
        problem: law and runs.
        theta: (p,) parameters.
        weights: (n,) multiplicities, if any.
    """
    jacobian = problem.jacobian(theta[None])[0]
    if weights is not None:
        jacobian = jacobian * np.sqrt(weights)[:, None]
    length = np.linalg.norm(jacobian, axis=0)
    if not np.all(length > 0) or not np.isfinite(length).all():
        return np.inf
    singular = np.linalg.svd(jacobian / length, compute_uv=False)
    return float(singular[0] / singular[-1]) if singular[-1] > 0 else np.inf
