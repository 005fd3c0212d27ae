"""What a reader of a century's forecast should know.

Legend: C FLOPs, N parameters, D tokens, L(D) and L(C) losses by data and by compute.
"""

import math

from isoflop.base.estimate import Estimate, shorten
from isoflop.runs.finding import Finding

FAR = 2.0
"""Orders of magnitude beyond the anchor from which distance is a finding."""
SPENT = 1.1
"""Factor between 6ND and C from which they do not belong to one plan."""


def judge_century(
    *, anchor: str, flops: float, growth: float, spent: float, losses: tuple[Estimate, Estimate]
) -> tuple[Finding, ...]:
    """Judge a forecast by its distance, its sum and its two losses.

    Args:
        anchor: name of the run scaled.
        flops: C.
        growth: C over the anchor's.
        spent: 6ND.
        losses: L(D) and L(C).
    """
    by_data, by_compute = losses
    findings = []
    if math.log10(growth) > FAR:
        findings.append(_far(anchor, growth))
    if not 1 / SPENT < spent / flops < SPENT:
        findings.append(_unspent(spent, flops))
    if by_compute.value < by_data.value:
        findings.append(_contradicted(by_data, by_compute))
    return tuple(findings)


def _far(anchor: str, growth: float) -> Finding:
    return Finding(
        code="far-beyond-the-runs",
        severity="warning",
        evidence=f"{shorten(growth)} times the compute of {anchor}, {math.log10(growth):.1f} "
        "orders of magnitude beyond any run the laws were fitted to",
        consequence="the intervals hold what the exponents leave open, not a break of the laws",
        remedy="read it as what the laws imply, not as what will be",
    )


def _unspent(spent: float, flops: float) -> Finding:
    return Finding(
        code="plan-does-not-spend-the-budget",
        severity="warning",
        evidence=f"6ND is {shorten(spent)} FLOPs, {shorten(spent / flops)} of the budget",
        consequence="parameters, tokens and compute do not belong to one plan",
        remedy="let the growth follow from the money, and exponents that sum to one",
    )


def _contradicted(by_data: Estimate, by_compute: Estimate) -> Finding:
    return Finding(
        code="beyond-the-crossing",
        severity="warning",
        evidence=f"L(C) promises {shorten(by_compute.value)} nats/token, L(D) allows "
        f"{shorten(by_data.value)} on the data the plan reads",
        consequence="one of the two trends has broken before this budget (isoflop crossing)",
        remedy="take the larger loss, and expect the exponents to have changed",
    )
