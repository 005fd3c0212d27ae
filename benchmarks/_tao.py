"""Tao et al. 2024: three ways to the best vocabulary, from the 1,200 points that were published.

Legend: N_nv parameters without embedding and head, V entries, d width, N_v = V·d, H characters,
f(V) tokens a character, C FLOPs, L_u = −E + A1/N_nv^α1 + A2/N_v^α2 + B/D^β.
"""

from collections.abc import Iterator
from functools import cache

import numpy as np

from benchmarks._reproduced import Reproduced
from isoflop.exchange.published.read import published_runs
from isoflop.fitting.objective import Objective
from isoflop.fitting.solve.solver import Problem, minimise
from isoflop.laws.catalog import find_published
from isoflop.laws.law import Array
from isoflop.laws.vocabulary import VocabularyLaw, fitted_tokens, tokens_per_character
from isoflop.runs.table import RunTable

TABLE = "tao-2024-vocabulary"
LEAST_FLOPS = 2.18e17
"""Points below were not fitted by the authors."""
N_BUDGETS = 200
FLAT = "the objective is flat: below"


def tao() -> Iterator[Reproduced]:
    """The exponents of approaches 1 and 2; the constants of approach 3."""
    C, N_nv, N_v = winners()
    by_envelope = "the authors' budgets are not recorded; moves with where they begin, below"
    power = float(_line(C, N_v)[0])
    yield Reproduced("approach 1", "power of C in N_v", ".4164", power, by_envelope)
    power, set_by_hand = float(_line(C, N_nv)[0]), "set at one half by the authors, free here"
    yield Reproduced("approach 1", "power of C in N_nv", ".50", power, set_by_hand)
    power = float(_line(*fewest_flops())[0])
    which = "the six models of the table; the authors' list of models is not recorded"
    yield Reproduced("approach 2", "power of N_nv in N_v", ".8354", power, which)
    E, A1, A2, B, alpha2, beta = refit()
    printed = {
        "E": ("5.5328", E),
        "A1, N_nv in millions": ("1.8314", A1 / 1e6**beta),
        "A2, N_v in millions": (".19584", A2 / 1e6**alpha2),
        "B, characters in billions": ("2.1241", B / 1e9**beta),
        "α1 = β": (".4466", beta),
        "α2": (".6707", alpha2),
    }
    for what, (published, ours) in printed.items():
        yield Reproduced("approach 3", what, published, float(ours), FLAT)


def lines() -> Iterator[str]:
    """Every line of the page."""
    yield from (row.line() for row in tao())
    for least in (1.3e16, 1e17, LEAST_FLOPS, 5e17, 2e18):
        C, N_nv, N_v = winners(least)
        powers = (_line(C, y)[0] for y in (N_nv, N_v))
        shown = f"{least:.3g}".replace("e+", "e")
        yield f"| {shown} | {' | '.join(f'{power:.3f}' for power in powers)} |"
    problem, ones = pose(), np.ones(pose().n_runs)
    for name, theta in (("published", find_published("tao-2024").theta), ("ours", refit())):
        yield f"| {name} | {float(problem.value(theta[None], ones)[0]):.10f} |"


def points() -> RunTable:
    """Every point, as published."""
    return published_runs(TABLE)


def pose() -> Problem:
    """The authors' objective of approach 3: Huber 1e-3 on L_u itself, D = H·f(V/1000)."""
    table = points().select(points().numbers("flops") >= LEAST_FLOPS)
    V, width, H = (_text(table, name) for name in ("n_vocab", "embed_dim", "num_characters"))
    variables = {
        "n_params_non_embedding": table.numbers("n_params_non_embedding"),
        "n_params_vocabulary": V * width,
        "n_tokens": fitted_tokens(H, V),
    }
    measured = table.numbers("loss_unigram")
    return Problem(VocabularyLaw(), variables, measured, Objective("huber", 1e-3, scale="linear"))


@cache
def refit() -> Array:
    """(6,) E, A1, A2, B, alpha2, beta of the lowest objective of 16 starts."""
    problem, rng = pose(), np.random.default_rng(0)
    starts = problem.law.propose_starts(problem.variables, problem.measured, n_starts=16, rng=rng)
    found = minimise(problem, starts, np.ones(problem.n_runs))
    return found.theta[int(np.argmin(found.objective))]


def winners(least: float = LEAST_FLOPS) -> tuple[Array, Array, Array]:
    """(C, N_nv, N_v) of the lowest loss at each of 200 budgets, curves interpolated in log C."""
    table = points()
    C, N_nv, loss = (
        table.numbers(name) for name in ("flops", "n_params_non_embedding", "loss_unigram")
    )
    N_v = _text(table, "n_vocab") * _text(table, "embed_dim")
    models, which = np.unique(np.stack([N_nv, N_v]), axis=1, return_inverse=True)
    budgets = np.geomspace(least, 0.9 * C.max(), N_BUDGETS)
    losses = np.stack(
        [_along(budgets, C[which == k], loss[which == k]) for k in range(len(models.T))]
    )
    best = models[:, losses.argmin(axis=0)]
    return budgets, best[0], best[1]


def _along(budgets: Array, C: Array, loss: Array) -> Array:
    """Loss of one model at each budget, infinite where it was not trained."""
    order = np.argsort(C)
    x = np.log(C[order])
    inside = (np.log(budgets) >= x[0]) & (np.log(budgets) <= x[-1])
    return np.where(inside, np.interp(np.log(budgets), x, loss[order]), np.inf)


def fewest_flops() -> tuple[Array, Array]:
    """(N_nv, N_v) where a text costs a model of the table fewest FLOPs, least (N_nv + V·d)·f(V)."""
    from scipy.optimize import minimize_scalar

    table = points()
    shapes = np.stack([table.numbers("n_params_non_embedding"), _text(table, "embed_dim")])
    shapes = np.unique(shapes, axis=1)
    best = []
    for N_nv, width in shapes.T:

        def cost(log_V: float, N_nv: float = N_nv, width: float = width) -> float:
            V = np.exp(log_V)
            return float((N_nv + V * width) * tokens_per_character(np.array([V]))[0])

        found = minimize_scalar(cost, bounds=(np.log(500), np.log(150_000)), method="bounded")
        best.append(np.exp(float(found.x)) * width)
    return shapes[0], np.array(best)


def _line(x: Array, y: Array) -> Array:
    """(power, log coefficient) of the line through the logarithms."""
    return np.polyfit(np.log(x), np.log(y), 1)


def _text(table: RunTable, name: str) -> Array:
    return np.array(table.text(name), dtype=float)
