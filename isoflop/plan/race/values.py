"""The values of a race between two recipes: exponents, laps, crossing, and what they amount to."""

import math
from dataclasses import dataclass, replace

from isoflop.base.estimate import Estimate, shorten
from isoflop.fitting.fit import Fit
from isoflop.plan.race.minima import Meeting
from isoflop.runs.checks import Finding


@dataclass(frozen=True)
class Exponent:
    """One number of the law in both tables.

    Args:
        name: of the parameter or derived exponent.
        a: in recipe A.
        b: in recipe B.
        difference: B − A.
        p_value: chance of a difference this large between equal recipes; None without draws.
    """

    name: str
    a: Estimate
    b: Estimate
    difference: Estimate
    p_value: float | None

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        estimates = {"a": self.a, "b": self.b, "difference": self.difference}
        return {
            "name": self.name,
            **{name: estimate.to_dict() for name, estimate in estimates.items()},
            "p_value": self.p_value,
        }


@dataclass(frozen=True)
class Lap:
    """The race at one budget.

    Args:
        flops: the budget.
        loss_a: loss of A.
        loss_b: loss of B.
        multiplier: compute A needs for B's loss, over the budget; infinite if A never reaches it.
        low: lower end of its interval, None without draws.
        high: upper end, possibly infinite.
        level: of the interval.
        extrapolated: whether the budget lies outside the runs of either.
    """

    flops: float
    loss_a: Estimate
    loss_b: Estimate
    multiplier: float
    low: float | None
    high: float | None
    level: float
    extrapolated: bool

    @property
    def settled(self) -> bool:
        """Whether the interval excludes equal compute."""
        return self.low is not None and self.high is not None and not self.low <= 1 <= self.high

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object; null for an infinite multiplier, with `unreached`."""
        ends = {"value": self.multiplier, "low": self.low, "high": self.high}
        finite = {k: x if x is not None and math.isfinite(x) else None for k, x in ends.items()}
        return {
            "flops": self.flops,
            "loss_a": self.loss_a.to_dict(),
            "loss_b": self.loss_b.to_dict(),
            "multiplier": {**finite, "level": self.level},
            "unreached": any(x is not None and math.isinf(x) for x in ends.values()),
            "extrapolated": self.extrapolated,
        }

    def __str__(self) -> str:
        """The multiplier with its interval; ∞ where A never reaches B's loss."""
        words = [_amount(x) for x in (self.multiplier, self.low, self.high) if x is not None]
        return f"{words[0]} [{', '.join(words[1:])}]" if len(words) == 3 else words[0]


@dataclass(frozen=True)
class Race:
    """Two recipes held against each other.

    Args:
        a: source of recipe A.
        b: source of recipe B.
        law: name of the form of both.
        variable: what is spent: `flops`, or the law's variable.
        shared: lowest and highest compute at which both have runs.
        exponents: numbers of the law in both.
        laps: one a budget asked for.
        measured: laps where both have runs, whatever was asked for; the verdict rests on these.
        crossing: where the losses are equal, nearest to the runs; None if nowhere near them, or
            if the two are not distinguishable or the verdict is withheld.
        crossing_share: share of the draws that cross at all.
        distinguishable: whether they differ where both were measured, beyond chance; None
            without draws.
        fits: of A and of B.
        fallback: why a law of compute alone stands in for a joint one; None where it does not.
        meetings: the lowest losses measured at the computes both tables share.
        withheld: why no verdict may be given; empty where one may.
    """

    a: str
    b: str
    law: str
    variable: str
    shared: tuple[float, float]
    exponents: tuple[Exponent, ...]
    laps: tuple[Lap, ...]
    measured: tuple[Lap, ...]
    crossing: Estimate | None
    crossing_share: float
    distinguishable: bool | None
    fits: tuple[Fit, Fit]
    fallback: Finding | None = None
    meetings: tuple[Meeting, ...] = ()
    withheld: str = ""

    @property
    def verdict(self) -> str:
        """One sentence."""
        if self.distinguishable is None:
            return "no intervals were asked for, so nothing is said about who wins"
        if not self.measured:
            return "no compute is common to both tables, so no measurement says who wins"
        if self.withheld:
            return f"no verdict: {self.withheld}"
        if not self.distinguishable:
            return "not distinguishable: these runs cannot tell A from B where both were measured"
        better = [lap for lap in self.measured if lap.settled]
        if not better:
            return "A and B differ where both were measured, but at no single budget beyond chance"
        sides = {lap.multiplier > 1 for lap in better}
        if len(sides) == 2:
            return f"the ranking flips inside the runs, at {self.crossing} {self.variable}"
        lap, winner = better[-1], "B" if better[-1].multiplier > 1 else "A"
        other = "A" if winner == "B" else "B"
        times = lap.multiplier if winner == "B" else 1 / lap.multiplier
        return (
            f"{winner} wins: at {shorten(lap.flops)} {self.variable} {other} spends "
            f"{_amount(times)}× for the same loss"
        )

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What a reader should know before choosing."""
        of_fits = (
            replace(finding, evidence=f"{name}: {finding.evidence}")
            for name, fit in zip("AB", self.fits, strict=True)
            for finding in fit.findings
        )
        return (*_judge(self), *of_fits)

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "a": _side(self.a, self.fits[0]),
            "b": _side(self.b, self.fits[1]),
            "law": self.law,
            "over": self.variable,
            "shared": list(self.shared),
            "exponents": [exponent.to_dict() for exponent in self.exponents],
            "laps": [lap.to_dict() for lap in self.laps],
            "measured": [lap.to_dict() for lap in self.measured],
            "crossing": self.crossing.to_dict() if self.crossing else None,
            "crossing_share": self.crossing_share,
            "distinguishable": self.distinguishable,
            "lowest_measured": [meeting.to_dict() for meeting in self.meetings],
            "withheld": self.withheld,
            "verdict": self.verdict,
            "findings": [finding.to_dict() for finding in self.findings],
        }


def _side(source: str, fit: Fit) -> dict[str, object]:
    return {
        "source": source,
        "n_runs": fit.n_runs,
        "params": {name: e.to_dict() for name, e in fit.params.items()},
        "residual_rms": fit.rms,
    }


def _judge(race: Race) -> list[Finding]:
    findings = [race.fallback] if race.fallback else []
    if race.withheld:
        findings.append(_withheld(race))
    elif race.distinguishable is False:
        findings.append(
            Finding(
                code="not-distinguishable",
                severity="note",
                evidence=f"between {shorten(race.shared[0])} and {shorten(race.shared[1])} "
                f"{race.variable} the two losses differ by no more than chance",
                consequence="neither recipe may be called better, at any scale",
                remedy="add runs, seeds or larger scales to both",
            )
        )
    if race.shared[0] > race.shared[1]:
        findings.append(
            Finding(
                code="no-shared-scale",
                severity="warning",
                evidence="the two tables have no range of compute in common",
                consequence="the whole race is an extrapolation of one of them",
                remedy="train both at some of the same budgets",
            )
        )
    crossing = race.crossing
    if crossing and crossing.low is not None and race.distinguishable:
        findings.append(
            Finding(
                code="ranking-flips",
                severity="warning",
                evidence=f"the losses cross at {crossing} {race.variable}",
                consequence="who wins at a small scale loses at a large one",
                remedy="choose by the scale you will train at",
            )
        )
    return findings


def _withheld(race: Race) -> Finding:
    return Finding(
        code="no-verdict",
        severity="warning",
        evidence=race.withheld,
        consequence="losses, multipliers and a crossing by these fits name no winner",
        remedy="race the lowest losses measured at equal budgets, or with a --law that fits both",
    )


def _amount(value: float) -> str:
    return "∞" if math.isinf(value) else shorten(value)
