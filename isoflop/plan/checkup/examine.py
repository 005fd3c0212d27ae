"""The checkup: every check on one table, worst first."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from isoflop.base.errors import IsoflopError, RunTableError
from isoflop.base.estimate import Estimate, shorten
from isoflop.plan.checkup.agreement import check_methods
from isoflop.plan.checkup.amounts import check_amounts
from isoflop.plan.checkup.case import Case, open_case
from isoflop.plan.checkup.conventions import check_attention, check_mixed_conventions
from isoflop.plan.checkup.copies import check_copies
from isoflop.plan.checkup.counting import check_embeddings, check_head, check_six_nd
from isoflop.plan.checkup.curves import check_curves
from isoflop.plan.checkup.designs import (
    check_design,
    check_exponent,
    check_range,
    interval_of_exponent,
)
from isoflop.plan.checkup.diagnosis import Diagnosis
from isoflop.plan.checkup.grids import check_grid
from isoflop.plan.checkup.missing import check_missing_values, check_surface_exists
from isoflop.plan.checkup.mixing import check_comparable_losses, check_one_recipe, check_repeats
from isoflop.plan.checkup.noise import check_seeds, check_surface
from isoflop.plan.checkup.outliers import check_influence, check_outliers
from isoflop.plan.checkup.rounding import check_rounded_losses, check_rounded_sizes
from isoflop.plan.checkup.schedules import (
    check_schedules,
    check_unfinished,
    check_warm_up,
    check_window,
)
from isoflop.plan.checkup.scores import check_scores
from isoflop.plan.checkup.tuning import check_learning_rates, check_trends
from isoflop.plan.checkup.unlabelled import check_unlabelled_units
from isoflop.runs.cells import Cell
from isoflop.runs.finding import Severity
from isoflop.runs.table import RunTable

Check = Callable[[Case], list[Diagnosis]]

CHECKS: tuple[Check, ...] = (
    check_missing_values, check_comparable_losses, check_unlabelled_units,
    check_design, check_mixed_conventions,
    check_embeddings, check_six_nd, check_head, check_attention,
    check_one_recipe, check_repeats, check_curves,
    check_unfinished, check_schedules, check_warm_up, check_window,
    check_learning_rates, check_trends,
    check_surface, check_grid, check_range, check_exponent,
    check_copies, check_outliers, check_influence,
    check_rounded_losses, check_rounded_sizes,
    check_scores, check_methods, check_seeds,
)  # fmt: skip
"""Every check; each looks at one family of faults and says nothing where it cannot look."""

CODES = (
    "no-surface", "missing-values", "impossible-values", "units-unlikely", "flops-disagree",
    "worse-than-guessing", "loss-unit-unsure",
    "mixed-tokenizers", "mixed-loss-units", "mixed-eval-sets",
    "single-ray", "one-size", "one-budget", "few-decades", "exponent-unknown",
    "mixed-conventions", "embedding-share", "flops-not-6nd", "head-flops-dropped",
    "attention-flops-dropped",
    "mixed-datasets", "mixed-families", "mixed-schedules", "repeated-data",
    "curve-points",
    "unfinished-runs", "unfinished-schedule", "warm-up-share", "fixed-token-window",
    "lr-not-bracketed", "residual-trend", "surface-does-not-fit",
    "grid-off-centre", "grid-drifts", "grid-too-wide", "grid-too-narrow", "optimum-at-edge",
    "duplicate-runs", "near-duplicate-runs",
    "diverged-runs", "undertuned-runs", "runs-too-low", "few-runs-move-the-answer",
    "rounded-losses", "rounded-params",
    "accuracy-at-floor", "binomial-noise",
    "methods-disagree", "noise-unknown",
)  # fmt: skip
"""Codes of every finding, each with its section in docs/check."""

GRAVER = {"flops-not-6nd": "mixed-conventions"}
"""{code: the one beside which it is not told}: of two ways of counting neither is to be kept."""

SHOWN = 8
"""Rows and runs that a finding lists."""

ORDER: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True)
class Checkup:
    """What was found in a run table.

    Args:
        source: where the runs came from.
        n_runs: rows of the table.
        n_usable: finished rows, one a learning-rate sweep.
        flops: the compute that consequences are told at.
        surface: the law they are told by, or why there is none.
        findings: errors first, then by wasted compute.
        a: exponent of N* ∝ C^a by that law, None if there is none; see `interval_of_exponent`.
    """

    source: str
    n_runs: int
    n_usable: int
    flops: float
    surface: str
    findings: tuple[Diagnosis, ...]
    a: Estimate | None = None

    @property
    def fitted(self) -> bool:
        """Whether there is such a law."""
        return self.a is not None

    @property
    def has_errors(self) -> bool:
        """Whether something forbids a fit."""
        return any(found.severity == "error" for found in self.findings)

    def to_dict(self) -> dict[str, object]:
        """Return the contract's JSON object."""
        return {
            "source": self.source,
            "n_runs": self.n_runs,
            "n_usable": self.n_usable,
            "flops": self.flops,
            "surface": self.surface,
            "fitted": self.fitted,
            "a": self.a.to_dict() if self.a else None,
            "findings": [found.to_dict() for found in self.findings],
        }

    def __str__(self) -> str:
        count = {s: sum(f.severity == s for f in self.findings) for s in ORDER}
        used = f"{self.n_usable} {'fitted' if self.fitted else 'usable, none fitted'}"
        by = f"consequences at {shorten(self.flops)} FLOPs, by {self.surface}"
        head = (
            f"{self.source}: {self.n_runs} rows, {used}; "
            + ", ".join(f"{n} {s}{'s' * (n != 1)}" for s, n in count.items())
            + f"\n{by if self.fitted else self.surface}"
        )
        return "\n\n".join([head, *(_paragraph(found) for found in self.findings)])


def check_runs(
    runs: RunTable | Sequence[Mapping[str, Cell]], *, flops: float | None = None
) -> Checkup:
    """Examine a run table for what would ruin a scaling law.

    Args:
        runs: the runs, as a table or as one mapping a run.
        flops: the compute that consequences are told at; a hundred times the largest by default.

    Returns:
        The findings, each with evidence, consequence, remedy and the rows concerned.

    Raises:
        RunTableError: a cell that cannot be read, or no finished run.
        InputError: a target that is not positive.

    >>> N = np.geomspace(1e7, 1e9, 12)
    >>> ray = [{"n_params": n, "n_tokens": 20 * n, "loss": 2 + 40 * n**-0.2} for n in N.tolist()]
    >>> [found.code for found in check_runs(ray).findings if found.severity == "error"]
    ['single-ray']
    """
    table = (
        runs if isinstance(runs, RunTable) else RunTable.from_records(list(runs), bad_cells="empty")
    )
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        case = open_case(table, flops)
        found = check_amounts(case) + [each for check in CHECKS for each in _attempt(check, case)]
        found += check_surface_exists(case, found)
        found = [each for each in found if not _said_by_another(each, found)]
    waste = {id(each): each.shift.waste if each.shift else 0.0 for each in found}
    found.sort(key=lambda each: (ORDER.index(each.severity), -waste[id(each)]))
    a = interval_of_exponent(case)
    surface = f"no surface: {case.why_no_fit}"
    if a is not None:
        surface = f"a Chinchilla surface with a = {a}, residuals of {100 * case.noise:.2g} %"
    return Checkup(table.source, len(table), len(case.table), case.flops, surface, tuple(found), a)


def _said_by_another(found: Diagnosis, beside: Sequence[Diagnosis]) -> bool:
    """Whether a graver finding says the same of the same column, with another remedy."""
    return any(each.code == GRAVER.get(found.code) for each in beside)


def _attempt(check: Check, case: Case) -> list[Diagnosis]:
    """A check whose refit is refused has nothing to say about this table."""
    try:
        return check(case)
    except (RunTableError, np.linalg.LinAlgError):
        raise
    except IsoflopError:
        return []


def _paragraph(found: Diagnosis) -> str:
    lines = [
        f"{found.severity}: {found.code}: {found.evidence}",
        f"  consequence: {found.consequence}",
        f"  remedy: {found.remedy}",
        f"  see: {found.docs}",
    ]
    return "\n".join([*lines, *_concerned(found)])


def _concerned(found: Diagnosis) -> list[str]:
    """Rows, and the names of the runs where they have names of their own."""
    if not found.rows:
        return []
    lines = [f"  rows: {_some(found.rows, len(found.rows))}"]
    if any(run != f"row {row}" for run, row in zip(found.runs, found.rows, strict=False)):
        lines.insert(0, f"  runs: {_some(found.runs, len(found.rows))}")
    return lines


def _some(items: Sequence[object], count: int) -> str:
    shown = ", ".join(str(item) for item in items[:SHOWN])
    return f"{shown} and {count - SHOWN} more" if count > SHOWN else shown
