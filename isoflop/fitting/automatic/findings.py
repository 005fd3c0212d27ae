"""What a reader of an automatically continued curve should know."""

from isoflop.base.estimate import Estimate
from isoflop.fitting.automatic.curve import Curve
from isoflop.runs.checks import Finding

AVERAGED = 1.5
"""Records a point from which it counts as a mean."""


def judge_curve(curve: Curve, exponent: Estimate) -> list[Finding]:
    """Warn of a curve that no longer falls; note points that are means.

    Args:
        curve: the points.
        exponent: local exponent at the end, positive where the loss falls.
    """
    findings = []
    if exponent.low is not None and exponent.low <= 0:
        findings.append(
            Finding(
                "flat-end",
                "warning",
                f"exponent at the end {exponent}",
                "the curve may have stopped falling, or be rising",
                "look at the last points before extrapolating",
            )
        )
    if curve.stands_for > AVERAGED:
        findings.append(
            Finding(
                "averaged-points",
                "note",
                f"recorded at even steps at first; the last points stand for about "
                f"{curve.stands_for:.0f} records each",
                "intervals are for single records, which are noisier than these points",
                "none needed; see docs/reproductions/extrapolation.md",
            )
        )
    return findings
