"""Tuning: learning rates without a bracket, and residuals that follow the size or the ratio D/N.

Legend: N parameters, D tokens, L loss, r residuals of log loss about the surface.
"""

import numpy as np

from isoflop.laws.law import Array
from isoflop.plan.checkup.case import Case
from isoflop.plan.checkup.cells import sweeps
from isoflop.plan.checkup.diagnosis import Diagnosis
from isoflop.plan.checkup.refit import estimate_effect, refit, shift, trend

SCORE = 3.3
"""Standard errors from which a trend is told: two are tried, and small tables have few groups."""
WIDE_LADDER = 1.0
"""Decades of size over which one learning rate cannot be the best one."""
CONFOUNDED = np.log(3.0)
"""Change of log N* from which trend and surface cannot be told apart, and no price is given."""
UNPRICED = "N* moves by more than a factor 3: trend and surface cannot be told apart, no price"
FEWEST = 12


def check_learning_rates(case: Case) -> list[Diagnosis]:
    """Find sweeps whose best learning rate is at their edge, and ladders without any sweep."""
    if "lr" not in case.whole:
        return [_no_sweep("learning rates are not recorded (`lr`)", "note")]
    swept = case.whole
    if "loss" in swept:
        swept = swept.select(np.isfinite(swept.numbers("loss")) & (swept.numbers("lr") > 0))
    cells = sweeps(swept)
    if not cells:
        lr = swept.numbers("lr")
        if len(set(lr)) == 1 and _decades(case) > WIDE_LADDER:
            said = (
                f"one learning rate, {lr[0]:.3g}, at every size over {_decades(case):.1f} decades"
            )
            return [_no_sweep(said, "warning")]
        return [_no_sweep("no size was trained at three learning rates or more", "note")]
    lr, loss, size = (swept.numbers(name) for name in ("lr", "loss", "n_params"))
    gains = [_gain_beyond(np.log(lr[cell]), loss[cell]) for cell in cells]
    edges = [cell for cell, gain in zip(cells, gains, strict=True) if gain is not None]
    if not edges:
        return []
    losses = [gain for gain in gains if gain is not None]
    sizes = np.array([size[cell].mean() for cell in edges])
    # A bracketed sweep has nothing to gain, and says so of its size.
    everywhere = np.array([size[cell].mean() for cell in cells])
    change = _untuned(case, everywhere, np.array([gain or 0.0 for gain in gains]))
    where = np.sort(np.concatenate(edges))
    shown = ", ".join(f"{size:.3g}" for size in np.unique(sizes)[:4])
    shown += ", …" if len(np.unique(sizes)) > 4 else ""
    near = sum(_lowest_at_edge(lr[cell], loss[cell]) for cell in cells) - len(edges)
    inside = f"; in {near} more the lowest loss does, but not the minimum of a parabola" * (
        near > 0
    )
    listed = swept.names()
    return [
        Diagnosis(
            code="lr-not-bracketed",
            severity="warning",
            evidence=f"in {len(edges)} of {len(cells)} sweeps the best rate lies at the edge or "
            f"beyond it, at N = {shown}{inside}",
            consequence="these sizes could be better than they were, by up to "
            f"{100 * max(losses):.2g} % of the loss; {change or 'the exponent follows'}",
            remedy="add a learning rate beyond the edge until the loss rises again",
            rows=tuple(int(row) for row in swept.rows[where]),
            runs=tuple(listed[i] for i in where),
            numbers={"n_edges": float(len(edges)), "n_sweeps": float(len(cells))},
            shift=change,
        )
    ]


def check_trends(case: Case) -> list[Diagnosis]:
    """Find residuals that bend with log N or log D/N: a recipe better at some scales."""
    if case.fit is None or case.steady.sum() < FEWEST:
        return []
    N, D = case.numbers("n_params"), case.numbers("n_tokens")
    found = []
    for name, x in (("N", np.log10(N)), ("D/N", np.log10(D / N))):
        if np.ptp(x) < 0.3:
            continue
        shape = (x - x.mean()) ** 2
        found.append((abs(trend(case, shape)), name, x))
    if not found or max(found)[0] < SCORE:
        return []
    score, name, x = max(found, key=lambda each: each[0])
    tuned_at = float(x.min()) if name == "N" else float(np.median(x))
    effect = estimate_effect(case, (x - tuned_at) ** 2)
    rms = float(np.sqrt(np.mean(case.residuals[case.steady] ** 2)))
    change = shift(case, case.fit.theta, effect.theta)
    if change and abs(np.log(change.ratio)) > CONFOUNDED:
        change = None
    everyone = case.steady
    return [
        Diagnosis(
            code="residual-trend",
            severity="warning",
            evidence=f"residuals bend with log10 {name}, {score:.1f} standard errors, in an "
            f"RMS of {100 * rms:.2g} %: {effect.size:+.4f} of log loss per squared decade from "
            f"{name} = {10**tuned_at:.3g}",
            consequence="a recipe tuned at one scale and worse at others does this, or a wrong "
            f"law; if the first, {change or UNPRICED}",
            remedy="sweep the learning rate at the smallest and the largest size (isoflop tune), "
            "and look whether another law fits (isoflop compare)",
            rows=case.rows(everyone & (np.abs(case.residuals) > 2 * rms)),
            runs=case.names(everyone & (np.abs(case.residuals) > 2 * rms)),
            numbers={"score": score, "per_squared_decade": effect.size, "rms": rms},
            shift=change,
        )
    ]


def _no_sweep(evidence: str, severity: str) -> Diagnosis:
    return Diagnosis(
        code="lr-not-bracketed",
        severity="warning" if severity == "warning" else "note",
        evidence=evidence,
        consequence="an undertuned scale looks like an effect of scale, and R² does not show it: "
        "a penalty that grows to 10 % of the target's compute leaves residuals below .4 %",
        remedy="sweep three learning rates or more at the smallest, a middle and the largest size, "
        "and keep the rows: the lowest of each sweep is taken",
    )


def _decades(case: Case) -> float:
    if "n_params" not in case.table:
        return 0.0
    N = case.numbers("n_params")
    return float(np.log10(N.max() / N.min()))


def _lowest_at_edge(lr: Array, loss: Array) -> bool:
    rates = np.unique(lr)
    mean = [loss[lr == rate].mean() for rate in rates]
    return int(np.argmin(mean)) in (0, len(rates) - 1)


def _gain_beyond(log_lr: Array, loss: Array) -> float | None:
    """Share of the loss to be gained beyond the edge of a sweep, None if its best lies inside."""
    rates = np.unique(log_lr)
    mean = np.array([loss[log_lr == rate].mean() for rate in rates])
    c2, c1, c0 = np.polyfit(rates, np.log(mean), 2)
    inside = c2 > 0 and rates[0] < -c1 / (2 * c2) < rates[-1]
    if int(np.argmin(mean)) not in (0, len(rates) - 1) or inside:
        return None
    if c2 <= 0:
        return 0.0
    return float(max(0.0, np.log(mean.min()) - (c0 - c1 * c1 / (4 * c2))))


def _untuned(case: Case, sizes: Array, gains: Array):
    """The answer if every size were as much better as the swept ones could be, in their mean."""
    if case.fit is None:
        return None
    sizes, which = np.unique(sizes, return_inverse=True)
    gains = np.bincount(which, gains) / np.bincount(which)
    gain = np.interp(np.log(case.numbers("n_params")), np.log(sizes), gains)
    if len(sizes) == 1:  # a gain at one size is one of that size, not of all
        gain = np.where(np.abs(np.log(case.numbers("n_params") / sizes[0])) < 0.3, gains[0], 0.0)
    theta = refit(case, loss=case.numbers("loss") * np.exp(-gain))
    return shift(case, case.fit.theta, theta)
