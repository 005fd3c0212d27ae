"""Hide the later part of a curve, continue it automatically, and count the intervals that hold."""

from dataclasses import dataclass

import numpy as np

from isoflop.base.errors import InputError
from isoflop.base.estimate import shorten
from isoflop.fitting.automatic.automatic import AutomaticFit
from isoflop.fitting.automatic.curve import Array
from isoflop.fitting.automatic.prediction import Prediction
from isoflop.fitting.automatic.table import fit_automatic_table
from isoflop.fitting.parametric import FitSpec
from isoflop.runs.checks import keep_usable
from isoflop.runs.table import RunTable


@dataclass(frozen=True)
class AutomaticBacktest:
    """What the automatic choice foresaw of the hidden part of a curve.

    Args:
        fit: of the rows below the cut.
        cut: lowest value of the variable among the hidden rows, or the value asked for.
        measured: (n_hidden,) losses hidden.
        predicted: their predictions, with intervals for single records.
    """

    fit: AutomaticFit
    cut: float
    measured: Array
    predicted: Prediction

    @property
    def coverage(self) -> float:
        """Share of the hidden rows inside their interval."""
        low, high = self.predicted.low, self.predicted.high
        return float(np.mean((low <= self.measured) & (self.measured <= high)))

    @property
    def rmsle(self) -> float:
        """Root mean squared difference of log loss."""
        return float(np.sqrt(np.mean(np.log(self.predicted.value / self.measured) ** 2)))

    @property
    def mean_log_width(self) -> float:
        """Mean of log(high/low) of the intervals."""
        return float(np.mean(np.log(self.predicted.high / self.predicted.low)))

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "law": "auto",
            "by": self.fit.over,
            "cut": self.cut,
            "level": self.predicted.level,
            "n_train": self.fit.n_runs,
            "n_test": len(self.measured),
            "coverage": self.coverage,
            "rmsle": self.rmsle,
            "mean_log_width": self.mean_log_width,
            "weights": self.fit.weights,
        }

    def __str__(self) -> str:
        return "\n".join(
            [
                f"auto fitted to {self.fit.n_runs} rows, {len(self.measured)} with "
                f"{self.fit.over} of {shorten(self.cut)} or more predicted",
                f"covered    {100 * self.coverage:.0f} % of {100 * self.predicted.level:g} %, "
                f"mean log width {self.mean_log_width:.3f}",
                f"missed by  {100 * self.rmsle:.2f} % RMS",
            ]
        )


def backtest_automatic(
    table: RunTable, over: str | None, *, cut: float | None = None, spec: FitSpec | None = None
) -> AutomaticBacktest:
    """Continue a curve from below a cut and hold the rest against its intervals.

    Args:
        table: the runs or checkpoints.
        over: column of the variable, which is also the one that is cut.
        cut: its lowest value among the hidden rows; half of its largest if left out.
        spec: level and seed.

    Raises:
        InputError: a cut that leaves nothing to fit or nothing to predict.
    """
    if over is None:
        raise InputError("auto is a law of one variable; say which, such as --over n_tokens")
    table, _ = keep_usable(table, (over, "loss"))
    values = table.numbers(over)
    cut = float(values.max() / 2) if cut is None else cut
    hidden = values >= cut
    if hidden.all() or not hidden.any():
        raise InputError(
            f"{table.source}: a cut of {cut:g} leaves {int((~hidden).sum())} rows to fit and "
            f"{int(hidden.sum())} to predict; `{over}` runs from {values.min():.3g} to "
            f"{values.max():.3g}"
        )
    fit = fit_automatic_table(table.select(~hidden), over, spec)
    later = table.select(hidden)
    return AutomaticBacktest(fit, cut, later.numbers("loss"), fit.predict(later.numbers(over)))
