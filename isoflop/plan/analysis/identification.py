"""What the runs determine and what they do not, in numbers."""

import numpy as np

from isoflop.base.estimate import Estimate, shorten
from isoflop.fitting.fit import Fit
from isoflop.plan.analysis.analysis import PARABOLAS, Analysis

WIDE = 0.25
"""Relative half-width of its interval beyond which an exponent is called not identified."""
NARROW_A = 0.1
"""Half-width of the interval of a up to which the optimum's exponent is called identified."""


def headline_exponent(analysis: Analysis) -> tuple[str, Estimate] | None:
    """Choose the exponent a to put first, and its method.

    IsoFLOP parabolas where they identify it, since they assume no form; else the method with the
    narrowest interval. None where no method gives one.
    """
    known = {name: a for name, a in analysis.exponents.items() if a.half_width is not None}
    if not known:
        return None
    parabolas = known.get(PARABOLAS)
    if parabolas and _half(parabolas) <= NARROW_A:
        return PARABOLAS, parabolas
    return min(known.items(), key=lambda item: _half(item[1]))


def _half(estimate: Estimate) -> float:
    return float("inf") if estimate.half_width is None else estimate.half_width


def identification_verdict(analysis: Analysis) -> str:
    """Say in a sentence which of the optimum, alpha and beta these runs determine."""
    parts = []
    headline = headline_exponent(analysis)
    if headline:
        half = _half(headline[1])
        verdict = "identified" if half <= NARROW_A else "not identified to ±.1"
        parts.append(f"a {verdict} (±{half:.3f})")
    if not analysis.chinchilla.determined:
        condition = f"condition number {analysis.chinchilla.condition:.1e}"
        return ", ".join([*parts, f"alpha and beta not identified ({condition})"])
    for name in ("alpha", "beta"):
        estimate = analysis.chinchilla.params[name]
        half = estimate.half_width or float("inf")
        wide = half > WIDE * estimate.value
        parts.append(f"{name} {'not ' if wide else ''}identified (±{half:.2f})")
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
        hit = "inside" if backtest.inside else "outside"
        rows.append(
            (
                f"foresight of {fit.law.name}",
                f"hidden runs missed by {100 * backtest.rms_miss:.2f} % RMS, the run it chose "
                f"{hit} its interval, {100 * backtest.coverage:.0f} % of {backtest.n_hidden} runs "
                "inside",
            )
        )
    for name in ("alpha", "beta"):
        rows.append((f"Chinchilla {name}", str(chinchilla.params[name])))
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
    sizes = len(np.unique(table.numbers("n_params")))
    if not analysis.frontier:
        return f"{len(table)} runs of {sizes} sizes; no IsoFLOP frontier could be fitted"
    valleys = analysis.frontier.valleys
    usable = sum(not valley.verdict for valley in valleys)
    return (
        f"{len(table)} runs of {sizes} sizes, {len(valleys)} budgets of at least "
        f"{min(len(set(v.n_params.tolist())) for v in valleys)} sizes, {usable} with their minimum "
        "inside the grid"
    )


def _conditioning(fit: Fit) -> str:
    basins, share = fit.basins, 100 * fit.basins.share_best
    return (
        f"condition number {shorten(fit.condition)}, residual RMS {100 * fit.rms:.2f} %, "
        f"{share:.0f} % of {basins.n_starts - basins.n_given_up} starts reach the best of "
        f"{basins.n_basins} minim{'um' if basins.n_basins == 1 else 'a'}"
    )
