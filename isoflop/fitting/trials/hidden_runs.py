"""Runs hidden from a fit: what it predicted of them, and what they measured."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isoflop.base.estimate import Estimate, shorten
from isoflop.fitting.foresight.misfit import Misfit, write_chance
from isoflop.laws.law import Array


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
        plain: (n_hidden,) the predictions with intervals that take the law at its word.
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

    @property
    def misses(self) -> Array:
        """Log predicted − log measured, (n_hidden,); NaN for a response at or below zero."""
        values = np.array([estimate.value for estimate in self.predicted])
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.log(values) - np.log(self.measured)

    @property
    def rms_miss(self) -> float:
        """Root mean square of the misses, relative."""
        return float(np.sqrt(np.mean(self.misses**2)))

    @property
    def coverage(self) -> float:
        """Share of the hidden runs inside their interval."""
        return _cover(self.predicted, self.measured)

    @property
    def mean_log_width(self) -> float | None:
        """Mean of log(high/low) of the intervals, None where one has none."""
        return _mean_log_width(self.predicted)

    @property
    def inside(self) -> bool:
        """Whether the run predicted to be the best measured inside its interval."""
        low, high = self.chosen_predicted.low, self.chosen_predicted.high
        return low is not None and high is not None and low <= self.chosen_measured <= high

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "law": self.law,
            "by": self.by,
            "cut": self.cut,
            "level": self.chosen_predicted.level,
            "n_train": self.n_fitted,
            "n_test": self.n_hidden,
            "coverage": self.coverage,
            "rmsle": self.rms_miss if np.isfinite(self.rms_miss) else None,
            "mean_log_width": self.mean_log_width,
            "law_at_its_word": {
                "coverage": _cover(self.plain, self.measured),
                "mean_log_width": _mean_log_width(self.plain),
            },
            "misfit": self.misfit.to_dict(),
            "hidden_flops": self.hidden_flops if np.isfinite(self.hidden_flops) else None,
            "n_fitted": self.n_fitted,
            "n_hidden": self.n_hidden,
            "chosen_measured": self.chosen_measured,
            "chosen_predicted": self.chosen_predicted.to_dict(),
            "inside": self.inside,
            "rms_miss": self.rms_miss if np.isfinite(self.rms_miss) else None,
            "runs": [
                {"run": name, "measured": float(loss), "predicted": estimate.to_dict()}
                for name, loss, estimate in zip(
                    self.names, self.measured, self.predicted, strict=True
                )
            ],
        }

    def __str__(self) -> str:
        level = f"{100 * self.chosen_predicted.level:g} %"
        misfit = self.misfit
        return "\n".join(
            [
                f"{self.law} fitted to {self.n_fitted} runs, {self.n_hidden} with {self.by} of "
                f"{shorten(self.cut)} or more predicted",
                f"covered    {_describe(self.predicted, self.measured)}, of {level}",
                f"           {_describe(self.plain, self.measured)}, the law taken at its word",
                f"missed by  {100 * self.rms_miss:.2f} % RMS",
                f"law        {'' if misfit.suspected else 'not '}suspected, from the fitted runs "
                "alone; were it right,",
                f"           chance of as large rolling misses {write_chance(misfit.rolling)}, "
                f"of as bent residuals {write_chance(misfit.shape)}, of as many outliers "
                f"{write_chance(misfit.tails)}",
            ]
        )


def _cover(predicted: Sequence[Estimate], measured: Array) -> float:
    """Share of the measurements inside their intervals."""
    inside = [
        e.low is not None and e.high is not None and e.low <= loss <= e.high
        for e, loss in zip(predicted, measured, strict=True)
    ]
    return float(np.mean(inside))


def _mean_log_width(predicted: Sequence[Estimate]) -> float | None:
    low = np.array([np.nan if e.low is None else e.low for e in predicted])
    high = np.array([np.nan if e.high is None else e.high for e in predicted])
    if not ((low > 0) & (high >= low)).all():
        return None
    return float(np.mean(np.log(high / low)))


def _describe(predicted: Sequence[Estimate], measured: Array) -> str:
    width = _mean_log_width(predicted)
    wide = "without a width" if width is None else f"mean log width {width:.3f}"
    return f"{100 * _cover(predicted, measured):3.0f} % by intervals, {wide}"
