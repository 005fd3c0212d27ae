"""Grids: IsoFLOP curves off the optimum, drifting, too wide, too narrow, minima at their edge.

Legend: C FLOPs, N parameters, D tokens; a exponent of N* ∝ C^a; M half-width of a grid, a factor.
"""

from dataclasses import dataclass, replace

import numpy as np

from isoflop.base.errors import IsoflopError
from isoflop.base.estimate import shorten
from isoflop.fitting.frontiers.optima import Valley
from isoflop.fitting.frontiers.parabola_bias import (
    ParabolaBias,
    bias_on_surface,
    optimum_on_budget,
)
from isoflop.fitting.frontiers.valleys import fit_valley, isoflop_groups, tokens_line
from isoflop.plan.checkup.case import ROUGH, Case
from isoflop.plan.checkup.cells import crosses_sizes_with_data
from isoflop.plan.checkup.designs import spread_of_optimum
from isoflop.plan.checkup.diagnosis import Diagnosis, Shift
from isoflop.plan.checkup.refit import LAW, exponent, shift_of_size
from isoflop.plan.optimum.optimum import optimal_params

OFF_CENTRE, DRIFT = 2.0, 2.0
"""Factors of the middle of the grids off the optimum, and of its change over the ladder."""
WIDE, NARROW = 6.0, 2.1
"""Half-widths; ±4x is the usual grid."""
WIDE_BIAS = 0.02
"""Share of N* at the target that a wide grid must cost to be told."""


@dataclass(frozen=True)
class Grid:
    """The IsoFLOP curves of a table, held against its surface.

    Args:
        valleys: the curves.
        members: rows of the usable table in each.
        bias: of parabolas through the surface's own losses on them, None where the surface does not
            describe the runs.
        offsets: log of the middle of each grid over its optimum, by the surface, else by the
            parabola's own minimum, NaN where that lies outside the sizes.
    """

    valleys: tuple[Valley, ...]
    members: tuple[np.ndarray, ...]
    bias: ParabolaBias | None
    offsets: np.ndarray

    @property
    def offset(self) -> float:
        """Middle of a grid over its optimum, geometric mean of the budgets that have one."""
        return float(np.exp(np.nanmean(self.offsets)))

    @property
    def half_width(self) -> float:
        """Factor from the middle of a grid to its ends, geometric mean of the budgets."""
        spans = [np.log(v.n_params.max() / v.n_params.min()) / 2 for v in self.valleys]
        return float(np.exp(np.mean(spans)))


def check_grid(case: Case) -> list[Diagnosis]:
    """Find IsoFLOP grids on which parabolas mislead or say little."""
    grid = read_grid(case)
    if grid is None:
        return []
    found = _edges(case, grid)
    drift = _drift(grid)
    off = max(grid.offset, 1 / grid.offset)
    width = f"half-width {grid.half_width:.3g}, {len(grid.valleys)} budgets"
    if off > OFF_CENTRE:
        seen = f"the grids' middle lies at {grid.offset:.3g} of the optimum ({width})"
        found.append(_biased(case, grid, "grid-off-centre", seen, "centre them on the optimum"))
    if drift > DRIFT:
        seen = f"the grids' middle drifts off the optimum by {drift:.3g} over the budgets ({width})"
        found.append(_biased(case, grid, "grid-drifts", seen, "let the sizes follow the optimum"))
    if grid.bias is not None and grid.half_width > WIDE:
        centred = bias_on_surface(_fit(case), [_centred(case, v) for v in grid.valleys])
        lost = _far(centred, case.flops)
        if abs(np.expm1(lost)) > WIDE_BIAS:
            seen = f"grids of {width}: too wide for a parabola even where they are centred " \
                f"({100 * np.expm1(lost):+.1f} % of N* then)"  # fmt: skip
            found.append(_biased(case, grid, "grid-too-wide", seen, "narrow them to ±4x or less"))
    if grid.bias is not None and grid.half_width < NARROW:
        found.append(_narrow(case, grid))
    return found


def read_grid(case: Case) -> Grid | None:
    """Group the steady runs into IsoFLOP curves and hold them against the surface.

    None if too few, or if sizes were crossed with data instead. A run far off the surface has a
    finding of its own, and bends its valley.
    """
    if case.fit is None or not case.has("flops"):
        return None
    table = case.steady_table
    if crosses_sizes_with_data(table):
        return None
    groups, _ = isoflop_groups(table)
    groups = [group for group in groups if tokens_line(fit_valley(table, group))[0] < 0]
    valleys = [fit_valley(table, group) for group in groups]
    if len(valleys) < 2:
        return None
    try:
        bias = bias_on_surface(case.fit, valleys)
        centres = [optimum_on_budget(case.fit.theta, valley) for valley in valleys]
        if case.noise > ROUGH:
            bias = None
            centres = [np.nan if v.verdict else np.log(v.n_opt) for v in valleys]
    except (IsoflopError, FloatingPointError):
        return None
    offsets = np.array([valley.centre for valley in valleys]) - np.array(centres)
    if np.isfinite(offsets).sum() < 2:
        return None
    members = tuple(np.flatnonzero(case.steady)[group] for group in groups)
    return Grid(tuple(valleys), members, bias, offsets)


def bias_shift(case: Case, bias: ParabolaBias | None) -> Shift | None:
    """What the parabolas' bias does to a plan at the target, None where it is not known."""
    if bias is None:
        return None
    theta = _fit(case).theta
    try:
        right = optimal_params(LAW, theta, case.flops)[0]
    except IsoflopError:
        return None
    found = right * float(np.exp(_far(bias, case.flops)))
    a = exponent(theta)
    return shift_of_size(case, (a + bias.exponent, found), (a, right), theta)


def _far(bias: ParabolaBias, flops: float) -> float:
    """Bias of log N* at another budget: a line in log C."""
    return float(bias.log_n_opt + bias.exponent * np.log(flops / bias.flops))


def _drift(grid: Grid) -> float:
    """Factor by which the grids' middle moves off the optimum from the first budget to the last."""
    log_C, known = np.log([valley.flops for valley in grid.valleys]), np.isfinite(grid.offsets)
    slope = np.polyfit(log_C[known], grid.offsets[known], 1)[0]
    return float(np.exp(abs(slope) * np.ptp(log_C)))


def _biased(case: Case, grid: Grid, code: str, evidence: str, remedy: str) -> Diagnosis:
    change = bias_shift(case, grid.bias)
    numbers = {"offset": grid.offset, "drift": _drift(grid), "half_width": grid.half_width}
    if grid.bias is not None:
        far = _far(grid.bias, case.flops)
        numbers |= {
            "n_params_error": float(np.expm1(far)),
            "n_tokens_error": float(np.expm1(-far)),
            "exponent_error": grid.bias.exponent,
        }
    unknown = "N* is biased, by how much no surface tells here"
    return Diagnosis(
        code=code,
        severity="warning",
        evidence=evidence,
        consequence=f"for parabolas, without any noise: {change or unknown}; "
        "a surface fit has no such bias where its law holds",
        remedy=f"{remedy}; or plan with --method parametric",
        numbers=numbers,
        shift=change,
    )


def _narrow(case: Case, grid: Grid) -> Diagnosis:
    sd_a, sd_log_n = spread_of_optimum(_fit(case), case.flops)
    found = optimal_params(LAW, _fit(case).theta, case.flops)[0]
    a = exponent(_fit(case).theta)
    wrong = (a + sd_a, found * float(np.exp(sd_log_n)))
    change = shift_of_size(case, wrong, (a, found), _fit(case).theta)
    return Diagnosis(
        code="grid-too-narrow",
        severity="warning",
        evidence=f"the grids reach a factor {grid.half_width:.2f} to either side of their "
        f"middle; with {100 * case.noise:.2g} % noise the bottom of so short a valley is flat",
        consequence=f"N* at {shorten(case.flops)} FLOPs is known to a factor "
        f"{np.exp(sd_log_n):.2f} by a surface fit, worse by parabolas, a to ±{sd_a:.3f}; one such "
        f"error wastes {change.wasted}",
        remedy="widen them to ±4x: half the spread for the same number of runs",
        numbers={"half_width": grid.half_width, "sd_a": sd_a, "sd_log_n": sd_log_n},
        shift=change,
    )


def _edges(case: Case, grid: Grid) -> list[Diagnosis]:
    """Budgets whose minimum lies outside their sizes, by the parabola."""
    bad = [k for k, valley in enumerate(grid.valleys) if valley.verdict]
    if not bad:
        return []
    chosen = np.zeros(len(case.table), dtype=bool)
    chosen[np.concatenate([grid.members[k] for k in bad])] = True
    said = "; ".join(
        f"at {grid.valleys[k].flops:.2g} FLOPs {grid.valleys[k].verdict}" for k in bad[:3]
    )
    change = bias_shift(case, grid.bias)
    return [
        Diagnosis(
            code="optimum-at-edge",
            severity="warning",
            evidence=f"{len(bad)} of {len(grid.valleys)} budgets: {said}",
            consequence="such a budget bounds N* from one side only and is refused by parabolas; "
            f"were it used, {change or 'N* would be a guess'}",
            remedy="add runs of smaller or larger sizes at these budgets",
            rows=case.rows(chosen),
            runs=case.names(chosen),
            numbers={"n_edges": float(len(bad)), "n_budgets": float(len(grid.valleys))},
            shift=change,
        )
    ]


def _centred(case: Case, valley: Valley) -> Valley:
    """The same grid moved onto the optimum of its budget."""
    move = optimum_on_budget(_fit(case).theta, valley) - valley.centre
    slope, _ = tokens_line(valley)
    return replace(
        valley,
        n_params=valley.n_params * np.exp(move),
        n_tokens=valley.n_tokens * np.exp(slope * move),
        centre=valley.centre + move,
    )


def _fit(case: Case):
    assert case.fit is not None
    return case.fit
