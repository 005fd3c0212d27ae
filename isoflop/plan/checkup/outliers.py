"""Outliers: diverged and undertuned runs above the law, runs below it, runs the answer rests on.

Legend: r = log measured − log predicted loss, positive above the law; E irreducible loss.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from isoflop.base.errors import IsoflopError
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.fitting.solve.robust import robust_scale
from isoflop.plan.checkup.case import Case, comparable_runs
from isoflop.plan.checkup.diagnosis import Diagnosis, Shift
from isoflop.plan.checkup.refit import LAW, exponent, refit, shift
from isoflop.plan.optimum.optimum import optimal_params
from isoflop.runs.counted import counted

DIVERGED = 0.15
"""Log loss off the law from which a run is told alone: above it has diverged rather than been
badly tuned."""
ABOVE = 5.0
"""Robust standard deviations off the law from which a run counts as an outlier."""
FAR = 14.0
"""The same from which one alone is told: of 63 errors of Student's t with 3 degrees of freedom,
one lies so far above in a study of seventy."""
SEVERAL = 2
FEWEST_RUNS = 10
N_STARTS = 24

Mask = NDArray[np.bool_]


def check_outliers(case: Case) -> list[Diagnosis]:
    """Find runs far above the law with none as far below it: diverged, or badly tuned."""
    found = _marked(case)
    if case.fit is None or len(case.table) < FEWEST_RUNS:
        return found
    r = case.residuals
    sigma = max(robust_scale(r, 5), 1e-6)
    alike = comparable_runs(case.table)  # others have findings of their own
    above, below = alike & (r > ABOVE * sigma), alike & (r < -ABOVE * sigma)
    found += _too_low(case, below, above, sigma)
    diverged = above & (r > DIVERGED)
    if diverged.any():
        least, most = (100 * np.expm1(r[diverged].min()), 100 * np.expm1(r.max()))
        seen = (
            f"{diverged.sum()} of {counted(len(r), 'run')} {_lie(diverged.sum(), least, most)} "
            "above the law"
        )
        found.append(_bent(case, "diverged-runs", diverged, seen, "mark them diverged (`status`), "
                           "or rerun them"))  # fmt: skip
    under = above & ~diverged
    one_sided = under.sum() >= below.sum() + SEVERAL
    if one_sided or ((under & (r > FAR * sigma)).any() and not below.any()):
        lie = _lie(under.sum(), 100 * r[under].min(), 100 * r[under].max())
        seen = f"{under.sum()} of {counted(len(r), 'run')} {lie} above the law and " \
            f"{below.sum()} as far below it; the others scatter by {100 * sigma:.2g} %"  # fmt: skip
        remedy = "look at their learning rate and loss curve; rerun, or drop them and say so"
        found.append(_bent(case, "undertuned-runs", under, seen, remedy))
    return found


def _too_low(case: Case, below: Mask, above: Mask, sigma: float) -> list[Diagnosis]:
    """Runs lower than luck makes them: no recipe beats the law of the others by so much."""
    r = case.residuals
    one_sided = below.sum() >= above.sum() + SEVERAL
    alone = (r < -FAR * sigma).any() and not above.any()
    low = below if one_sided or alone else below & (r < -DIVERGED)
    if not low.any():
        return []
    least, most = (100 * abs(np.expm1(each)) for each in (r[low].max(), r[low].min()))
    lie = _lie(low.sum(), least, most)
    seen = f"{low.sum()} of {counted(len(r), 'run')} {lie} below the law and " \
        f"{above.sum()} as far above it; the others scatter by {100 * sigma:.2g} %"  # fmt: skip
    remedy = "look at their loss: its digits, unit and evaluation set, whether held-out text leaked"
    return [_bent(case, "runs-too-low", low, seen, f"{remedy}; correct or drop them and say so")]


def _lie(count: int, least: float, most: float) -> str:
    shown = (f"{each:.0f}" if each > 100 else f"{each:.2g}" for each in (least, most))
    ends = dict.fromkeys(f"{each} %" for each in shown)
    return f"{'lies' if count == 1 else 'lie'} {' to '.join(ends)}"


def check_influence(case: Case) -> list[Diagnosis]:
    """Find a few runs without which Huber's fit, the published one, gives another answer."""
    if case.fit is None:
        return []
    spec = FitSpec(Objective("huber"), n_resamples=0, n_starts=N_STARTS)
    try:
        fit = fit_parametric(case.table, LAW, spec)
        moving = [f for f in fit.findings if f.code == "few-runs-move-the-answer"]
        if not moving:
            return []
        mask = np.isin(case.table.names(), moving[0].runs)
        without = fit_parametric(case.table.select(~mask), LAW, spec)
    except IsoflopError:
        return []
    change = shift(case, fit.theta, without.theta)
    return [
        Diagnosis(
            code="few-runs-move-the-answer",
            severity="warning",
            evidence=f"Huber's loss at .001, without {mask.sum()} of {len(mask)} runs: a "
            f"{exponent(fit.theta):.4f} to {exponent(without.theta):.4f}, tokens per parameter at "
            f"the target {_ratio(case, fit.theta):.3g} to {_ratio(case, without.theta):.3g}",
            consequence=f"the answer rests on them: {change or 'a plan moves'}",
            remedy="look at them; use --loss robust, the default; report the fit with and without "
            "(isoflop sensitivity)",
            rows=case.rows(mask),
            runs=case.names(mask),
            numbers={
                "a_with": exponent(fit.theta),
                "a_without": exponent(without.theta),
                "tokens_per_param_with": _ratio(case, fit.theta),
                "tokens_per_param_without": _ratio(case, without.theta),
            },
            shift=change,
        )
    ]


def _ratio(case: Case, theta: np.ndarray) -> float:
    size = optimal_params(LAW, theta, case.flops)[0]
    return case.flops / (6 * size * size)


def _bent(case: Case, code: str, odd: np.ndarray, evidence: str, remedy: str) -> Diagnosis:
    """What least squares makes of runs on one side of the law: E follows them, and the forecast."""
    assert case.fit is not None
    everyone = np.ones(len(odd), dtype=bool)
    bent, clean = refit(case, keep=everyone), refit(case, keep=everyone & ~odd)
    change: Shift | None = shift(case, bent, clean)
    losses = [optimal_params(LAW, theta, case.flops)[1] for theta in (bent, clean)]
    return Diagnosis(
        code=code,
        severity="warning",
        evidence=evidence,
        consequence=f"least squares follows them: E {bent[0]:.3f} instead of {clean[0]:.3f}, the "
        f"forecast at the target {losses[0] - losses[1]:+.3f} nats; {change or ''} (the default "
        "loss, robust, sets most of them aside)",
        remedy=remedy,
        rows=case.rows(odd),
        runs=case.names(odd),
        numbers={
            "n_off": float(odd.sum()),
            "E_with": float(bent[0]),
            "E_without": float(clean[0]),
            "loss_error": float(losses[0] - losses[1]),
        },
        shift=change,
    )


def _marked(case: Case) -> list[Diagnosis]:
    """Rows whose status says that they diverged."""
    if "status" not in case.whole:
        return []
    marked = np.array(["diverg" in status.lower() for status in case.whole.text("status")])
    if not marked.any():
        return []
    listed = case.whole.names()
    base = Diagnosis(
        code="diverged-runs",
        severity="note",
        evidence=f"{marked.sum()} of {len(marked)} rows are marked diverged",
        consequence="they take no part in a fit; a recipe that diverges at one scale may be "
        "undertuned at its neighbours",
        remedy="rerun them at a lower learning rate, or leave them marked",
    )
    where = np.flatnonzero(marked)
    return [
        replace(
            base,
            rows=tuple(int(row) for row in case.whole.rows[where]),
            runs=tuple(listed[i] for i in where),
            numbers={"n_marked": float(marked.sum())},
        )
    ]
