"""Does the law still hold at the largest scales measured? Hide them, predict them, and test.

A break that begins inside the runs can be seen if it is large enough; the smallest one that this
design would have seen is part of every answer. A break that begins beyond the runs cannot be seen
by anything.

The test is one-sided: the mean log excess of the hidden runs' loss over the prediction, divided
by its standard error from the parameters' covariance and the runs' noise, against Student's t.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from isoflop.base.errors import InputError
from isoflop.base.estimate import Estimate, shorten
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric, pose_problem
from isoflop.fitting.trials.excess import ALARM, POWER, measure_excess, shared_noise, sure_excess
from isoflop.fitting.trials.scales import Scales, find_scales
from isoflop.laws.law import AbstractLaw, Array
from isoflop.runs.checks import Finding, keep_usable
from isoflop.runs.table import RunTable

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

    @property
    def statistic(self) -> float:
        """Excess of the log loss in standard errors."""
        return float(np.log1p(self.excess.value) / self.stderr)

    @property
    def p_value(self) -> float:
        """Chance of an excess this large under a law that holds."""
        return float(stdtr(self.freedom, -self.statistic))

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
        below = (_below(self),) if self.p_value > 1 - ALARM else ()
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
            "excess": self.excess.to_dict(),
            "stderr": self.stderr,
            "statistic": self.statistic,
            "p_value": self.p_value,
            "seen": self.seen,
            "alarm": ALARM,
            "power": POWER,
            "detectable": self.detectable,
            "detectable_far": {"scale": FAR * self.largest, "loss": self.detectable_far},
            "findings": [finding.to_dict() for finding in self.findings],
        }

    def __str__(self) -> str:
        low, high = (100 * (end or 0.0) for end in (self.excess.low, self.excess.high))
        lines = [
            f"{self.law}, fitted to {self.n_fitted} runs below {shorten(self.starts_at)} "
            f"{self.column}, held against {self.n_hidden} larger ones up to "
            f"{shorten(self.largest)}",
            f"  excess of their loss  {100 * self.excess.value:+.2f} % [{low:+.2f}, {high:+.2f}]",
            f"  standard error        {100 * self.stderr:.2f} %",
            f"  p, one-sided          {self.p_value:.2g}",
            f"  detectable, 4 in 5    {100 * self.detectable:.2g} % at the hidden scales; smooth, "
            f"worth {self.detectable_far:.2g} at {shorten(FAR * self.largest)} {self.column}",
        ]
        for finding in self.findings:
            lines.append(f"{finding.severity}: {finding.code}: {finding.evidence}")
            lines.append(f"    {finding.consequence}; {finding.remedy}")
        return "\n".join(lines)


def find_break(table: RunTable, law: AbstractLaw, spec: FitSpec | None = None) -> BreakTest:
    """Fit without the two largest scales and test whether they lie above the law.

    Args:
        table: the runs.
        law: the form.
        spec: starts, level and seed; the loss function is this test's own.

    Raises:
        InputError: fewer than three scales.
        UnderdeterminedError: the smaller scales do not determine the law.
    """
    spec = spec or FitSpec()
    table, _ = keep_usable(table, (*law.variables, law.response))
    scales = find_scales(table, law.variables)
    if len(scales) < 3:
        raise InputError(
            f"{table.source}: runs of {len(scales)} scale{'s' * (len(scales) > 1)}; to test for a "
            "break the largest of three or more are hidden"
        )
    first_hidden = len(scales) - (2 if len(scales) > 3 else 1)
    fitted = scales.rows_before(first_hidden)
    squared = FitSpec(Objective("squared"), 0, n_starts=spec.n_starts, seed=spec.seed)
    start = fit_parametric(table.select(fitted), law, squared).theta
    small = pose_problem(table.select(fitted), law, Objective("squared"))
    large = pose_problem(table.select(~fitted), law, Objective("squared"))
    shared = shared_noise(table, small, start, fitted)
    excess, stderr, theta = measure_excess(small, large, start, shared=shared)
    begins = float(np.exp(np.log(scales.centres[first_hidden - 1 : first_hidden + 1]).mean()))
    freedom = int(fitted.sum()) - len(start)
    reach = stdtrit(freedom, (1 + spec.level) / 2) * stderr
    ends = np.expm1([excess, excess - reach, excess + reach])
    return BreakTest(
        law=law.name,
        column=scales.column,
        n_fitted=int(fitted.sum()),
        n_hidden=int((~fitted).sum()),
        starts_at=begins,
        largest=float(scales.values.max()),
        excess=Estimate(float(ends[0]), float(ends[1]), float(ends[2]), spec.level),
        stderr=stderr,
        freedom=freedom,
        worth=_worth(scales, ~fitted, begins, law.predict(theta, large.variables)),
    )


def _worth(scales: Scales, hidden: np.ndarray, begins: float, predicted: Array) -> float:
    """Loss far beyond the runs per relative excess of the hidden ones, for a quadratic break."""
    depth = np.log10(np.maximum(scales.values[hidden] / begins, 1.0)) ** 2
    far = np.log10(FAR * scales.values.max() / begins) ** 2
    return float(far / np.mean(depth / predicted))


def _break_seen(test: BreakTest) -> Finding:
    return Finding(
        code="break-seen",
        severity="warning",
        evidence=f"{test.n_hidden} runs beyond {shorten(test.starts_at)} {test.column} lie "
        f"{100 * test.excess.value:+.2f} % off the {test.law} fitted to the {test.n_fitted} "
        f"smaller ones, {test.statistic:.1f} standard errors (p = {test.p_value:.2g})",
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
        f"{-test.statistic:.1f} standard errors",
        consequence="the law is not the right one there, though it errs on the safe side",
        remedy="try other laws with `isoflop compare`; look at the smallest runs, which bend it",
    )


def _nothing_seen(test: BreakTest) -> Finding:
    return Finding(
        code="no-break-seen",
        severity="note",
        evidence=f"no break seen from {shorten(test.starts_at)} {test.column} on "
        f"(p = {test.p_value:.2g}); this design sees, four times in five, one that lifts the "
        f"hidden losses by {100 * test.detectable:.2g} %, or a smooth one worth "
        f"{test.detectable_far:.2g} of loss at {shorten(FAR * test.largest)} {test.column}",
        consequence="smaller breaks, and every break that begins beyond the runs, stay unseen",
        remedy="add runs at the largest scales to see smaller ones",
    )
