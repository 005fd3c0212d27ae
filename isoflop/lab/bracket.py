"""Find the learning rate of every rung: train a bracket, read its valleys, say what failed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from isoflop.lab.training import run_ladder
from isoflop.runs.brackets.design import bracket_ladder, tuned_ladder
from isoflop.runs.brackets.findings import check_brackets, rate_exponent
from isoflop.runs.brackets.valley import Bracket, read_brackets
from isoflop.runs.finding import Finding
from isoflop.runs.ladders.ladder import Ladder


@dataclass(frozen=True)
class Bracketing:
    """What a bracket of learning rates gave.

    Args:
        brackets: one a rung, in the ladder's order.
        findings: rungs whose best rate lies at an edge.
        exponent: q of η* ∝ N^q over the bracketed rungs, N total parameters; None below two sizes.
        ladder: the ladder with each bracketed rung's own rate; the other rungs get the best tried.
    """

    brackets: tuple[Bracket, ...]
    findings: tuple[Finding, ...]
    exponent: float | None
    ladder: Ladder

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "brackets": [bracket.to_dict() for bracket in self.brackets],
            "exponent": self.exponent,
            "findings": [finding.to_dict() for finding in self.findings],
        }


def bracket_rates(
    ladder: Ladder,
    study_path: Path | str,
    *,
    n_rates: int = 5,
    ratio: float = 2.0,
    at: Literal["shortest", "longest"] = "shortest",
    device: str = "cpu",
    workers: int | None = None,
) -> Bracketing:
    """Try several learning rates on every rung, packed, and take the bottom of each valley.

    Each rung is trained at lr·ratio^k around the recipe's rate, at one of its budgets, every seed
    at every rate as one batched model. L = L* + c·(ln η − ln η*)² goes through the best rate and
    those within a factor 3 of it. A rate at which any seed diverges is marked and takes no part;
    the others go on. Run it again to resume.

    Args:
        ladder: what is to be tuned.
        study_path: folder of the bracket's own study.
        n_rates: rates a rung, odd.
        ratio: from one rate to the next.
        at: the budget at which rates are compared.
        device: `cpu` or `cuda`.
        workers: processes; one a core by default.

    Raises:
        InputError: an impossible bracket, or whatever `run_ladder` refuses.
    """
    tried = bracket_ladder(ladder, n_rates=n_rates, ratio=ratio, at=at)
    study = run_ladder(tried, study_path, device=device, workers=workers)
    order = [rung.name for rung in ladder.rungs]
    found = sorted(read_brackets(study.status()), key=lambda bracket: order.index(bracket.rung))
    rates = {b.rung: float(f"{b.lr:.4g}") for b in found if b.loss is not None}
    return Bracketing(
        brackets=tuple(found),
        findings=tuple(check_brackets(found)),
        exponent=rate_exponent(found),
        ladder=tuned_ladder(ladder, rates),
    )
