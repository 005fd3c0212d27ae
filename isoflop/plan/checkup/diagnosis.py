"""A diagnosis: a finding with its numbers, the rows concerned and what it does to the plan.

Legend: C FLOPs, N parameters; a exponent of N* ∝ C^a.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from isoflop.base.estimate import shorten
from isoflop.runs.finding import Severity

PAGE = "docs/check/README.md"
NOTHING = 0.005
"""Changes of N* below half a per cent are called none."""


@dataclass(frozen=True)
class Shift:
    """What a fault does to the answer: the exponent and N* with it, and without.

    Args:
        exponent: a as the runs give it.
        corrected: a once the fault is taken out.
        n_params: N* at `flops` as the runs give it.
        n_corrected: N* there once the fault is taken out.
        flops: the target.
        waste: share of the target's compute lost by training `n_params`, 0 to 1.
    """

    exponent: float
    corrected: float
    n_params: float
    n_corrected: float
    flops: float
    waste: float

    @property
    def ratio(self) -> float:
        """N* as the runs give it over N* without the fault."""
        return self.n_params / self.n_corrected

    @property
    def wasted(self) -> str:
        """The waste in words.

        >>> Shift(0.5, 0.5, 1e9, 1e6, 1e21, 0.999).wasted
        'more than 99 % of the compute'
        """
        share = f"{100 * self.waste:.2g}" if self.waste < 0.99 else "more than 99"
        return f"{share} % of the compute"

    def to_dict(self) -> dict[str, float]:
        """Return a JSON object."""
        return {**vars(self), "ratio": self.ratio}

    def __str__(self) -> str:
        at = f"at {shorten(self.flops)} FLOPs"
        if abs(self.ratio - 1) < NOTHING and abs(self.exponent - self.corrected) < NOTHING / 5:
            return f"none to speak of: a {self.exponent:.4f} either way, N* {at} within .5 %"
        return (
            f"a is {self.exponent:.3f} with it and {self.corrected:.3f} without; N* {at} is "
            f"{shorten(self.ratio)} times what it should be, which wastes {self.wasted}"
        )


@dataclass(frozen=True)
class Diagnosis:
    """One thing found in a run table.

    Args:
        code: stable name, kebab-case; the anchor of its section in the documentation.
        severity: note, warning or error.
        evidence: what was measured, in numbers.
        consequence: what it does to the answer.
        remedy: what to do.
        rows: 1-based rows of the runs concerned, in the source; none where it is all of them.
        runs: their names, one a row.
        numbers: {name: value} behind the evidence.
        shift: the answer with and without the fault, where that can be estimated.
    """

    code: str
    severity: Severity
    evidence: str
    consequence: str
    remedy: str
    rows: tuple[int, ...] = ()
    runs: tuple[str, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)
    shift: Shift | None = None

    @property
    def docs(self) -> str:
        """Where the documentation speaks of it."""
        return f"{PAGE}#{self.code}"

    def to_dict(self) -> dict[str, object]:
        """Return the contract's JSON object."""
        return {
            "code": self.code,
            "severity": self.severity,
            "evidence": self.evidence,
            "consequence": self.consequence,
            "remedy": self.remedy,
            "runs": list(self.runs),
            "rows": list(self.rows),
            "numbers": dict(self.numbers),
            "shift": self.shift.to_dict() if self.shift else None,
            "docs": self.docs,
        }
