"""Conventions: attention left out of the FLOPs, and several ways of counting in one table.

Legend: N parameters, D tokens, C FLOPs, n layers, d width, s context.
"""

import numpy as np

from isoflop.laws.law import Array
from isoflop.plan.checkup.case import Case, Mask
from isoflop.plan.checkup.counting import OFF, SAME_COUNT, flops_over_six_nd
from isoflop.plan.checkup.diagnosis import Diagnosis, Shift
from isoflop.plan.checkup.refit import LAW, refit, shift
from isoflop.plan.checkup.rounding import unrounded_sizes

SHAPE = ("n_layer", "d_model", "n_ctx")
FITS_BETTER = 0.9
"""Scatter of the losses, with N recounted by C/6D over that with N as written, below which N is
what was counted in two ways: a mistaken N puts a run off the surface, a mistaken C does not."""
EXACT = 0.002
"""Log of C/6ND below which C was computed as 6ND of that very N."""
LEAST_GROUP = 3
"""Runs that make a second convention rather than a slip."""


def check_attention(case: Case) -> list[Diagnosis]:
    """Find FLOPs without the attention scores, 12·n·s·d a token, half of it if causal."""
    if not case.has("n_params", "n_tokens", "flops", *SHAPE):
        return []
    n, d, s = (case.numbers(name) for name in SHAPE)
    per_token = case.numbers("flops") / case.numbers("n_tokens")
    weights = [case.numbers(c) for c in ("n_params", "n_params_non_embedding") if case.has(c)]
    by_weights = min(float(np.median(np.abs(per_token / (6 * w) - 1))) for w in weights)
    missing = 6 * n * s * d / (per_token + 6 * n * s * d)  # Kaplan 2020 table 1: causal half
    wrong = missing > OFF
    if by_weights > SAME_COUNT or not wrong.any():
        return []
    small = np.argmin(case.numbers("n_params"))
    return [
        Diagnosis(
            code="attention-flops-dropped",
            severity="warning",
            evidence="`flops` is 6 per weight and token; attention scores would add "
            f"{100 * missing[small]:.0f} % of the compute of the smallest model, causal, and "
            f"{200 * missing[small] / (1 + missing[small]):.0f} % over the full context",
            consequence=f"the budgets of {wrong.sum()} runs are too low by up to "
            f"{100 * missing.max() / (1 - missing.max()):.0f} %, the small models' most",
            remedy="count it (isoflop count gives matmul and matmul_causal) and say which",
            rows=case.rows(wrong),
            runs=case.names(wrong),
            numbers={"missing_smallest": float(missing[small])},
        )
    ]


def check_mixed_conventions(case: Case) -> list[Diagnosis]:
    """Find FLOPs or parameters counted in two ways within one table."""
    found = _mixed_flops(case) or _mixed_params(case)
    if found is None:
        return []
    column, odd, how, change = found
    return [
        Diagnosis(
            code="mixed-conventions",
            severity="error",
            evidence=f"`{column}` {how} in {odd.sum()} of {len(odd)} runs and not in the others of "
            "the same sizes",
            consequence="the two kinds differ by a count, which is taken for an effect of scale; "
            f"{change or 'budgets and sizes cannot be compared'}",
            remedy=f"recount `{column}` by one convention in every row"
            + (", such as with embeddings" if column == "n_params" else ""),
            rows=case.rows(odd),
            runs=case.names(odd),
            numbers={"n_odd": float(odd.sum()), "n_runs": float(len(odd))},
            shift=change,
        )
    ]


def _mixed_flops(case: Case) -> tuple[str, Mask, str, Shift | None] | None:
    """C/6ND in two kinds; the losses decide whether it is C or N that is counted in two ways."""
    if not case.has("n_params", "n_tokens", "flops") or unrounded_sizes(case) is not None:
        return None
    N, log_ratio = case.numbers("n_params"), np.log(flops_over_six_nd(case))
    odd = _second_kind(np.log(N), log_ratio)
    if odd is None:
        odd = _beside_six_nd(np.log(N), log_ratio)
    if odd is None:
        return None
    factors = np.exp(log_ratio - np.median(log_ratio[~odd]))
    factor = float(np.median(factors[odd]))
    as_flops = "flops", odd, f"is about {factor:.2g} times as large a multiple of 6ND", None
    if case.fit is None or not case.has("loss"):
        return as_flops
    everyone = np.ones(len(odd), dtype=bool)
    mended = np.where(odd, N * factors, N)
    as_written, by_flops = refit(case, keep=everyone), refit(case, n_params=mended, keep=everyone)
    if _scatter(case, by_flops, mended) > FITS_BETTER * _scatter(case, as_written, N):
        return as_flops
    how = f"is about {1 / factor:.2g} times as large a multiple of C/6D"
    return "n_params", odd, how, shift(case, as_written, by_flops)


def _scatter(case: Case, theta: Array, n_params: Array) -> float:
    loss = LAW.predict(theta, {"n_params": n_params, "n_tokens": case.numbers("n_tokens")})
    return float(np.sqrt(np.mean(np.log(case.numbers("loss") / loss) ** 2)))


def _mixed_params(case: Case) -> tuple[str, Mask, str, Shift | None] | None:
    if not case.has("n_params", "n_params_non_embedding"):
        return None
    N, inner = case.numbers("n_params"), case.numbers("n_params_non_embedding")
    odd = np.abs(N / inner - 1) < SAME_COUNT / 2
    if odd.sum() < LEAST_GROUP or (~odd).sum() < LEAST_GROUP:
        return None
    order = np.argsort(inner[~odd])
    there = np.interp(np.log(inner), np.log(inner[~odd][order]), (N / inner - 1)[~odd][order])
    odd &= there > OFF
    if odd.sum() < LEAST_GROUP:
        return None
    change = None
    if case.fit is not None:
        change = shift(case, case.fit.theta, refit(case, keep=case.steady & ~odd))
    return "n_params", odd, "leaves embeddings out", change


def _beside_six_nd(log_size: Array, log_ratio: Array) -> Mask | None:
    """Runs at a multiple of 6ND that others of their sizes, at 6ND itself, do not have.

    Embeddings left out of N in some rows: their multiple falls with size, so that no gap parts the
    kinds. Where every row leaves them out, only sizes without a multiple to speak of stand at 6ND.
    """
    off = np.abs(log_ratio)
    exact, odd = off < EXACT, off > OFF
    by_chance = (off < 5 * EXACT) & ~exact  # C of digits lost to a figure comes near as well
    if min(exact.sum() - by_chance.sum(), odd.sum()) < LEAST_GROUP:
        return None
    order = np.argsort(log_size[odd])
    sizes, ratios = log_size[odd][order], log_ratio[odd][order]
    among = exact & (log_size >= sizes[0]) & (log_size <= sizes[-1])
    contrary = among & (np.abs(np.interp(log_size, sizes, ratios)) > OFF)
    return odd if contrary.sum() >= LEAST_GROUP else None


def _second_kind(log_size: Array, log_ratio: Array) -> Mask | None:
    """The smaller of two groups of ratios that sizes cannot explain, None if there is one group.

    A count's ratio to another changes smoothly with size. So runs beside each other in size have
    nearly the same ratio, and two conventions show as jumps back and forth.
    """
    if np.ptp(log_ratio) < OFF:
        return None
    order = np.argsort(log_ratio)
    gaps = np.diff(log_ratio[order])
    cut = int(np.argmax(gaps))
    high = np.zeros(len(order), dtype=bool)
    high[order[cut + 1 :]] = True
    odd = high if high.sum() * 2 <= len(high) else ~high
    if gaps[cut] < OFF / 2 or odd.sum() < LEAST_GROUP:
        return None
    by_size = odd[np.argsort(log_size, kind="stable")]
    switches = int(np.sum(by_size[1:] != by_size[:-1]))
    return odd if switches > 2 else None
