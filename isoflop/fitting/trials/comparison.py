"""Laws held against each other: how each did, which is first, and what to know before taking it."""

from dataclasses import dataclass

from isoflop.base.estimate import shorten
from isoflop.fitting.fit import Fit
from isoflop.fitting.trials.criteria import Criteria
from isoflop.fitting.trials.origins import RollingBacktest
from isoflop.runs.checks import Finding

CLOSE = 1.1
"""Ratio of two rolling scores below which the first is no clear winner."""


@dataclass(frozen=True)
class LawScore:
    """How one law did.

    Args:
        fit: to all runs.
        rolling: its foresight from several origins; the headline.
        scale_out: root mean square log miss of the runs of each scale, hidden in turn; None if a
            refit did not converge.
        criteria: information criteria of all runs.
    """

    fit: Fit
    rolling: RollingBacktest
    scale_out: float | None
    criteria: Criteria

    @property
    def law(self) -> str:
        """Name of the form."""
        return self.fit.law.name

    @property
    def determined(self) -> bool:
        """Whether all runs together and those of every origin determine the law."""
        return self.fit.determined and self.rolling.complete

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "law": self.law,
            "form": self.fit.law.form,
            "n_parameters": len(self.fit.theta),
            "determined": self.determined,
            "rolling": self.rolling.to_dict(),
            "scale_out": self.scale_out,
            "aic_c": self.criteria.aic_c,
            "bic": self.criteria.bic,
            "residual_rms": self.fit.rms,
            "params": {name: e.to_dict() for name, e in self.fit.params.items()},
        }


@dataclass(frozen=True)
class Comparison:
    """Laws held against each other.

    Args:
        source: the table.
        n_runs: runs of it.
        column: what scale means.
        n_scales: how many scales there are.
        scores: best foresight first; laws that some origin does not determine come last.
        left_out: (law, reason) of those that could not be fitted.
    """

    source: str
    n_runs: int
    column: str
    n_scales: int
    scores: tuple[LawScore, ...]
    left_out: tuple[tuple[str, str], ...]

    @property
    def best(self) -> LawScore:
        """The law that foresaw best."""
        return self.scores[0]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What a reader should know before taking the first."""
        return (*_judge_winner(self), *self.best.rolling.findings)

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "source": self.source,
            "n_runs": self.n_runs,
            "scale": self.column,
            "n_scales": self.n_scales,
            "headline": "rolling",
            "laws": [score.to_dict() for score in self.scores],
            "left_out": [{"law": name, "reason": why} for name, why in self.left_out],
            "findings": [finding.to_dict() for finding in self.findings],
        }


def _judge_winner(comparison: Comparison) -> list[Finding]:
    findings = []
    best, *others = comparison.scores
    if others and others[0].determined and others[0].rolling.rmsle < CLOSE * best.rolling.rmsle:
        findings.append(_close(best, others[0]))
    describes = min(comparison.scores, key=lambda score: score.criteria.aic_c)
    if describes.law != best.law:
        findings.append(_describes(best, describes))
    return findings


def _close(best: LawScore, second: LawScore) -> Finding:
    return Finding(
        code="no-clear-winner",
        severity="note",
        evidence=f"{best.law} missed by {100 * best.rolling.rmsle:.2f} %, {second.law} by "
        f"{100 * second.rolling.rmsle:.2f} %",
        consequence="these runs do not tell the two apart, and their extrapolations may differ",
        remedy="give both predictions; buy the run on which they differ most",
    )


def _describes(best: LawScore, describes: LawScore) -> Finding:
    gain = best.criteria.aic_c - describes.criteria.aic_c
    return Finding(
        code="best-description-not-best-forecast",
        severity="note",
        evidence=f"AICc prefers {describes.law} by {shorten(gain, digits=2)}, the rolling backtest "
        f"{best.law} ({100 * best.rolling.rmsle:.2f} % against "
        f"{100 * describes.rolling.rmsle:.2f} %)",
        consequence="a law may bend well among the runs and still point the wrong way beyond them",
        remedy="extrapolate with the forecaster, interpolate with the other",
    )
