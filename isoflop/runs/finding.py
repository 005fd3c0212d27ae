"""A finding: what would have ruined the fit, with evidence, consequence and remedy."""

from dataclasses import asdict, dataclass
from typing import Literal

Severity = Literal["note", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """One thing a careful reader should know before believing the fit.

    Args:
        code: stable name, kebab-case.
        severity: note, warning or error.
        evidence: what was measured, in numbers.
        consequence: what it does to the answer.
        remedy: what to do.
        runs: names of the runs concerned.
    """

    code: str
    severity: Severity
    evidence: str
    consequence: str
    remedy: str
    runs: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return the contract's JSON object."""
        return {**asdict(self), "runs": list(self.runs)}
