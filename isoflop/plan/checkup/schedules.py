"""Schedules: runs read off before their end, long warm-ups, losses averaged over a fixed window.

Legend: D tokens, S tokens the schedule was planned for, W tokens of warm-up or of the window.
"""

import numpy as np

from isoflop.laws.law import Array
from isoflop.plan.checkup.case import Case
from isoflop.plan.checkup.diagnosis import Diagnosis
from isoflop.plan.checkup.refit import refit, shift
from isoflop.runs.table import FINISHED

UNFINISHED = 0.02
"""Share of a schedule that may be missing at the end."""
UNDECAYED = 0.03
"""Nats that a run read off at the beginning of a cosine lies above one that ended, less in
proportion to what is done: the size planted in the tests; real ones are of this order."""
LONG_WARM_UP = 0.05
"""Share of a run from which its warm-up is told; Porian 2024 blames Kaplan's .73 on it in part."""
WASTED = 0.5
"""Share of the tokens of a linear warm-up that count for nothing."""
LEAST_USEFUL = 0.05
"""Share of its tokens that even a run of nothing but warm-up learns from."""
UNEVEN_WINDOW = 2.0
"""Factor between the largest and the smallest share of a run that its loss was averaged over."""
LONGEST_WINDOW = 0.9
"""Share of a run that its loss can have been averaged over at most: the beginning is not logged."""
SHORT_WINDOW = 0.01
"""Shares below this are too short to matter."""
ROUNDS = 20


def check_schedules(case: Case) -> list[Diagnosis]:
    """Find runs whose schedule was planned for more tokens than they were read off at."""
    if not case.has("n_tokens", "schedule_tokens"):
        return []
    D, S = case.numbers("n_tokens"), case.numbers("schedule_tokens")
    left = np.clip(1 - D / S, 0.0, None)
    early = left > UNFINISHED
    if "schedule" in case.table:  # a constant rate has nothing to finish, an annealed one has
        early &= np.array(["constant" not in s.lower() for s in case.table.text("schedule")])
    if not early.any():
        return []
    change = None
    if case.fit is not None:
        penalty = np.where(early, UNDECAYED * left, 0.0)
        change = shift(case, case.fit.theta, refit(case, loss=case.numbers("loss") - penalty))
    one = np.ptp(np.log(S[early])) < UNFINISHED
    kind = "checkpoints of one horizon" if one and early.sum() > 2 else "runs"
    return [
        Diagnosis(
            code="unfinished-schedule",
            severity="warning",
            evidence=f"{early.sum()} of {len(D)} {kind} were read off before their schedule ended, "
            f"as early as at {100 * (1 - left.max()):.2g} % of it",
            consequence=f"their losses are too high, by some {UNDECAYED} nats at the beginning of "
            f"a cosine and less later; with that, {change or 'the law bends'}",
            remedy="fit runs whose schedule ended where they did, or anneal every checkpoint; "
            "a constant rate with a short decay (WSD) gives many amounts of data from one run",
            rows=case.rows(early),
            runs=case.names(early),
            numbers={"n_early": float(early.sum()), "most_left": float(left.max())},
            shift=change,
        )
    ]


def check_unfinished(case: Case) -> list[Diagnosis]:
    """Count the rows that are marked unfinished, and take no part."""
    if "status" not in case.whole:
        return []
    status = [text.lower() for text in case.whole.text("status")]
    out = np.array([s not in FINISHED and "diverg" not in s for s in status])
    if not out.any():
        return []
    listed = case.whole.names()
    largest = ""
    if "flops" in case.whole:
        flops = case.whole.numbers("flops")
        top = flops >= np.nanmax(flops) / 3
        largest = f"; {(out & top).sum()} of the {top.sum()} largest by compute among them"
    return [
        Diagnosis(
            code="unfinished-runs",
            severity="note",
            evidence=f"{out.sum()} of {len(out)} rows are not marked finished{largest}",
            consequence="they take no part in a fit; where they are the largest, the law is "
            "provisional",
            remedy="finish them, or set their status if they are finished",
            rows=tuple(int(row) for row in case.whole.rows[out]),
            runs=tuple(listed[i] for i in np.flatnonzero(out)),
            numbers={"n_unfinished": float(out.sum())},
        )
    ]


def check_warm_up(case: Case) -> list[Diagnosis]:
    """Find warm-ups that take more than a twentieth of a run."""
    D, W = _warm_up(case)
    if W is None:
        return []
    share = np.minimum(W / D, 1.0)
    long = share > LONG_WARM_UP
    if not long.any():
        return []
    change = None
    even = np.ptp(share) < LONG_WARM_UP / 2
    if case.fit is not None:
        useful = np.maximum(D - WASTED * W, LEAST_USEFUL * D)
        change = shift(case, case.fit.theta, refit(case, n_tokens=useful))
    return [
        Diagnosis(
            code="warm-up-share",
            severity="note" if even else "warning",
            evidence=f"warm-up takes {100 * share.max():.3g} % of the tokens of one run and more "
            f"than 5 % in {long.sum()} of {len(D)}; {100 * share.min():.2g} % of another",
            consequence="small budgets learn from less than they spend; with half of a warm-up "
            f"wasted, {change or 'the exponent comes out too high'}",
            remedy="warm up for a fixed share of each run, 2 % or less: that biases nothing",
            rows=case.rows(long),
            runs=case.names(long),
            numbers={"most_share": float(share.max()), "n_long": float(long.sum())},
            shift=change,
        )
    ]


def _warm_up(case: Case) -> tuple[Array, Array | None]:
    """Tokens of every run and of its warm-up; of its steps where only those are recorded."""
    if case.has("n_tokens", "warmup_tokens"):
        return case.numbers("n_tokens"), case.numbers("warmup_tokens")
    if case.has("n_tokens", "warmup_steps", "steps") and (case.numbers("steps") > 0).all():
        D = case.numbers("n_tokens")
        return D, D * case.numbers("warmup_steps") / case.numbers("steps")
    return np.zeros(0), None


def check_window(case: Case) -> list[Diagnosis]:
    """Find losses averaged over a window that is not the same share of every run."""
    if not case.has("n_tokens", "averaged_tokens"):
        return []
    D, W = case.numbers("n_tokens"), case.numbers("averaged_tokens")
    share = W / D
    if share.max() < SHORT_WINDOW or share.max() < UNEVEN_WINDOW * share.min():
        return []
    change = None
    if case.fit is not None:
        change = shift(
            case, case.fit.theta, _final_surface(case, D, np.minimum(W, LONGEST_WINDOW * D))
        )
    fixed = np.ptp(np.log(np.maximum(W, 1.0))) < UNFINISHED
    over = f"the last {W.max():.3g}" if fixed else "several windows of"
    return [
        Diagnosis(
            code="fixed-token-window",
            severity="warning",
            evidence=f"losses are averages over {over} tokens, "
            f"{100 * share.max():.3g} % of one run and {100 * share.min():.2g} % of "
            "another",
            consequence="short runs are averaged over a time when they were worse: "
            f"{change or 'the exponent comes out too high'}",
            remedy="average over the same share of every run, such as 5 %, or take a held-out "
            "loss at the end",
            rows=case.rows(share > SHORT_WINDOW),
            runs=case.names(share > SHORT_WINDOW),
            numbers={"most_share": float(share.max()), "least_share": float(share.min())},
            shift=change,
        )
    ]


def _final_surface(case: Case, D: Array, W: Array) -> Array:
    """The surface of losses at the end, from losses averaged over the last W tokens.

    The mean of B·t^−beta over D − W < t < D is B·(D^(1−beta) − (D−W)^(1−beta))/((1−beta)·W).
    """
    assert case.fit is not None
    theta = case.fit.theta
    for _ in range(ROUNDS):
        B, beta = theta[2], theta[4]
        power = 1 - beta
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = B * (D**power - (D - W) ** power) / (power * W)
        above = np.where(W > 0, mean - B * D**-beta, 0.0)
        above = np.minimum(above, 0.5 * case.numbers("loss"))
        last, theta = theta, refit(case, loss=case.numbers("loss") - above)
        if np.abs(theta[3:] / last[3:] - 1).max() < 1e-6:
            break
    return theta
