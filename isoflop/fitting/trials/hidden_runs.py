"""Runs hidden from a fit: what it predicted of them, and what they measured."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isoflop.base.estimate import Estimate, shorten
from isoflop.fitting.foresight.misfit import Misfit, write_chance
from isoflop.fitting.trials.missed import is_inside, judge_count
from isoflop.laws.law import Array
from isoflop.runs.checks import Finding

MOST_SHOWN = 10
"""Hidden runs printed; all are in the JSON document."""
NO_INTERVALS = "no run has an interval (none asked for, or none the fitted runs determine)"
"""What is said where nothing can be inside."""


@dataclass(frozen=True)
class Backtest:
    """A law's prediction of runs it has not seen.

    Args:
        law: name of the form.
        by: column the hidden runs are largest in.
        cut: its lowest value among the hidden runs, or the value asked for.
        hidden_flops: compute of the hidden runs (geometric mean), NaN where it is not known.
        n_fitted: runs fitted.
        n_hidden: runs hidden.
        names: (n_hidden,) names of the hidden runs.
        n_params: (n_hidden,) their parameters.
        n_tokens: (n_hidden,) their tokens.
        measured: (n_hidden,) their measured loss.
        predicted: (n_hidden,) their predicted loss, with intervals for one future run.
        chosen_predicted: lowest predicted loss among them, with its interval: the run one would
            have trained.
        chosen_measured: what that run measured (the mean over its seeds). Not the lowest measured
            loss, which is the luckiest.
        misfit: what the fitted runs said about the law before the others were seen.
        plain: (n_hidden,) the predictions with intervals that take the law at its word: no error
            of its own, and for noise the residuals of the runs that had a say in the fit.
        scale: (n_hidden,) their values of `by`.
        noise: (n_hidden,) standard deviation of a single run, relative to its prediction.
    """

    law: str
    by: str
    cut: float
    hidden_flops: float
    n_fitted: int
    n_hidden: int
    names: tuple[str, ...]
    n_params: Array
    n_tokens: Array
    measured: Array
    predicted: tuple[Estimate, ...]
    chosen_measured: float
    chosen_predicted: Estimate
    misfit: Misfit
    plain: tuple[Estimate, ...]
    scale: Array
    noise: Array

    @property
    def misses(self) -> Array:
        """Log measured − log predicted, (n_hidden,); NaN for a response at or below zero.

        Positive where the run measured above the prediction: the law was too optimistic.
        """
        values = np.array([estimate.value for estimate in self.predicted])
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.log(self.measured) - np.log(values)

    @property
    def median_miss(self) -> float:
        """Median of the misses, with their sign; positive where the law was too optimistic."""
        return float(np.median(self.misses))

    @property
    def rms_miss(self) -> float:
        """Root mean square of the misses, relative."""
        return float(np.sqrt(np.mean(self.misses**2)))

    @property
    def coverage(self) -> float:
        """Share of the hidden runs inside their interval."""
        return _cover(self.predicted, self.measured)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """A warning where the intervals held too few of the hidden runs to be chance."""
        return tuple(
            judge_count(self.predicted, self.measured, noise=self.noise, sizes=self.n_params)
        )

    @property
    def mean_log_width(self) -> float | None:
        """Mean of log(high/low) of the intervals, None where one has none."""
        return _mean_log_width(self.predicted)

    @property
    def has_intervals(self) -> bool:
        """Whether any hidden run has an interval: none was asked for, or none is determined."""
        return any(e.low is not None and e.high is not None for e in self.predicted)

    @property
    def inside(self) -> bool:
        """Whether the run predicted to be the best measured inside its interval."""
        return find_side(self.chosen_measured, self.chosen_predicted) == "inside"

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object; `coverage` and `inside` are null without intervals."""
        side = find_side(self.chosen_measured, self.chosen_predicted)
        return {
            "law": self.law,
            "by": self.by,
            "cut": self.cut,
            "level": self.chosen_predicted.level,
            "n_train": self.n_fitted,
            "n_test": self.n_hidden,
            "coverage": self.coverage if self.has_intervals else None,
            "rmsle": _finite(self.rms_miss),
            "median_log_miss": _finite(self.median_miss),
            "mean_log_width": self.mean_log_width,
            "median_log_width": _median_log_width(self.predicted),
            "law_at_its_word": {
                "coverage": _cover(self.plain, self.measured) if self.has_intervals else None,
                "median_log_width": _median_log_width(self.plain),
            },
            "misfit": self.misfit.to_dict(),
            "hidden_flops": _finite(self.hidden_flops),
            "chosen_measured": self.chosen_measured,
            "chosen_predicted": self.chosen_predicted.to_dict(),
            "inside": None if side == "no interval" else side == "inside",
            "runs": [
                {"run": name, "measured": float(loss), "predicted": e.to_dict(), "inside": held}
                for name, loss, e, held in self._rows()
            ],
            "findings": [finding.to_dict() for finding in self.findings],
        }

    def _rows(self) -> list[tuple[str, float, Estimate, bool]]:
        """Name, measurement, prediction and whether it held, of every hidden run."""
        held = is_inside(self.predicted, self.measured)
        return list(zip(self.names, self.measured.tolist(), self.predicted, held, strict=True))

    def __str__(self) -> str:
        level, misfit = f"{100 * self.chosen_predicted.level:g} %", self.misfit
        return "\n".join(
            [
                f"{self.law} fitted to {self.n_fitted} runs, {self.n_hidden} with {self.by} of "
                f"{shorten(self.cut)} or more predicted",
                f"covered    {_describe(self.predicted, self.measured)} of {level} for a single "
                f"run, {_wide(_median_log_width(self.predicted))}",
                f"           {_describe(self.plain, self.measured)}, the law taken at its word, "
                f"{_wide(_median_log_width(self.plain))}",
                f"missed by  {100 * self.rms_miss:.2f} % RMS, median {_signed(self.median_miss)}",
                f"law        {'' if misfit.suspected else 'not '}suspected, from the fitted runs "
                "alone; were it right,",
                f"           chance of as large rolling misses {write_chance(misfit.rolling)}, "
                f"of as bent residuals {write_chance(misfit.shape)}, of as many outliers "
                f"{write_chance(misfit.tails)}",
                *self._table(level),
                *(f"{f.severity}: {f.code}: {f.evidence}\n    {f.consequence}; {f.remedy}"
                  for f in self.findings),
            ]
        )  # fmt: skip

    def _table(self, level: str) -> list[str]:
        """The largest hidden runs, largest first."""
        order = np.argsort(-self.scale, kind="stable")[:MOST_SHOWN]
        rows = self._rows()
        name_width = max(len("run"), *(len(self.names[k]) for k in order))
        left_out = len(rows) - len(order)
        lines = [
            f"{'run':{name_width}}  {self.by:>10}  measured  predicted [{level} for a single run]"
        ]
        for k in order:
            name, measured, predicted, _ = rows[k]
            lines.append(
                f"{name:{name_width}}  {shorten(float(self.scale[k])):>10}  "
                f"{shorten(measured, digits=4):>8}  {predicted}  "
                f"{find_side(measured, predicted)}"
            )
        return lines + ([f"and {left_out} smaller ones, see --json"] if left_out else [])


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _signed(miss: float) -> str:
    """Write a median log miss in per cent, and which side of the prediction it means."""
    share = 100 * float(np.expm1(miss))
    side = "above" if share > 0 else "below"
    return f"{share:+.2f} % (measured {side} the prediction)"


def find_side(measured: float, predicted: Estimate) -> str:
    """Return where a measurement lies: `inside`, `above`, `below`, or `no interval`.

    >>> find_side(2.0, Estimate(2.1, 1.9, 2.3)), find_side(2.0, Estimate(2.1))
    ('inside', 'no interval')
    """
    if predicted.low is None or predicted.high is None:
        return "no interval"
    if predicted.low <= measured <= predicted.high:
        return "inside"
    return "above" if measured > predicted.high else "below"


def _cover(predicted: Sequence[Estimate], measured: Array) -> float:
    """Share of the measurements inside their intervals."""
    return float(np.mean(is_inside(predicted, measured)))


def _log_widths(predicted: Sequence[Estimate]) -> Array | None:
    """Log of high over low, (n,); None where some interval is unknown or not positive."""
    low = np.array([np.nan if e.low is None else e.low for e in predicted])
    high = np.array([np.nan if e.high is None else e.high for e in predicted])
    return np.log(high / low) if ((low > 0) & (high >= low)).all() else None


def _mean_log_width(predicted: Sequence[Estimate]) -> float | None:
    widths = _log_widths(predicted)
    return None if widths is None else float(widths.mean())


def _median_log_width(predicted: Sequence[Estimate]) -> float | None:
    widths = _log_widths(predicted)
    return None if widths is None else float(np.median(widths))


def _wide(width: float | None) -> str:
    """The median of log(high/low), by which one wild interval cannot speak for all."""
    return "without a width" if width is None else f"median log width {width:.3f}"


def _describe(predicted: Sequence[Estimate], measured: Array) -> str:
    inside = is_inside(predicted, measured)
    unknown = sum(e.low is None or e.high is None for e in predicted)
    if unknown == len(predicted):
        return f"{NO_INTERVALS}, instead"
    return f"{sum(inside)} of {len(inside)} ({100 * np.mean(inside):.0f} %) inside intervals"
