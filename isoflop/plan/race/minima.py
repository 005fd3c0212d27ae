"""The lowest losses measured at the computes both recipes share, which no verdict may contradict.

Legend: gap = log(lowest loss of A / lowest loss of B) at one compute, positive where B is lower.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from scipy.special import stdtr

from isoflop.base.estimate import shorten
from isoflop.fitting.fit import Fit
from isoflop.laws.law import Array
from isoflop.plan.race.loss_curve import LossCurve
from isoflop.runs.checks import keep_usable
from isoflop.runs.table import RunTable

SAME_COMPUTE = 1.1
"""Factor within which the computes of two tables are one; the loss moves by .5 to 1 % over it."""
CLEAR = 0.01
"""Distance between the fits' lead and the measured gap from which they contradict each other: sizes
a factor of two apart may miss the best of a budget by half as much."""
CHANCE = 0.05
"""Probability, under equal recipes, below which gaps that all lean one way are no chance."""
NO_FIT = "law-does-not-fit"


@dataclass(frozen=True)
class Meeting:
    """The lowest losses measured at one compute, and what the fits say there.

    Args:
        flops: the compute both were trained with, or the amount of the law's variable.
        loss_a: lowest loss measured of A.
        loss_b: lowest loss measured of B.
        fitted_a: loss of A's law, at its optimum if it is joint.
        fitted_b: loss of B's law.
    """

    flops: float
    loss_a: float
    loss_b: float
    fitted_a: float
    fitted_b: float

    @property
    def gap(self) -> float:
        """Log of the ratio of the measured losses, positive where B is lower."""
        return float(np.log(self.loss_a / self.loss_b))

    @property
    def fitted_gap(self) -> float:
        """Log of the ratio of the fitted losses, positive where B is lower."""
        return float(np.log(self.fitted_a / self.fitted_b))

    @property
    def ahead(self) -> str:
        """Which the fits put ahead."""
        return "B" if self.fitted_a > self.fitted_b else "A"

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return asdict(self)


def find_meetings(
    tables: tuple[RunTable, RunTable], curves: tuple[LossCurve, LossCurve]
) -> tuple[Meeting, ...]:
    """Find the computes at which both tables have runs, and the lowest losses there.

    Args:
        tables: runs of A and of B.
        curves: their laws' losses against compute.
    """
    measured = [_amounts(table, curve) for table, curve in zip(tables, curves, strict=True)]
    found = []
    for group in _groups(np.sort(np.concatenate([spent for spent, _ in measured]))):
        low, high = group
        inside = [loss[(spent >= low) & (spent <= high)] for spent, loss in measured]
        if high > SAME_COMPUTE * low or not all(len(loss) for loss in inside):
            continue
        at = float(np.sqrt(low * high))
        lowest = (float(loss.min()) for loss in inside)
        found.append(Meeting(at, *lowest, *(curve.loss_at(at) for curve in curves)))
    return tuple(found)


def why_withheld(fits: tuple[Fit, Fit], meetings: Sequence[Meeting]) -> str:
    """Say why no verdict may be given, in words; empty where one may.

    Either law does not fit its runs, or one is ahead in the fits where the other's measured losses
    are lower by more than chance.

    Args:
        fits: of A and of B.
        meetings: the computes both share.
    """
    missed = [
        f"{name}'s by {100 * fit.rms:.1f} % RMS"
        for name, fit in zip("AB", fits, strict=True)
        if any(finding.code == NO_FIT for finding in fit.findings)
    ]
    lowest = _lowest_sentence(meetings)
    if missed:
        law = fits[0].law.name
        return f"{law} misses the runs it was fitted to, {' and '.join(missed)}{lowest}"
    noise = float(np.hypot(fits[0].rms, fits[1].rms))
    for name, other, sign in (("A", "B", 1.0), ("B", "A", -1.0)):
        led = [m for m in meetings if m.ahead == name]
        gaps = sign * np.array([m.gap for m in led])
        lead = -sign * np.array([m.fitted_gap for m in led])
        if _contradicts(gaps, lead, noise):
            return (
                f"the fits put {name} ahead at {len(gaps)} of {len(meetings)} shared budgets, and "
                f"there {other}'s lowest measured loss is {100 * np.expm1(gaps.mean()):.2g} % "
                f"below {name}'s on average{lowest}"
            )
    return ""


def _contradicts(gaps: Array, lead: Array, noise: float) -> bool:
    """Whether gaps, positive against the fits' lead, are more than chance."""
    if not len(gaps) or gaps.mean() <= 0 or gaps.mean() + lead.mean() <= CLEAR:
        return False
    if len(gaps) == 1:
        return bool(gaps[0] > 3 * noise)
    if len(gaps) >= 3 and (gaps > 0).all():
        return True
    error = max(float(gaps.std(ddof=1)) / np.sqrt(len(gaps)), 1e-12)
    return bool(stdtr(len(gaps) - 1, -gaps.mean() / error) < CHANCE)


def _lowest_sentence(meetings: Sequence[Meeting]) -> str:
    """Say whose lowest measured losses are lower, and at how many of the shared budgets."""
    if not meetings:
        return "; no budget is common to both tables, so their measured losses cannot decide either"
    by_b = sum(meeting.gap > 0 for meeting in meetings)
    side, count = ("B", by_b) if 2 * by_b >= len(meetings) else ("A", len(meetings) - by_b)
    low, high = (shorten(meetings[k].flops) for k in (0, -1))
    return (
        f"; the lowest loss measured is {side}'s at {count} of {len(meetings)} shared budgets "
        f"({low} to {high})"
    )


def _amounts(table: RunTable, curve: LossCurve) -> tuple[Array, Array]:
    """What every usable run spent, and its loss."""
    law = curve.fit.law
    recorded = [name for name in (*law.variables, law.response) if name in table]
    table, _ = keep_usable(table, tuple(recorded))
    loss = table.numbers(law.response)
    if curve.variable in table:
        spent = table.numbers(curve.variable)
    else:
        spent = 6 * table.numbers("n_params") * table.numbers("n_tokens")
    known = np.isfinite(spent)
    return spent[known], loss[known]


def _groups(spent: Array) -> list[tuple[float, float]]:
    """Ends of the groups between gaps of sorted computes."""
    breaks = np.flatnonzero(np.diff(np.log(spent)) > np.log(SAME_COMPUTE)) + 1
    return [(float(part[0]), float(part[-1])) for part in np.split(spent, breaks)]
