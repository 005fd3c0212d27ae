"""A law held against the largest scales: what the test says, and what no test could have seen."""

from dataclasses import asdict, dataclass

import numpy as np
from scipy.special import stdtr

from isoflop.base.estimate import Estimate, shorten
from isoflop.fitting.objective import Objective
from isoflop.fitting.trials.excess import ALARM, POWER, sure_excess
from isoflop.runs.checks import Finding

FAR = 100.0
"""A smooth break is told by what it is worth at this multiple of the largest scale."""


@dataclass(frozen=True)
class BreakTest:
    """A law held against the largest scales, which it was not fitted to.

    Args:
        law: name of the form.
        column: what scale means, such as `flops`.
        n_fitted: runs fitted.
        n_hidden: runs hidden.
        starts_at: scale between the largest fitted and the smallest hidden, where a break begins.
        largest: largest scale measured.
        excess: mean relative excess of the hidden runs' loss over the prediction.
        stderr: its standard error.
        freedom: residual degrees of freedom, n − p.
        worth: what an excess of one is worth in loss at `FAR` times the largest scale, for a
            break that grows with the square of log(scale / starts_at).
        objective: loss by which the smaller runs were fitted.
        unit: of the loss, such as nats/token.
    """

    law: str
    column: str
    n_fitted: int
    n_hidden: int
    starts_at: float
    largest: float
    excess: Estimate
    stderr: float
    freedom: int
    worth: float
    objective: Objective
    unit: str

    @property
    def statistic(self) -> float:
        """Excess of the log loss in standard errors."""
        return float(np.log1p(self.excess.value) / self.stderr)

    @property
    def p_value(self) -> float:
        """Chance of an excess this large under a law that holds."""
        return float(stdtr(self.freedom, -self.statistic))

    @property
    def two_sided(self) -> float:
        """Chance of an excess this far from zero on either side under a law that holds."""
        return 2 * float(stdtr(self.freedom, -abs(self.statistic)))

    @property
    def pessimistic(self) -> bool:
        """Whether the hidden runs lie below the law by more than chance."""
        return self.statistic < 0 and self.two_sided < ALARM

    @property
    def seen(self) -> bool:
        """Whether the hidden runs lie above the law by more than chance."""
        return self.p_value < ALARM

    @property
    def detectable(self) -> float:
        """Relative excess at the hidden scales that is seen four times in five."""
        return float(np.expm1(sure_excess(self.freedom) * self.stderr))

    @property
    def detectable_far(self) -> float:
        """Loss at `FAR` times the largest scale of a smooth break that is seen as often."""
        return self.worth * self.detectable

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What a reader should know: whether a break was seen, and losses below the law."""
        below = (_below(self),) if self.pessimistic else ()
        return (_break_seen(self) if self.seen else _nothing_seen(self), *below)

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "law": self.law,
            "scale": self.column,
            "n_fitted": self.n_fitted,
            "n_hidden": self.n_hidden,
            "starts_at": self.starts_at,
            "largest": self.largest,
            "loss": asdict(self.objective),
            "sign": "measured − predicted",
            "excess": self.excess.to_dict(),
            "stderr": self.stderr,
            "statistic": self.statistic,
            "p_value": self.p_value,
            "p_two_sided": self.two_sided,
            "seen": self.seen,
            "alarm": ALARM,
            "power": POWER,
            "detectable": self.detectable,
            "detectable_far": {
                "scale": FAR * self.largest,
                "loss": self.detectable_far,
                "loss_unit": self.unit,
            },
            "findings": [finding.to_dict() for finding in self.findings],
        }

    def __str__(self) -> str:
        low, high = (100 * (end or 0.0) for end in (self.excess.low, self.excess.high))
        lines = [
            f"{self.law}, fitted to {self.n_fitted} runs below {shorten(self.starts_at)} "
            f"{self.column} ({self.objective.kind} loss), held against {self.n_hidden} larger ones "
            f"up to {shorten(self.largest)}",
            f"  measured − predicted  {100 * self.excess.value:+.2f} % [{low:+.2f}, {high:+.2f}], "
            f"{100 * self.excess.level:g} % interval of the hidden runs' mean",
            f"  standard error        {100 * self.stderr:.2f} % of that mean",
            f"  p of a break          {self.p_value:.2g}, one-sided; of any difference "
            f"{self.two_sided:.2g}",
            f"  detectable, 4 in 5    {100 * self.detectable:.2g} % at the hidden scales; smooth, "
            f"worth {self.detectable_far:.2g} {self.unit} at {shorten(FAR * self.largest)} "
            f"{self.column}",
        ]
        for finding in self.findings:
            lines.append(f"{finding.severity}: {finding.code}: {finding.evidence}")
            lines.append(f"    {finding.consequence}; {finding.remedy}")
        return "\n".join(lines)


def _break_seen(test: BreakTest) -> Finding:
    return Finding(
        code="break-seen",
        severity="warning",
        evidence=f"{test.n_hidden} runs beyond {shorten(test.starts_at)} {test.column} lie "
        f"{100 * test.excess.value:.2f} % above the {test.law} fitted to the {test.n_fitted} "
        f"smaller ones, {test.statistic:.1f} standard errors (p = {test.p_value:.2g}, one-sided)",
        consequence="the law does not hold at the largest scales: it breaks there, or was never "
        "the right one",
        remedy="try other laws with `isoflop compare`, and plan no further than the runs reach",
    )


def _below(test: BreakTest) -> Finding:
    return Finding(
        code="law-too-pessimistic",
        severity="warning",
        evidence=f"{test.n_hidden} runs beyond {shorten(test.starts_at)} {test.column} lie "
        f"{100 * -test.excess.value:.2f} % below the {test.law} fitted to the smaller ones, "
        f"{-test.statistic:.1f} standard errors (p = {test.two_sided:.2g}, two-sided)",
        consequence="the law is not the right one there, though it errs on the safe side",
        remedy="try other laws with `isoflop compare`; look at the smallest runs, which bend it",
    )


def _nothing_seen(test: BreakTest) -> Finding:
    return Finding(
        code="no-break-seen",
        severity="note",
        evidence=f"no break seen from {shorten(test.starts_at)} {test.column} on "
        f"(p = {test.p_value:.2g}, one-sided); this design sees, four times in five, one that "
        f"lifts the hidden losses by {100 * test.detectable:.2g} %, or a smooth one worth "
        f"{test.detectable_far:.2g} {test.unit} at {shorten(FAR * test.largest)} {test.column}",
        consequence="smaller breaks, and every break that begins beyond the runs, stay unseen",
        remedy="add runs at the largest scales to see smaller ones",
    )
