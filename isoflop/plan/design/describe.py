"""Designs and next runs as tables for people."""

import numpy as np

from isoflop.base.estimate import Estimate, shorten
from isoflop.plan.design.ladder import Design
from isoflop.plan.design.next_run import NextRuns


def describe_design(design: Design) -> str:
    """Write the ladder and what it would tell."""
    lines = [f"{'parameters':>11} {'tokens':>9} {'FLOPs':>9} {'tokens/parameter':>17}"]
    for n, d, c in zip(design.runs.n_params, design.runs.n_tokens, design.runs.flops, strict=True):
        lines.append(f"{shorten(n):>11} {shorten(d):>9} {shorten(c):>9} {shorten(d / n):>17}")
    lines.append(f"{len(design.runs)} runs, {shorten(design.spent)} FLOPs in all")
    lines.append(f"forecast at {shorten(design.flops)} FLOPs, standard errors from the constants:")
    b, s = design.grid_shape
    named = [
        ("with this ladder", design.errors),
        (f"{b} x {s} IsoFLOP grid, same FLOPs", design.grid),
    ]
    named += [("with the runs so far", design.before)] if design.before else []
    for name, errors in named:
        lines.append(
            f"  {name:<31} loss {100 * errors.loss:.2g} %, size {100 * np.expm1(errors.size):.2g} %"
        )
    if design.detectable is not None:
        lines.append(
            "a break that lifts the loss of its two largest scales by "
            f"{100 * design.detectable:.2g} % would be seen four times in five"
        )
    return "\n".join(lines)


def describe_next(found: NextRuns, *, rows: int = 10) -> str:
    """Write the best candidates as a table, prices apart where they are not FLOPs."""
    priced = found.unit != "FLOPs"
    header = ["parameters", "tokens", "FLOPs", *([found.unit] if priced else [])]
    lines = [_headline(found), "  ".join(f"{name:>10}" for name in header) + "  variance taken off"]
    for run in found.runs[:rows]:
        amounts = [run.n_params, run.n_tokens, run.flops, *([run.price] if priced else [])]
        cells = "  ".join(f"{shorten(amount):>10}" for amount in amounts)
        lines.append(f"{cells}  {_share(run.reduction)}")
    best = found.strongest
    lines.append(
        f"most variance per {found.unit} first; the interval is the spread over plausible constants"
    )
    lines.append(
        f"strongest at any price: N = {shorten(best.n_params)}, D = {shorten(best.n_tokens)} for "
        f"{shorten(best.price)} {found.unit}: {_share(best.reduction)} of the variance, "
        f"{100 * found.gain:.2g} % of the whole error"
    )
    return "\n".join(lines)


def _headline(found: NextRuns) -> str:
    """What the forecast's error is made of."""
    of_constants = f"{100 * found.constants_error:.2g} % from the law's constants"
    if found.goal == "size":
        return f"the optimal size at {shorten(found.flops)} FLOPs is known to {of_constants}"
    return (
        f"the loss at {shorten(found.flops)} FLOPs is known to {of_constants}, "
        f"{100 * found.noise:.2g} % one run's noise, {100 * found.law_error:.2g} % the law's own"
    )


def _share(share: Estimate) -> str:
    low, high = (100 * (end or 0.0) for end in (share.low, share.high))
    return f"{100 * share.value:.2g} % [{low:.2g}, {high:.2g}]"
