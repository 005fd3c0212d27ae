"""Copies: runs logged twice, exactly or nearly, that count as two."""

import numpy as np
from numpy.typing import NDArray

from isoflop.plan.checkup.case import Case
from isoflop.plan.checkup.cells import group_cells
from isoflop.plan.checkup.diagnosis import Diagnosis
from isoflop.plan.checkup.refit import refit, shift

NEARLY = 2e-4
"""Relative difference of losses of one run logged twice; seeds differ by .1 to 1 %."""
LABELS = ("seed", "lr", "family", "dataset", "tokenizer", "eval_set", "batch_tokens", "schedule",
          "n_tokens_unique", "n_experts")  # fmt: skip
"""Columns that tell two runs of one size and one amount of data apart."""

Mask = NDArray[np.bool_]


def check_copies(case: Case) -> list[Diagnosis]:
    """Find rows that repeat another exactly, and rows that nearly do and nothing tells apart."""
    if not case.has("n_params", "n_tokens", "loss"):
        return []
    exact, near = _copies(case)
    found = []
    if exact.any():
        seen = f"{exact.sum()} of {len(exact)} rows repeat another in size, data and loss"
        found.append(_counted_twice(case, "duplicate-runs", exact, seen))
    if near.any():
        seen = (
            f"{near.sum()} of {len(near)} rows differ from another by less than .5 % in size and "
            f"data and by less than {NEARLY:g} in log loss, and no seed or setting tells them apart"
        )
        found.append(_counted_twice(case, "near-duplicate-runs", near, seen))
    return found


def _copies(case: Case) -> tuple[Mask, Mask]:
    table, loss = case.table, case.numbers("loss")
    amounts = np.stack([case.numbers(c) for c in ("n_params", "n_tokens", "loss")], axis=1)
    labels = [table.text(name) for name in LABELS if name in table]
    exact, near = np.zeros(len(table), dtype=bool), np.zeros(len(table), dtype=bool)
    for cell in group_cells(table):
        kept: list[int] = []
        for i in cell.tolist():
            same = [j for j in kept if all(label[i] == label[j] for label in labels)]
            if any((amounts[i] == amounts[j]).all() for j in same):
                exact[i] = True
            elif any(abs(np.log(loss[i] / loss[j])) < NEARLY for j in same):
                near[i] = True
            else:
                kept.append(i)
    return exact, near


def _counted_twice(case: Case, code: str, copies: Mask, evidence: str) -> Diagnosis:
    n_runs, left = len(copies), int((~copies).sum())
    narrow = 1 - np.sqrt(left / n_runs)
    change = None
    if case.fit is not None:
        keep = case.steady & ~copies
        change = shift(case, case.fit.theta, refit(case, keep=keep))
    return Diagnosis(
        code=code,
        severity="warning",
        evidence=evidence,
        consequence="they count twice: every interval is too narrow by about "
        f"{100 * narrow:.2g} %, and the law leans towards them: {change or 'unseen'}",
        remedy="drop the copies (--drop-rows), or record the column that tells them apart, such "
        "as `seed`",
        rows=case.rows(copies),
        runs=case.names(copies),
        numbers={"n_copies": float(copies.sum()), "too_narrow": float(narrow)},
        shift=change,
    )
