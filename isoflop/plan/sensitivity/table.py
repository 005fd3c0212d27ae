"""The values of a sensitivity study: its table, its dropped runs, and what they amount to."""

from dataclasses import dataclass

from isoflop.base.estimate import Estimate, shorten
from isoflop.runs.checks import Finding

MOST_LISTED = 5
ROUNDING = 1e-6
"""Relative change that is no change, where runs without noise leave no interval."""
WORTH_TELLING = 1.2
"""Ratio by which dropped runs must move the amount to be told."""


@dataclass(frozen=True)
class SensitivityCell:
    """The answer under one loss function without some runs.

    Args:
        loss: its name in `isoflop.plan.sensitivity.sensitivity.LOSSES`.
        dropped: runs with the highest loss that were left out.
        exponent: the watched exponent.
        amount: D*/N* at the target, or the loss there for a law of one variable.
    """

    loss: str
    dropped: int
    exponent: float
    amount: float


@dataclass(frozen=True)
class DroppedRun:
    """The answer without one run.

    Args:
        run: its name.
        exponent: the watched exponent without it.
        amount: the amount at the target without it.
        shift: by how many half-intervals the exponent or the amount moved, the larger of them.
    """

    run: str
    exponent: float
    amount: float
    shift: float


@dataclass(frozen=True)
class Sensitivity:
    """How far an answer rests on choices and on single runs.

    Args:
        law: name of the form.
        n_runs: runs of the table.
        target: scale at which the amount is asked for.
        exponent_name: what is watched, such as `a`.
        amount_name: `tokens_per_param`, or the law's response.
        exponent: by the fit asked for, with its interval.
        amount: by the same fit.
        cells: every loss function with every number of runs dropped, those that could be fitted.
        dropped_runs: every run left out in turn, the most influential first.
    """

    law: str
    n_runs: int
    target: float
    exponent_name: str
    amount_name: str
    exponent: Estimate
    amount: Estimate
    cells: tuple[SensitivityCell, ...]
    dropped_runs: tuple[DroppedRun, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Where a choice, or a run, moves the answer out of its interval."""
        return (*_judge_cells(self), *_judge_runs(self))

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "law": self.law,
            "n_runs": self.n_runs,
            "target": self.target,
            self.exponent_name: self.exponent.to_dict(),
            self.amount_name: self.amount.to_dict(),
            "cells": [
                {
                    "loss": cell.loss,
                    "dropped": cell.dropped,
                    self.exponent_name: cell.exponent,
                    self.amount_name: cell.amount,
                }
                for cell in self.cells
            ],
            "dropped_runs": [
                {
                    "run": run.run,
                    self.exponent_name: run.exponent,
                    self.amount_name: run.amount,
                    "shift": run.shift,
                }
                for run in self.dropped_runs
            ],
            "findings": [finding.to_dict() for finding in self.findings],
        }


def _judge_cells(found: Sensitivity) -> list[Finding]:
    """Report cells outside the interval, and how far the outliers alone move the answer."""
    out = [c for c in found.cells if _outside(found.exponent, c.exponent)
           or _outside(found.amount, c.amount)]  # fmt: skip
    if not out:
        return []
    told = "; ".join(
        f"{c.loss}, {c.dropped} dropped: {found.exponent_name} {c.exponent:.4f}, "
        f"{found.amount_name} {shorten(c.amount)}"
        for c in out
    )
    return [
        Finding(
            code="answer-depends-on-the-loss",
            severity="warning",
            evidence=f"{found.exponent_name} {found.exponent}, {found.amount_name} {found.amount} "
            f"at {shorten(found.target)}; outside: {told}{_moved_by_few(found)}",
            consequence="the interval holds for one loss function and these runs, and others "
            "would choose otherwise",
            remedy="look at the highest losses; report the table with the answer",
        )
    ]


def _moved_by_few(found: Sensitivity) -> str:
    """By how much dropping runs alone moves the amount, under each loss function."""
    by_loss: dict[str, list[SensitivityCell]] = {}
    for cell in found.cells:
        by_loss.setdefault(cell.loss, []).append(cell)
    ratios = [
        (max(c.amount, cells[0].amount) / min(c.amount, cells[0].amount), c)
        for cells in by_loss.values()
        for c in cells[1:]
        if min(c.amount, cells[0].amount) > 0
    ]
    told = [f"{ratio:.2g}× under {cell.loss}" for ratio, cell in ratios if ratio > WORTH_TELLING]
    if not told:
        return ""
    dropped = max(cell.dropped for _, cell in ratios)
    return f"; {dropped} of {found.n_runs} runs move {found.amount_name} by {', '.join(told)}"


def _judge_runs(found: Sensitivity) -> list[Finding]:
    outliers = [run for run in found.dropped_runs if run.shift > 1]
    if not outliers or found.exponent.half_width is None:
        return []
    told = ", ".join(
        f"without {r.run} {found.exponent_name} {r.exponent:.4f} and {found.amount_name} "
        f"{shorten(r.amount)}"
        for r in outliers[:MOST_LISTED]
    )
    return [
        Finding(
            code="one-run-moves-the-answer",
            severity="warning",
            evidence=f"{len(outliers)} of {found.n_runs} runs, each left out alone, move the "
            f"answer out of its interval: {told}",
            consequence="the interval does not hold what a single run decides",
            remedy="look at these runs; repeat them with another seed",
            runs=tuple(run.run for run in outliers),
        )
    ]


def _outside(estimate: Estimate, value: float) -> bool:
    low, high = estimate.low, estimate.high
    slack = ROUNDING * abs(estimate.value)
    return low is not None and high is not None and not low - slack <= value <= high + slack
