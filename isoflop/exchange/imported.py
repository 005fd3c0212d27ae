"""What an import did: the table, and everything the user must know of how it came about."""

from dataclasses import dataclass
from typing import Any

from isoflop.exchange.found import Refused
from isoflop.runs.columns import NUMBER_COLUMNS, TEXT_COLUMNS
from isoflop.runs.table import RunTable

MAX_LINES = 10


@dataclass(frozen=True)
class Imported:
    """Runs brought in from elsewhere.

    Args:
        table: the runs; `table.mapping` says which column was read as which.
        format: the format in words.
        rule: how a curve became one value, "" where there were none.
        n_read: rows or points read.
        unit: of `n_read`.
        refused: what was not taken, and why.
        gaps: stretches of a curve without points.
        ends: runs whose points end apart from what their source says of their end.
        notes: what else must be known, in sentences.
    """

    table: RunTable
    format: str
    rule: str
    n_read: int
    unit: str
    refused: tuple[Refused, ...]
    gaps: tuple[str, ...]
    ends: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def n_refused(self) -> int:
        """How many rows or points were not taken."""
        return sum(each.count for each in self.refused)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON object; every list whole."""
        return {
            "format": self.format,
            "n_runs": len(self.table),
            "mapping": dict(self.table.mapping),
            "final": self.rule,
            "read": self.n_read,
            "unit": self.unit,
            "refused": [{"where": r.where, "why": r.why, "count": r.count} for r in self.refused],
            "n_refused": self.n_refused,
            "gaps": list(self.gaps),
            "ends": list(self.ends),
            "notes": list(self.notes),
            "sha256": self.table.sha256(),
        }

    def __str__(self) -> str:
        known = {*NUMBER_COLUMNS, *TEXT_COLUMNS}
        mapping = self.table.mapping
        used = [f"{name} = {mapping[name]!r}" for name in mapping if name in known]
        others = [name for name in mapping if name not in known]
        counted = f"{self.n_read} {self.unit} read, {self.n_refused} refused"
        lines = [
            f"Format   {self.format}",
            f"Read     {counted}; {len(self.table)} runs",
            f"Columns  {', '.join(used) or 'none of the run table'}",
        ]
        if others:
            lines.append(f"Others   {_some(others, 8)}, under their own names")
        if self.rule:
            lines.append(f"Final    {self.rule} of each curve")
        refused = [f"{r.where}: {r.why}" + _counted(r) for r in self.refused]
        for title, each in (("Refused", refused), ("Gap", self.gaps), ("End", self.ends)):
            lines += [f"{title:<9}{line}" for line in each[:MAX_LINES]]
            if len(each) > MAX_LINES:
                lines.append(f"{title:<9}… and {len(each) - MAX_LINES} more; --json lists them all")
        return "\n".join([*lines, *(f"Note     {note}" for note in self.notes)])


def _counted(refused: Refused) -> str:
    return f" ({refused.count} {refused.unit})" if refused.count > 1 and refused.unit else ""


def _some(names: list[str], most: int) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
