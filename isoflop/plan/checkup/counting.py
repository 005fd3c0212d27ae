"""Counts: embeddings in or out, FLOPs that are not 6ND, heads and attention left out of them.

Legend: N parameters, N_ne without embeddings, D tokens, C FLOPs; a exponent of N* ∝ C^a.
"""

import numpy as np

from isoflop.laws.law import Array
from isoflop.plan.checkup.case import Case
from isoflop.plan.checkup.diagnosis import Diagnosis, Shift
from isoflop.plan.checkup.frontier_line import Count, fit_count, line_of_optima, optimum
from isoflop.plan.checkup.refit import exponent, refit, shift_of_size
from isoflop.plan.checkup.rounding import unrounded_sizes

SMALL_SHARE = 0.1
"""Share of a count from which leaving it out is told (facts of Pearce & Song 2024)."""
SAME_COUNT = 0.01
OFF = 0.05
"""Relative distance of C from 6ND from which it is told."""
UNIT_SLIP = 10.0
"""Factor beyond which C and 6ND are not two counts of one run; another check says so."""


def check_embeddings(case: Case) -> list[Diagnosis]:
    """Find embeddings that weigh at the small end, so that the exponent depends on the count."""
    if not case.has("n_params", "n_params_non_embedding"):
        return []
    total, inner = case.numbers("n_params"), case.numbers("n_params_non_embedding")
    if not (total > inner * (1 + SAME_COUNT)).any():
        if not case.has("n_params_vocabulary"):
            return []
        total = inner + case.numbers("n_params_vocabulary")
    share = (total - inner) / total
    small = np.argmin(inner)
    if share[small] < SMALL_SHARE:
        return []
    heavy = share > SMALL_SHARE
    change = _between_counts(case, inner, total)
    return [
        Diagnosis(
            code="embedding-share",
            severity="warning",
            evidence=f"embeddings are {100 * share[small]:.0f} % of the smallest model and "
            f"{100 * share[np.argmax(inner)]:.1f} % of the largest; {heavy.sum()} of {len(heavy)} "
            "runs have more than 10 %",
            consequence="the exponent depends on the count; counted without embeddings "
            f"{change or 'it comes out too high at small sizes'}",
            remedy="fit and plan in the count with embeddings, and say so; compare exponents "
            "only in one count; add larger sizes",
            rows=case.rows(heavy),
            runs=case.names(heavy),
            numbers={"share_smallest": float(share[small]), "share_most": float(share.max())},
            shift=change,
        )
    ]


def check_six_nd(case: Case) -> list[Diagnosis]:
    """Find recorded FLOPs that are not 6ND."""
    if not case.has("n_params", "n_tokens", "flops"):
        return []
    N, ratio = case.numbers("n_params"), flops_over_six_nd(case)
    unlike = (ratio > UNIT_SLIP) | (ratio < 1 / UNIT_SLIP)
    off = np.abs(ratio - 1) > OFF
    if not off.any() or unlike.any() or unrounded_sizes(case) is not None:
        return []
    small, large = ratio[np.argmin(N)], ratio[np.argmax(N)]
    change = _between_costs(case, ratio)
    even = abs(np.log(small / large)) < OFF
    return [
        Diagnosis(
            code="flops-not-6nd",
            severity="note" if even else "warning",
            evidence=f"`flops` is {small:.3g} times 6ND at the smallest size and {large:.3g} times "
            f"at the largest; {off.sum()} of {len(off)} runs are more than 5 % off",
            consequence="a plan by C = 6ND is not one by these FLOPs; by 6ND "
            f"{change or 'budgets are mistaken by that factor'}",
            remedy="keep the exact count, say which it is, and plan by it "
            "(isoflop plan does, from a fit of these runs)",
            rows=case.rows(off),
            runs=case.names(off),
            numbers={"ratio_smallest": float(small), "ratio_largest": float(large)},
            shift=change,
        )
    ]


def check_head(case: Case) -> list[Diagnosis]:
    """Find FLOPs counted by non-embedding parameters, the output head left out."""
    if not case.has("n_params", "n_params_non_embedding", "n_tokens", "flops"):
        return []
    inner, total = case.numbers("n_params_non_embedding"), case.numbers("n_params")
    per_token = case.numbers("flops") / case.numbers("n_tokens")
    if np.median(np.abs(per_token / (6 * inner) - 1)) > SAME_COUNT:
        return []
    head = _head_params(case, total - inner)
    missing = head / (inner + head)
    wrong = missing > OFF
    if not wrong.any():
        return []
    change = _with_cost(case, total, fit_count(total, inner + head), fit_count(total, inner))
    return [
        Diagnosis(
            code="head-flops-dropped",
            severity="warning",
            evidence="`flops` is 6·N_non-embedding·D, without the output head, which takes "
            f"{100 * missing[np.argmin(inner)]:.0f} % of the compute of the smallest model and "
            f"{100 * missing[np.argmax(inner)]:.1f} % of the largest",
            consequence="small models look cheaper than they are; "
            f"{change or 'the exponent comes out too high'}",
            remedy="count the head (2·V·d forward per token, tied or not; isoflop count) and "
            "replace the column",
            rows=case.rows(wrong),
            runs=case.names(wrong),
            numbers={"missing_smallest": float(missing[np.argmin(inner)])},
            shift=change,
        )
    ]


def flops_over_six_nd(case: Case) -> Array:
    """C/6ND of every usable run."""
    six_nd = 6 * case.numbers("n_params") * case.numbers("n_tokens")
    return case.numbers("flops") / six_nd


def _head_params(case: Case, embedding: Array) -> Array:
    """V·d of every run: recorded, else what embeddings are, half of it where they are not tied."""
    if case.has("n_params_with_head"):
        head = case.numbers("n_params_with_head") - case.numbers("n_params_non_embedding")
        return np.maximum(head, 0.0)
    if case.has("n_params_vocabulary"):
        return case.numbers("n_params_vocabulary")
    return np.maximum(embedding, 0.0)


def _between_counts(case: Case, inner: Array, total: Array) -> Shift | None:
    """The answer in non-embedding parameters and 6·N_ne·D, held against the surface in all."""
    if case.fit is None:
        return None
    theta, size = refit(case, n_params=total), fit_count(inner, total)
    flops = 6 * inner * case.numbers("n_tokens")
    ends = (float(flops.min()), float(flops.max()))
    slope, intercept = line_of_optima(theta, ends, size=size, cost=Count())
    right = optimum(theta, case.flops, size=size, cost=Count())
    found = float(np.exp(intercept + slope * np.log(case.flops)))
    return shift_of_size(case, (slope, found), (exponent(theta), right), theta)


def _between_costs(case: Case, ratio: Array) -> Shift | None:
    """The answer by 6ND, held against that by the recorded FLOPs."""
    if case.fit is None:
        return None
    N = case.numbers("n_params")
    count = fit_count(N, N * ratio)
    misfit = np.sqrt(np.mean((count.of(N) / (N * ratio) - 1) ** 2))
    if misfit > OFF:  # a count of another kind, such as of experts, which cannot be extended
        return None
    return _with_cost(case, N, count, Count())


def _with_cost(case: Case, size: Array, right: Count, found: Count) -> Shift | None:
    """The answer by one cost per token, held against that by another; N as the surface has it."""
    if case.fit is None:
        return None
    tokens, theta, same = case.numbers("n_tokens"), case.fit.theta, Count()
    answers = []
    for cost in (found, right):
        flops = 6 * cost.of(size) * tokens
        ends = (float(flops.min()), float(flops.max()))
        slope, _ = line_of_optima(theta, ends, size=same, cost=cost)
        answers.append((slope, optimum(theta, case.flops, size=same, cost=cost)))
    return shift_of_size(case, answers[0], answers[1], theta)
