"""Approach 2: a parabola through the runs of each budget, a line through their minima."""

import numpy as np

from isoflop.base.errors import InputError
from isoflop.fitting.frontier import Array, Frontier, FrontierPoints, Valley, fit_lines
from isoflop.fitting.parametric import FitSpec, describe_convention, record_data
from isoflop.runs.checks import Finding, check_comparable, check_duplicates, keep_usable
from isoflop.runs.table import RunTable

SAME_BUDGET = 1.15
"""Runs sorted by compute belong to one budget while neighbours differ by less than this."""
WIDEST_BUDGET = 1.5
"""Runs chained over a wider range of compute than this are no IsoFLOP curve; digitised budgets
scatter over a factor 1.45."""
FEWEST_SIZES = 4
DIP = 0.01
"""Relative depth of a parabola below every run from which a finding says so."""
COLUMNS = ("n_params", "n_tokens", "flops", "loss")


def fit_isoflop(table: RunTable, spec: FitSpec | None = None) -> Frontier:
    """Fit the compute-optimal frontier from IsoFLOP curves.

    The parabola is biased when the grid is wide or off centre and the two exponents differ
    (1 to 5 % of D* on Chinchilla's surface at ±4x to ±16x); prefer a parametric fit for a plan
    and hold the two against each other.

    Args:
        table: runs with n_params, n_tokens, flops and loss.
        spec: resamples, level and seed.

    Returns:
        The frontier; its intervals come from a wild bootstrap of the residuals that keeps all
        runs of one size together, since they share their trunk or their tuning.

    Raises:
        InputError: no budget has runs of four sizes.
        EdgeOptimumError: fewer than two budgets have their minimum inside the grid.
    """
    spec = spec or FitSpec()
    table, findings = keep_usable(table, COLUMNS)
    findings += check_comparable(table) + check_duplicates(table, COLUMNS)
    groups = group_budgets(table.numbers("flops"))
    groups, wide = _narrow(table, groups)
    findings += wide
    groups = [g for g in groups if len(set(table.numbers("n_params")[g])) >= FEWEST_SIZES]
    if not groups:
        raise InputError(
            f"{table.source}: no budget has runs of {FEWEST_SIZES} sizes or more, so there is no "
            "IsoFLOP curve; fit a law with --method parametric"
        )
    valleys = tuple(_fit_valley(table, group) for group in groups)
    findings += [_finding(valley) for valley in valleys if valley.verdict]
    findings += [_dips(valley) for valley in valleys if not valley.verdict and _is_deep(valley)]
    usable = [k for k, valley in enumerate(valleys) if not valley.verdict]
    points = _points([valleys[k] for k in usable])
    theta = fit_lines(points.flops, np.log(points.n_params), np.log(points.n_tokens))
    draws = _resample(table, [groups[k] for k in usable], [valleys[k] for k in usable], spec)
    fitted = theta[1] + theta[0] * np.log(points.flops)
    used = np.concatenate([groups[k] for k in usable])
    return Frontier(
        method="isoflop",
        points=points,
        valleys=valleys,
        theta=theta,
        draws=draws,
        objective_value=float(np.sum((np.log(points.n_params) - fitted) ** 2)),
        n_runs=len(used),
        n_sizes=len(np.unique(table.numbers("n_params")[used])),
        findings=tuple(findings),
        data=record_data(table, COLUMNS),
        convention=describe_convention(table),
        level=spec.level,
        seed=spec.seed,
    )


def group_budgets(flops: Array) -> list[np.ndarray]:
    """Group runs into budgets by gaps in their compute.

    >>> [g.tolist() for g in group_budgets(np.array([1e18, 3e18, 1.01e18, 3.02e18]))]
    [[0, 2], [1, 3]]
    """
    order = np.argsort(flops, kind="stable")
    breaks = np.flatnonzero(np.diff(np.log(flops[order])) > np.log(SAME_BUDGET)) + 1
    return np.split(order, breaks)


def _narrow(table: RunTable, groups: list[np.ndarray]) -> tuple[list[np.ndarray], list[Finding]]:
    """Leave out groups whose compute varies too much to be one budget."""
    flops = table.numbers("flops")
    spans = [float(flops[g].max() / flops[g].min()) for g in groups]
    kept = [g for g, span in zip(groups, spans, strict=True) if span <= WIDEST_BUDGET]
    return kept, [
        Finding(
            code="not-isoflop",
            severity="warning",
            evidence=f"{len(g)} of {len(table)} runs lie closely between {flops[g].min():.3g} and "
            f"{flops[g].max():.3g} FLOPs",
            consequence="they form no IsoFLOP curve and take no part in this method",
            remedy="use --method parametric, which uses every run",
        )
        for g, span in zip(groups, spans, strict=True)
        if span > WIDEST_BUDGET
    ]


def _design(n_params: Array) -> tuple[Array, float]:
    log_N = np.log(n_params)
    centre = float(log_N.mean())
    x = log_N - centre
    return np.stack([np.ones_like(x), x, x * x], axis=1), centre


def _fit_valley(table: RunTable, group: np.ndarray) -> Valley:
    n_params, n_tokens, flops, loss = (table.numbers(name)[group] for name in COLUMNS)
    design, centre = _design(n_params)
    coefficients = np.linalg.pinv(design) @ loss
    valley = Valley(
        float(np.exp(np.log(flops).mean())), n_params, n_tokens, loss, coefficients, centre, ""
    )
    return Valley(**{**vars(valley), "verdict": _judge(valley)})


def _judge(valley: Valley) -> str:
    if valley.coefficients[2] <= 0:
        return "the parabola opens downwards"
    low, high = valley.n_params.min(), valley.n_params.max()
    if not low < valley.n_opt < high:
        side = "below the smallest" if valley.n_opt <= low else "above the largest"
        return f"the minimum lies {side} size of the grid"
    return ""


def _points(valleys: list[Valley]) -> FrontierPoints:
    return FrontierPoints(
        flops=np.array([v.flops for v in valleys]),
        n_params=np.array([v.n_opt for v in valleys]),
        n_tokens=np.array([np.exp(_log_tokens_at(v, np.log(v.n_opt))) for v in valleys]),
        loss=np.array([v.loss_opt for v in valleys]),
    )


def _log_tokens_at(valley: Valley, log_n: Array | float) -> Array:
    """Log tokens of a run of that size on this budget, by a log-log line through its runs."""
    slope, intercept = np.polyfit(np.log(valley.n_params), np.log(valley.n_tokens), 1)
    return intercept + slope * np.asarray(log_n)


def _resample(
    table: RunTable, groups: list[np.ndarray], valleys: list[Valley], spec: FitSpec
) -> Array:
    """Wild bootstrap, one multiplier a model size: (K, 4) lines."""
    if spec.n_resamples < 1:
        return np.empty((0, 4))
    rng = np.random.default_rng(spec.seed)
    sizes, member = np.unique(table.numbers("n_params"), return_inverse=True)
    multipliers = rng.standard_normal((spec.n_resamples, len(sizes)))
    log_N = [
        vertex_draws(valley, multipliers[:, member[group]])
        for group, valley in zip(groups, valleys, strict=True)
    ]
    log_D = [_log_tokens_at(v, draws) for v, draws in zip(valleys, log_N, strict=True)]
    flops = np.array([valley.flops for valley in valleys])
    return fit_lines(flops, np.stack(log_N, -1), np.stack(log_D, -1))


def vertex_draws(valley: Valley, multipliers: Array) -> Array:
    """Resample the minimum of one valley.

    Args:
        valley: the runs of a budget and their parabola.
        multipliers: (K, k) standard normal, equal for runs that share a size.

    Returns:
        (K,) log N at the resampled minima, stopped at the edge of the grid, beyond which a
        minimum would have been refused.
    """
    design, centre = _design(valley.n_params)
    inverse = np.linalg.pinv(design)
    residuals = valley.loss - design @ valley.coefficients
    leverage = np.einsum("kp,pk->k", design, inverse)
    residuals = residuals / np.clip(1 - leverage, 0.05, 1.0)  # HC3, for few runs
    _, c1, c2 = (valley.coefficients + (residuals * multipliers) @ inverse.T).T
    ends = np.log([valley.n_params.min(), valley.n_params.max()])
    vertex = centre - c1 / (2 * np.where(c2 > 0, c2, np.nan))
    return np.clip(np.where(np.isnan(vertex), ends[0], vertex), *ends)


def _is_deep(valley: Valley) -> bool:
    return valley.loss_opt < (1 - DIP) * float(valley.loss.min())


def _dips(valley: Valley) -> Finding:
    return Finding(
        code="parabola-dips",
        severity="warning",
        evidence=f"at {valley.flops:.3g} FLOPs the parabola's minimum is {valley.loss_opt:.4f}, "
        f"the lowest measured loss {valley.loss.min():.4f}",
        consequence="a parabola does not describe this wide or outlying valley; its N* is biased",
        remedy="drop the runs far from the minimum, or use --method parametric",
    )


def _finding(valley: Valley) -> Finding:
    return Finding(
        code="optimum-outside-grid",
        severity="warning",
        evidence=f"at {valley.flops:.3g} FLOPs {valley.verdict}",
        consequence="this budget says nothing reliable about N* and is left out of the line",
        remedy="add runs of smaller or larger sizes at this budget",
    )
