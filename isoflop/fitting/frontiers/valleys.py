"""IsoFLOP curves: the runs of each budget, and the parabola through them.

Legend: C FLOPs, N parameters, D tokens, L loss.
"""

import numpy as np

from isoflop.fitting.frontiers.optima import Array, FrontierPoints, Valley
from isoflop.runs.checks import Finding
from isoflop.runs.table import RunTable

SAME_BUDGET = 1.15
"""Runs sorted by compute belong to one budget while neighbours differ by less than this."""
WIDEST_BUDGET = 1.5
"""Runs chained over a wider range of compute than this are no IsoFLOP curve; digitised budgets
scatter over a factor 1.45."""
FEWEST_SIZES = 4
COLUMNS = ("n_params", "n_tokens", "flops", "loss")


def group_budgets(flops: Array) -> list[np.ndarray]:
    """Group runs into budgets by gaps in their compute.

    >>> [g.tolist() for g in group_budgets(np.array([1e18, 3e18, 1.01e18, 3.02e18]))]
    [[0, 2], [1, 3]]
    """
    order = np.argsort(flops, kind="stable")
    breaks = np.flatnonzero(np.diff(np.log(flops[order])) > np.log(SAME_BUDGET)) + 1
    return np.split(order, breaks)


def isoflop_groups(table: RunTable) -> tuple[list[np.ndarray], list[Finding]]:
    """Group runs into IsoFLOP curves: one budget, four sizes or more.

    Args:
        table: runs with n_params and flops.

    Returns:
        Rows of each curve, and findings about groups whose compute varies too much to be one.
    """
    flops = table.numbers("flops")
    kept, findings = [], []
    for group in group_budgets(flops):
        if flops[group].max() > WIDEST_BUDGET * flops[group].min():
            findings.append(_not_one_budget(flops[group], len(table)))
        elif len(set(table.numbers("n_params")[group])) >= FEWEST_SIZES:
            kept.append(group)
    return kept, findings


def fit_valley(table: RunTable, group: np.ndarray) -> Valley:
    """Fit loss = c0 + c1·x + c2·x², x = log N − mean log N, to the runs of one budget.

    Args:
        table: the runs.
        group: (k,) rows of the budget.
    """
    n_params, n_tokens, flops, loss = (table.numbers(name)[group] for name in COLUMNS)
    design, centre = _design(n_params)
    coefficients = np.linalg.pinv(design) @ loss
    valley = Valley(
        float(np.exp(np.log(flops).mean())), n_params, n_tokens, loss, coefficients, centre, ""
    )
    return Valley(**{**vars(valley), "verdict": _judge(valley)})


def locate_vertex(valley: Valley, loss: Array) -> float:
    """Log N at the minimum of the parabola through other losses of the same runs, (k,)."""
    design, centre = _design(valley.n_params)
    _, c1, c2 = np.linalg.pinv(design) @ loss
    return float(centre - c1 / (2 * c2))


def tokens_line(valley: Valley) -> tuple[float, float]:
    """Slope and intercept of log D in log N along one budget; −1 and log C/6 for C = 6ND."""
    slope, intercept = np.polyfit(np.log(valley.n_params), np.log(valley.n_tokens), 1)
    return float(slope), float(intercept)


def read_optima(valleys: list[Valley]) -> FrontierPoints:
    """Take N*, D* and the loss off the parabolas' minima."""
    lines = [tokens_line(valley) for valley in valleys]
    return FrontierPoints(
        flops=np.array([v.flops for v in valleys]),
        n_params=np.array([v.n_opt for v in valleys]),
        n_tokens=np.array(
            [np.exp(b + m * np.log(v.n_opt)) for v, (m, b) in zip(valleys, lines, strict=True)]
        ),
        loss=np.array([v.loss_opt for v in valleys]),
    )


def vertex_draws(valley: Valley, multipliers: Array) -> tuple[Array, Array]:
    """Resample the minimum of one valley.

    Args:
        valley: the runs of a budget and their parabola.
        multipliers: (K, k) standard normal, equal for runs that share a size.

    Returns:
        (K,) log N at the resampled minima, stopped at the edge of the grid, beyond which a
        minimum would have been refused; and (K,) the loss of the resampled parabola there.
    """
    design, centre = _design(valley.n_params)
    inverse = np.linalg.pinv(design)
    residuals = valley.loss - design @ valley.coefficients
    leverage = np.einsum("kp,pk->k", design, inverse)
    residuals = residuals / np.clip(1 - leverage, 0.05, 1.0)  # HC3, for few runs
    c0, c1, c2 = (valley.coefficients + (residuals * multipliers) @ inverse.T).T
    ends = np.log([valley.n_params.min(), valley.n_params.max()])
    vertex = centre - c1 / (2 * np.where(c2 > 0, c2, np.nan))
    vertex = np.clip(np.where(np.isnan(vertex), ends[0], vertex), *ends)
    x = vertex - centre
    return vertex, c0 + c1 * x + c2 * x * x


def _design(n_params: Array) -> tuple[Array, float]:
    log_N = np.log(n_params)
    centre = float(log_N.mean())
    x = log_N - centre
    return np.stack([np.ones_like(x), x, x * x], axis=1), centre


def _judge(valley: Valley) -> str:
    if valley.coefficients[2] <= 0:
        return "the parabola opens downwards"
    low, high = valley.n_params.min(), valley.n_params.max()
    if not low < valley.n_opt < high:
        side = "below the smallest" if valley.n_opt <= low else "above the largest"
        return f"the minimum lies {side} size of the grid"
    return ""


def _not_one_budget(flops: Array, n_runs: int) -> Finding:
    return Finding(
        code="not-isoflop",
        severity="warning",
        evidence=f"{len(flops)} of {n_runs} runs lie closely between {flops.min():.3g} and "
        f"{flops.max():.3g} FLOPs",
        consequence="they form no IsoFLOP curve and take no part in this method",
        remedy="use --method parametric, which uses every run",
    )
