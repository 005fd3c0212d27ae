"""Findings about a finished fit: what a reader must know before believing its numbers."""

import numpy as np
from numpy.typing import NDArray

from isoflop.base.estimate import shorten
from isoflop.fitting.identify import CONDITION_LIMIT
from isoflop.fitting.solve.solver import Array
from isoflop.fitting.uncertainty.bootstrap import FEW_RUNS_PER_PARAMETER
from isoflop.fitting.uncertainty.intervals import EVIDENCE, HEAVY_TAILS, SUSPICION, Interval
from isoflop.fitting.uncertainty.uncertainty import Uncertainty
from isoflop.laws.law import AbstractLaw, Variables
from isoflop.runs.checks import Finding

POOR_RMS = 0.05
"""Residual from which the runs cannot be said to follow the law; real tables measure .3 to 2 %."""
TOO_WIDE = 1e3
"""Factor between the ends of an interval from which it determines nothing."""
NOT_PREDICTED = "prediction-not-determined"
FEW_RESAMPLES = 100
"""Draws below which the ends of a 90 % interval rest on fewer than five of them each."""
KEPT_SHARE = 0.9
"""Share of the resamples that must have been refitted."""


def judge_condition(law: AbstractLaw, condition: float) -> list[Finding]:
    """Report a direction of the parameters that the runs leave free."""
    if condition < CONDITION_LIMIT:
        return []
    return [
        Finding(
            code="not-identified",
            severity="error",
            evidence=f"condition number {condition:.1e}; a good grid measures 10 to 500",
            consequence=f"some parameters of {law.name} can change together at no cost",
            remedy="add runs that vary the variables independently, or fit a smaller law",
        )
    ]


def judge_bounds(law: AbstractLaw, at_bound: NDArray[np.bool_]) -> list[Finding]:
    """Report parameters that rest on a bound, such as an irreducible loss of zero."""
    resting = [name for name, rests in zip(law.parameter_names, at_bound, strict=True) if rests]
    if not resting:
        return []
    return [
        Finding(
            code="parameter-at-bound",
            severity="warning",
            evidence=f"{', '.join(resting)} ended on the edge of what is allowed",
            consequence="the runs do not determine it, and the law should not be extrapolated far",
            remedy="fit the form without it, or add runs over a wider range",
        )
    ]


def judge_residuals(residuals: Array) -> list[Finding]:
    """Report residuals far larger than run-to-run noise."""
    rms = float(np.sqrt(np.mean(residuals**2)))
    if rms < POOR_RMS:
        return []
    return [
        Finding(
            code="law-does-not-fit",
            severity="warning",
            evidence=f"residual RMS {100 * rms:.1f} %; ladders of one recipe measure .3 to 2 %",
            consequence="the runs do not follow this law: other variables move the loss too",
            remedy="select one recipe, corpus and count, or fit a law that has the variable",
        )
    ]


def judge_resamples(spread: Uncertainty, *, asked: int, n_parameters: int) -> list[Finding]:
    """Report resamples that could not be refitted, and groups or runs too few for their job.

    Args:
        spread: the uncertainty.
        asked: draws asked for.
        n_parameters: parameters fitted.
    """
    findings: list[Finding] = []
    interval, kept = spread.interval, len(spread.draws)
    if 0 < asked < FEW_RESAMPLES:
        findings.append(
            Finding(
                code="few-resamples",
                severity="warning",
                evidence=f"intervals from {asked} draws",
                consequence="their ends are percentiles of a handful of draws, and move by seed",
                remedy="ask for 1000, the default (--bootstrap 1000), or 0 for no intervals",
            )
        )
    few = spread.n_units <= FEW_RUNS_PER_PARAMETER * n_parameters
    if interval.cluster and few:
        findings.append(
            Finding(
                code="few-clusters",
                severity="warning",
                evidence=f"{spread.n_units} groups of equal {interval.cluster} for "
                f"{n_parameters} parameters",
                consequence="the noise they share is poorly known, and the intervals are rough",
                remedy="group by a column with more groups, or read the intervals as rough",
            )
        )
    if asked and kept < KEPT_SHARE * asked:
        findings.append(
            Finding(
                code="resamples-lost",
                severity="warning",
                evidence=f"{asked - kept} of {asked} resamples could not be refitted",
                consequence="the intervals rest on the easy resamples and are too narrow",
                remedy="look at the design: few distinct runs, or a law with too many parameters",
            )
        )
    return findings


def judge_noise(interval: Interval) -> list[Finding]:
    """Report intervals by profile where the residuals speak against even, independent noise."""
    parts, evidence = [], interval.evidence
    if evidence.get("icc_p", 1.0) < SUSPICION:
        parts.append(f"ICC {evidence['icc']:.2f} by {interval.cluster or 'group'}")
    if evidence.get("noise_power_p", 1.0) < EVIDENCE:
        parts.append(f"size as response^{evidence['noise_power']:.1f}")
    if evidence.get("kurtosis", 0.0) > HEAVY_TAILS:
        parts.append(f"heavy tails, excess kurtosis {evidence['kurtosis']:.1f}")
    if not parts:
        return []
    return [
        Finding(
            code="profile-takes-noise-even",
            severity="warning",
            evidence=f"the noise is not even, independent and normal: {', '.join(parts)}",
            consequence="a profile likelihood counts every run alike, and its intervals are "
            "usually too narrow then",
            remedy="compare with --interval auto, which counts groups and sizes of noise",
        )
    ]


def judge_prediction(law: AbstractLaw, variables: Variables, spread: Uncertainty) -> list[Finding]:
    """Report a law whose own prediction, at the largest runs fitted, is left free by its draws.

    Args:
        law: the law.
        variables: {name: (n_runs,)} of the runs.
        spread: the uncertainty.
    """
    if len(spread.draws) < 2 or law.residual_scale == "linear":  # whose response may be zero
        return []
    at = {name: np.atleast_1d(values.max()) for name, values in variables.items()}
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        drawn = law.predict(spread.draws, at)[:, 0]
    drawn = drawn[np.isfinite(drawn)]
    if drawn.size < 2:
        return []
    low, high = (float(end) for end in np.quantile(drawn, [0.05, 0.95]))
    if high <= TOO_WIDE * low:
        return []
    return [
        Finding(
            code=NOT_PREDICTED,
            severity="warning",
            evidence=f"at the largest {', '.join(law.variables)} fitted, {law.name} predicts a "
            f"{law.response} anywhere from {shorten(low)} to {shorten(high)}",
            consequence="the intervals say nothing there or further out, and are not shown",
            remedy="fit a law with fewer constants, or resample runs (--interval case)",
        )
    ]
