"""What the runs determine and what they do not, in numbers."""

import numpy as np

from isoflop.base.estimate import shorten
from isoflop.fitting.fit import Fit
from isoflop.fitting.record import label_groups
from isoflop.fitting.trials.hidden_runs import Backtest, find_side
from isoflop.plan.analysis.analysis import Analysis
from isoflop.plan.analysis.headline import NARROW_A

WIDE = 0.25
"""Relative half-width of its interval beyond which an exponent is called not identified."""


def identification_verdict(analysis: Analysis) -> str:
    """Say in a sentence which of the optimum, alpha and beta these runs determine."""
    parts = []
    headline = analysis.headline
    if headline:
        verdict = "identified" if headline.identified else f"not identified to ±{NARROW_A:g}"
        parts.append(f"a {verdict} (±{headline.half_width:.3f})")
    if not analysis.chinchilla.determined:
        condition = f"condition number {analysis.chinchilla.condition:.1e}"
        return ", ".join([*parts, f"alpha and beta not identified ({condition})"])
    for name in ("alpha", "beta"):
        estimate = analysis.chinchilla.params[name]
        half = estimate.half_width
        wide = half is None or half > WIDE * estimate.value
        width = "no interval" if half is None else f"±{shorten(half, digits=2)}"
        parts.append(f"{name} {'not ' if wide else ''}identified ({width})")
    return ", ".join(parts)


def identification_rows(analysis: Analysis) -> tuple[tuple[str, str], ...]:
    """List what was measured about how well the runs determine the laws.

    Returns:
        (what, how well) rows: design, conditioning, intervals, foresight.
    """
    table, chinchilla = analysis.table, analysis.chinchilla
    rows = [("verdict", identification_verdict(analysis)), ("design", _design(analysis))]
    for name in ("n_params", "n_tokens", "flops"):
        values = table.numbers(name)
        rows.append((f"range of {name}", f"{np.log10(values.max() / values.min()):.2f} decades"))
    for fit, backtest in analysis.ranked:
        rows.append((f"conditioning of {fit.law.name}", _conditioning(fit)))
        missed = f"hidden runs missed by {100 * backtest.rms_miss:.2f} % RMS"
        rows.append((f"foresight of {fit.law.name}", f"{missed}, {_covered(backtest)}"))
    for name in ("alpha", "beta"):
        free = "" if chinchilla.determined else " (not determined by these runs)"
        rows.append((f"Chinchilla {name}", f"{chinchilla.params[name]}{free}"))
    for label, fit in analysis.slices.items():
        constant = "with" if "E" in fit.params else "without"
        rows.append(
            (label, f"alpha {fit.params['alpha']}, {constant} a constant, {fit.n_runs} points")
        )
    if analysis.frontier_backtest:
        check = analysis.frontier_backtest
        hit = "inside" if check.inside else "outside"
        rows.append(
            (
                "hidden budget's N*",
                f"predicted {check.predicted}, measured {shorten(check.measured)}: {hit}",
            )
        )
    return tuple(rows)


def _design(analysis: Analysis) -> str:
    table = analysis.table
    sizes = len(set(label_groups(table, "n_params")))
    if not analysis.frontier:
        return f"{len(table)} runs of {sizes} sizes; no IsoFLOP frontier could be fitted"
    valleys = analysis.frontier.valleys
    usable = sum(not valley.verdict for valley in valleys)
    return (
        f"{len(table)} runs of {sizes} sizes, {len(valleys)} budgets of at least "
        f"{min(len(set(v.n_params.tolist())) for v in valleys)} sizes, {usable} with their minimum "
        "inside the grid"
    )


def _covered(backtest: Backtest) -> str:
    if not backtest.has_intervals:
        return "no run with an interval"
    side = find_side(backtest.chosen_measured, backtest.chosen_predicted)
    share = f"{100 * backtest.coverage:.0f} % of {backtest.n_hidden} runs inside"
    return f"the run it chose {side}{'' if side == 'no interval' else ' its interval'}, {share}"


def _conditioning(fit: Fit) -> str:
    basins, share = fit.basins, 100 * fit.basins.share_best
    return (
        f"condition number {shorten(fit.condition)}, residual RMS {100 * fit.rms:.2f} %, "
        f"{share:.0f} % of {basins.n_starts - basins.n_given_up} starts reach the best of "
        f"{basins.n_basins} minim{'um' if basins.n_basins == 1 else 'a'}"
    )
