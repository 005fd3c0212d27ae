"""Starting points for a formula nobody has fitted before.

Exponents are drawn where exponents live, scales where the columns they meet live; what the
formula is linear in is solved for; many are drawn, those nearest the data are kept.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoflop.laws.formula.constants import RAISED, find_roles
from isoflop.laws.formula.parser import Step
from isoflop.laws.formula.steps import evaluate, names_of, run_steps
from isoflop.laws.law import AbstractLaw, Array, Parameter, Variables

EXPONENTS = (0.03, 1.5)
"""Where exponents are drawn; the published ones lie here."""
SHAPES = (0.03, 30.0)
"""Where constants are drawn about which the formula says nothing."""
BELOW, ABOVE = 1e-3, 1e6
"""How far beyond a column's values its scale is drawn; Kaplan's N_c is 1e5 times the sizes."""
DRAWS_PER_START = 16
MOST_RUNS = 200
"""Runs a starting point is judged on."""


@np.errstate(all="ignore")
def draw_starts(
    law: AbstractLaw,
    steps: Sequence[Step],
    variables: Variables,
    loss: Array,
    *,
    n_starts: int,
    rng: np.random.Generator,
    given: Mapping[str, float],
) -> Array:
    """Draw starting points within bounds, (n_starts, n_parameters).

    Args:
        law: the law of the formula.
        steps: the formula.
        variables: {column: (n_runs,)}.
        loss: (n_runs,) what it is to predict.
        n_starts: how many.
        rng: source of randomness.
        given: {constant: value} to start from.
    """
    few = _spread(len(loss))
    variables = {name: np.asarray(column, float)[few] for name, column in variables.items()}
    loss = np.asarray(loss, float)[few]
    ranges = find_ranges(steps, variables, law.parameters)
    columns = [_draw(p, ranges[p.name], given.get(p.name), n_starts * DRAWS_PER_START, rng)
               for p in law.parameters]  # fmt: skip
    theta = np.stack(columns, axis=-1)
    linear = [k for k, p in enumerate(law.parameters) if p.name in law.linear]
    linear = [k for k in linear if law.parameters[k].name not in given]
    if linear:
        theta[:, linear] = _solve(law, theta, linear, variables, loss)
    low = np.array([p.low for p in law.parameters])
    high = np.array([p.high for p in law.parameters])
    theta = np.clip(np.where(np.isfinite(theta), theta, low), low, high)
    return _nearest(law, theta, variables, loss, n_starts)


def find_ranges(
    steps: Sequence[Step], variables: Variables, parameters: Sequence[Parameter]
) -> dict[str, tuple[float, float]]:
    """Where each constant is drawn: as an exponent, around the columns it meets, or anywhere."""
    names = [parameter.name for parameter in parameters]
    roles = find_roles(steps, names)
    ranges = {n: EXPONENTS if roles[n] == RAISED else SHAPES for n in names}

    def push(step: Step) -> tuple[Step, ...]:
        return (step,)

    def call(step: Step, parts: list[tuple[Step, ...]]) -> tuple[Step, ...]:
        if step.text in ("*", "/"):
            for part, other in (parts, parts[::-1]):
                name = part[0].text if len(part) == 1 else ""
                met = names_of(other)
                if name in names and met and not set(met) & set(names):
                    size = np.abs(np.asarray(evaluate(other, variables), float))
                    size = 1 / size if step.text == "*" else size
                    if roles[name] != RAISED and np.isfinite(size).all() and (size > 0).all():
                        ranges[name] = (size.min() * BELOW, size.max() * ABOVE)
        return (*(step for part in parts for step in part), step)

    run_steps(steps, push, call)
    return ranges


def _draw(
    parameter: Parameter,
    drawn: tuple[float, float],
    start: float | None,
    count: int,
    rng: np.random.Generator,
) -> Array:
    """Draw a constant log-uniformly where its range and its bounds meet, of either sign if free."""
    if start is not None:
        return start * np.exp(0.3 * rng.standard_normal(count) * (np.arange(count) > 0))
    low, high = max(drawn[0], parameter.low), min(drawn[1], parameter.high)
    if not low < high:
        low, high = parameter.low, parameter.high
    if low <= 0:
        return rng.uniform(low, high, count)
    sizes = np.exp(rng.uniform(np.log(low), np.log(high), count))
    return sizes * np.where(rng.random(count) < 0.5, -1.0, 1.0) if parameter.low < 0 else sizes


def _solve(
    law: AbstractLaw, theta: Array, linear: list[int], variables: Variables, loss: Array
) -> Array:
    """Relative least squares for the linear constants, brought to a positive share of the loss."""
    rest = theta.copy()
    rest[:, linear] = 0.0
    basis = law.gradient(rest, variables)[..., linear] / loss[None, :, None]
    right = 1 - law.predict(rest, variables) / loss
    size = np.linalg.norm(basis, axis=1, keepdims=True)
    bad = ~np.isfinite(size).all(axis=2)[:, 0] | ~np.isfinite(right).all(axis=1)
    unit = np.where(bad[:, None, None] | (size == 0), 0.0, basis / size)
    right = np.where(bad[:, None], 0.0, right)
    gram = np.swapaxes(unit, 1, 2) @ unit + 1e-9 * np.eye(len(linear))
    found = np.linalg.solve(gram, np.swapaxes(unit, 1, 2) @ right[..., None])[..., 0]
    found = found / np.where(size[:, 0] > 0, size[:, 0], 1.0)
    floor = 1e-2 / np.abs(basis).mean(axis=1)
    free = np.array([law.parameters[k].low < 0 for k in linear])
    return np.where(free | (found > floor), found, floor)


def _nearest(
    law: AbstractLaw, theta: Array, variables: Variables, loss: Array, n_starts: int
) -> Array:
    """Keep the best half by their misfit, and the first of the others for variety."""
    predicted = law.predict(theta, variables)
    miss: Any = np.log(predicted / loss) if (loss > 0).all() else (predicted - loss) / loss.std()
    cost = np.where(np.isfinite(miss), np.minimum(np.abs(miss), 10.0), 10.0).sum(axis=1)
    order = np.argsort(cost, kind="stable")
    best = order[: (n_starts + 1) // 2]
    usable = np.setdiff1d(np.flatnonzero(cost < 10.0 * len(loss)), best)
    others = np.concatenate([usable, order[(n_starts + 1) // 2 :]])[: n_starts - len(best)]
    return theta[np.concatenate([best, others])]


def _spread(n_runs: int) -> NDArray[np.int64]:
    """Indices of at most `MOST_RUNS` runs, evenly through the table."""
    return np.unique(np.linspace(0, n_runs - 1, min(n_runs, MOST_RUNS)).astype(np.int64))
