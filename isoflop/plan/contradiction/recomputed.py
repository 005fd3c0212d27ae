"""The contradiction under every set of constants that Kaplan and Brown print: a table.

Kaplan et al. 2020, section 6.3, prints one crossing, C* near 1e4 PF-days, N* near 1e12, D* near
1e12 tokens and L* near 1.7, without saying which of its constants went into each. No single set
gives all four.
"""

from dataclasses import dataclass, replace

import numpy as np

from isoflop.base.estimate import shorten
from isoflop.base.units import from_pf_days
from isoflop.laws.published.entry import PublishedLaw, decay_theta
from isoflop.laws.published.kaplan_2020 import L_CMIN, PAPER
from isoflop.plan.contradiction.crossing import Crossing, find_crossing
from isoflop.plan.contradiction.spread import CrossingSpread

Four = tuple[str, str, str, str]

PAPERS_OWN: Four = ("1e4", "1e12", "1e12", "1.7")
"""C* in PF-days, N*, D*, L* of Kaplan 2020, section 6.3."""

L_CMIN_STEEPER = replace(
    L_CMIN,
    name="kaplan-2020-l-cmin-steeper",
    theta=decay_theta(from_pf_days(3.1e8), 0.054),
    source=f"{PAPER}, section 6.4, exponent near .054",
    printed={"C_c_min": 3.1e8, "alpha_C_min": 0.054},
)
"""The exponent that the paper's theory gives, with the scale of Table 5."""

CMIN, CMIN_FIGURE, GPT3 = "kaplan-2020-l-cmin", "kaplan-2020-l-cmin-figure-1", "brown-2020-l-c"
DATA, DATA_TABLE_2 = "kaplan-2020-l-d", "kaplan-2020-l-d-table-2"
SUPPLY, SUPPLY_6_7 = "kaplan-2020-d-opt", "kaplan-2020-d-opt-at-b-crit"

REFERENCE: tuple[tuple[str, str | PublishedLaw, str, str, Four], ...] = (
    ("Table 5, D = 2e10·C^.27", CMIN, DATA, SUPPLY, ("1.12e4", "1.17e12", "2.5e11", "1.67")),
    ("C_c 2.3e8 of Figure 1", CMIN_FIGURE, DATA, SUPPLY, ("6.1e3", "7.5e11", "2.1e11", "1.69")),
    ("D = 4e10·C^.26 of eq. 6.7", CMIN, DATA, SUPPLY_6_7, ("1.06e5", "6.1e12", "8.1e11", "1.49")),
    ("GPT-3's L(C)", GPT3, DATA, SUPPLY, ("5.7e3", "7.2e11", "2.1e11", "1.70")),
    ("GPT-3's L(C), eq. 6.7", GPT3, DATA, SUPPLY_6_7, ("6.8e4", "4.4e12", "7.2e11", "1.51")),
    ("L(D) of Table 2", CMIN, DATA_TABLE_2, SUPPLY, ("2.6e5", "1.2e13", "5.8e11", "1.42")),
    ("alpha_C .054", L_CMIN_STEEPER, DATA, SUPPLY, ("4.7e4", "3.4e12", "3.7e11", "1.61")),
    ("L(C) at fixed batch", "kaplan-2020-l-c", DATA, SUPPLY, ("5.0e2", "1.2e11", "1.1e11", "1.81")),
)
"""(set, compute law, data law, tokens rule, C* N* D* L* of an independent calculation)."""


@dataclass(frozen=True, eq=False)
class RecomputedCrossing:
    """One set of constants: what others have for it, and what it gives.

    Args:
        constants: the set, in words.
        printed: C* in PF-days, N*, D*, L* of an independent calculation, in its digits.
        crossing: ours, with the intervals of rounding.
    """

    constants: str
    printed: Four
    crossing: Crossing

    @property
    def values(self) -> tuple[float, float, float, float]:
        """C* in PF-days, N*, D*, L*."""
        found = self.crossing
        amounts = (found.pf_days, found.n_params, found.n_tokens, found.loss)
        return tuple(amount.value for amount in amounts)  # type: ignore[return-value]

    @property
    def recomputed(self) -> Four:
        """Ours, in as many digits as printed."""
        pairs = zip(self.values, self.printed, strict=True)
        return tuple(write_like(value, text) for value, text in pairs)  # type: ignore[return-value]

    @property
    def agrees(self) -> bool:
        """Whether every digit printed is ours."""
        return self.recomputed == self.printed

    @property
    def from_paper(self) -> tuple[float, ...]:
        """Ours over the four numbers of the paper."""
        return tuple(
            value / float(text) for value, text in zip(self.values, PAPERS_OWN, strict=True)
        )

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        names = ("pf_days", "n_params", "n_tokens", "loss")
        return {
            "constants": self.constants,
            "printed": dict(zip(names, map(float, self.printed), strict=True)),
            "recomputed": dict(zip(names, self.values, strict=True)),
            "agrees": self.agrees,
            "over_kaplan_6_3": dict(zip(names, self.from_paper, strict=True)),
            "crossing": self.crossing.to_dict(),
        }


def recompute_crossings(spread: CrossingSpread | None = None) -> tuple[RecomputedCrossing, ...]:
    """Solve the crossing of every set of constants.

    Args:
        spread: what is uncertain; the rounding of every printed constant by default.

    >>> rows = recompute_crossings(CrossingSpread(rounding="ignored"))
    >>> rows[0].recomputed, all(row.agrees for row in rows)
    (('1.12e4', '1.17e12', '2.5e11', '1.67'), True)
    """
    return tuple(
        RecomputedCrossing(
            name, printed, find_crossing(compute, data, tokens_rule=tokens, spread=spread)
        )
        for name, compute, data, tokens, printed in REFERENCE
    )


def nearest_to_paper(rows: tuple[RecomputedCrossing, ...]) -> tuple[str, float]:
    """Name the set that comes nearest to the paper's four numbers, and its largest factor off."""
    worst = [float(np.exp(np.abs(np.log(row.from_paper)).max())) for row in rows]
    best = int(np.argmin(worst))
    return rows[best].constants, worst[best]


def write_like(value: float, text: str) -> str:
    """Write a number in as many significant digits as another.

    >>> write_like(11189.3, "1.12e4"), write_like(1.6981, "1.70"), write_like(498.6, "5.0e2")
    ('1.12e4', '1.70', '5.0e2')
    """
    mantissa, mark, _ = text.partition("e")
    digits = len(mantissa.replace(".", ""))
    if not mark:
        return shorten(value, digits=digits)
    written, _, power = f"{value:.{digits - 1}e}".partition("e")
    return f"{written}e{int(power)}"
