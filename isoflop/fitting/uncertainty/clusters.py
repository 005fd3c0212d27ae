"""Many checkpoints of few runs are not many runs: how many they are worth."""

from collections.abc import Mapping, Sequence

import numpy as np

from isoflop.fitting.uncertainty.intervals import Interval
from isoflop.runs.checks import Finding

RUNS_PER_GROUP = 2.0
"""Mean rows of a group from which a table counts as rows of few runs."""
SURE = 0.01
"""p-value of the group effect."""
NOTED = 0.1
"""Intraclass correlation worth a finding; public tables measure .14 to .39 by model size."""


def effective_runs(labels: Sequence[str], icc: float) -> float:
    """Independent runs that would say as much about a mean as grouped ones.

    n/(1 + (m − 1)·ICC), m = Σ n_g²/n the mean group size a row finds itself in (Kish 1965,
    Survey Sampling, section 5.4).

    Args:
        labels: (n,) group of each row.
        icc: intraclass correlation of the residuals; negative counts as none.

    >>> effective_runs(["a"] * 10 + ["b"] * 10, 1.0), effective_runs(["a", "a", "b", "b"], 0.0)
    (2.0, 4.0)
    """
    sizes = np.unique(np.array(labels), return_counts=True)[1]
    typical = float(sizes @ sizes) / len(labels)
    return len(labels) / (1 + (typical - 1) * max(icc, 0.0))


def check_clusters(interval: Interval, labels: Mapping[str, list[str]]) -> list[Finding]:
    """Report rows that share few runs, sizes or recipes, and their residuals with them.

    Args:
        interval: what the fit's intervals rest on, with the groups it found.
        labels: {column: (n_runs,) group of each row} it looked at.

    Returns:
        No finding, or one.
    """
    column, icc = interval.cluster, interval.evidence.get("icc", 0.0)
    if column not in labels or icc < NOTED or interval.evidence.get("icc_p", 1.0) > SURE:
        return []
    groups = labels[column]
    n_groups = len(set(groups))
    if len(groups) < RUNS_PER_GROUP * n_groups:
        return []
    worth = effective_runs(groups, icc)
    return [
        Finding(
            code="clustered-runs",
            severity="note",
            evidence=f"{len(groups)} rows share {n_groups} values of `{column}`, and their "
            f"residuals with them (intraclass correlation {icc:.2f}): worth {worth:.0f} "
            "independent runs",
            consequence="intervals that count every row as a run would be "
            f"{np.sqrt(len(groups) / worth):.1f} times too narrow",
            remedy=f"the intervals count groups of equal `{column}`; for a surer law add runs, not "
            "checkpoints",
        )
    ]
