"""Approach 2: a parabola through the runs of each budget, a line through their minima."""

from dataclasses import replace

import numpy as np

from isoflop.base.errors import InputError
from isoflop.base.estimate import interval_from_draws
from isoflop.fitting.frontiers.frontier import Frontier, fit_lines
from isoflop.fitting.frontiers.optima import Array, Valley
from isoflop.fitting.frontiers.parabola_bias import estimate_bias, judge_bias
from isoflop.fitting.frontiers.valleys import (
    COLUMNS,
    FEWEST_SIZES,
    fit_valley,
    isoflop_groups,
    read_optima,
    tokens_line,
    vertex_draws,
)
from isoflop.fitting.parametric import FitSpec, describe_convention, record_data
from isoflop.fitting.uncertainty.bootstrap import student_over_normal
from isoflop.runs.checks import Finding, check_comparable, check_duplicates, keep_usable
from isoflop.runs.table import RunTable

DIP = 0.01
"""Relative depth of a parabola below every run from which a finding says so."""


def fit_isoflop(table: RunTable, spec: FitSpec | None = None) -> Frontier:
    """Fit the compute-optimal frontier from IsoFLOP curves.

    The parabola is biased when the grid is wide, off centre or drifting (1 to 5 % of D* on
    Chinchilla's surface at ±4x to ±16x; docs/reproductions/isoflop-bias.md). The bias of this
    design is estimated on the surface fitted to the same runs, and reported where it exceeds
    half of the interval; prefer a parametric fit for a plan.

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
    groups, wide = isoflop_groups(table)
    findings += wide
    if not groups:
        raise InputError(
            f"{table.source}: no budget has runs of {FEWEST_SIZES} sizes or more, so there is no "
            "IsoFLOP curve; fit a law with --method parametric"
        )
    valleys = tuple(fit_valley(table, group) for group in groups)
    findings += [_finding(valley) for valley in valleys if valley.verdict]
    findings += [_dips(valley) for valley in valleys if not valley.verdict and _is_deep(valley)]
    usable = [k for k, valley in enumerate(valleys) if not valley.verdict]
    points = read_optima([valleys[k] for k in usable])
    theta = fit_lines(points.flops, np.log(points.n_params), np.log(points.n_tokens))
    used_groups, used_valleys = [groups[k] for k in usable], [valleys[k] for k in usable]
    draws, ends = _resample(table, used_groups, used_valleys, spec)
    fitted = theta[1] + theta[0] * np.log(points.flops)
    used = np.concatenate([groups[k] for k in usable])
    frontier = Frontier(
        method="isoflop",
        points=replace(points, **ends),
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
        bias=estimate_bias(table, [valleys[k] for k in usable], seed=spec.seed),
    )
    return _judged(frontier)


def _judged(frontier: Frontier) -> Frontier:
    """Add the finding about the parabolas' bias, which needs the frontier's own intervals."""
    if frontier.bias is None:
        return frontier
    n_params = frontier.optimum(frontier.bias.flops)[0]
    found = judge_bias(frontier.bias, frontier.params["a"], n_params)
    return replace(frontier, findings=(*frontier.findings, *found))


def _resample(
    table: RunTable, groups: list[np.ndarray], valleys: list[Valley], spec: FitSpec
) -> tuple[Array, dict[str, Array]]:
    """Wild bootstrap, one multiplier a model size: (K, 4) lines, and the optima's intervals."""
    if spec.n_resamples < 2:
        return np.empty((0, 4)), {}
    rng = np.random.default_rng(spec.seed)
    sizes, member = np.unique(table.numbers("n_params"), return_inverse=True)
    multipliers = rng.standard_normal((spec.n_resamples, len(sizes)))
    drawn = [
        vertex_draws(valley, multipliers[:, member[group]])
        for group, valley in zip(groups, valleys, strict=True)
    ]
    log_N = [vertex for vertex, _ in drawn]
    lines = [tokens_line(valley) for valley in valleys]
    log_D = [q + m * draws for (m, q), draws in zip(lines, log_N, strict=True)]
    flops = np.array([valley.flops for valley in valleys])
    theta = fit_lines(flops, np.stack(log_N, -1), np.stack(log_D, -1))
    return theta, _intervals(valleys, spec.level, log_N, log_D, [loss for _, loss in drawn])


def _intervals(
    valleys: list[Valley], level: float, log_N: list[Array], log_D: list[Array], loss: list[Array]
) -> dict[str, Array]:
    """Ends of the intervals of every optimum, from the draws of its own parabola.

    A parabola through k runs leaves k − 3 degrees of freedom, and the draws are stretched by
    Student's t for as many.
    """
    points = read_optima(valleys)
    stretch = [student_over_normal(max(1, len(v.loss) - 3), level) for v in valleys]
    sides = {
        "n_params_ends": (points.n_params, [np.exp(draws) for draws in log_N], True),
        "n_tokens_ends": (points.n_tokens, [np.exp(draws) for draws in log_D], True),
        "loss_ends": (points.loss, loss, False),
    }
    return {
        name: np.array(
            [
                [e.low, e.high]
                for e in (
                    interval_from_draws(float(value), draws, level=level, stretch=s, log=log)
                    for value, draws, s in zip(values, drawn, stretch, strict=True)
                )
            ],
            dtype=np.float64,
        )
        for name, (values, drawn, log) in sides.items()
    }


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
