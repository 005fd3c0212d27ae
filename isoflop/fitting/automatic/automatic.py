"""`--law auto`: continue a curve of one variable without choosing its formula.

Instead of one law, every fading of the local exponent is weighed by what the end of the curve
shows (`isoflop.fitting.automatic.trend`), beside one formula for the whole curve, which is
believed where it foresaw the end (`isoflop.fitting.automatic.formula`). How well that foresees
curves is measured in docs/reproductions/extrapolation.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.special import stdtrit

from isoflop.base.errors import InputError, UnderdeterminedError
from isoflop.base.estimate import LEVEL, Estimate, interval_from_draws
from isoflop.fitting.automatic.curve import Array, Curve, take_curve
from isoflop.fitting.automatic.findings import judge_curve
from isoflop.fitting.automatic.formula import Formula, weigh_formula
from isoflop.fitting.automatic.prediction import Prediction
from isoflop.fitting.automatic.procedure import automatic_procedure
from isoflop.fitting.automatic.trend import DampedTrend, infer_trend
from isoflop.fitting.record import DataRecord
from isoflop.runs.checks import Finding

FREEDOM = 6.0
"""Degrees of freedom of Student's t for the intervals: the curve's end has few points."""

FEWEST_POINTS = 5
"""Distinct values of the variable without which there is nothing to continue."""

N_DRAWS = 4000

_QUIET = np.errstate(over="ignore", invalid="ignore", divide="ignore")
"""Losses that span a hundred decades leave the floats; their intervals are then infinite."""


@dataclass(frozen=True)
class AutomaticFit:
    """A curve and what its end says about how it goes on.

    Args:
        over: name of the variable.
        curve: the points.
        trend: the weighed damped trends of its end.
        formula: a power law above a constant through all of it, None where too little lies
            before the end.
        n_runs: rows fitted, duplicates included.
        data: what was fitted; None for bare arrays.
        findings: what a reader should know.
        level: confidence level of the intervals.
        seed: seed of the draws behind the intervals of the constants.
        procedure: {item of the fit report checklist: how it was}, in words.
    """

    over: str
    curve: Curve
    trend: DampedTrend
    formula: Formula | None
    n_runs: int
    data: DataRecord | None = None
    findings: tuple[Finding, ...] = ()
    level: float = LEVEL
    seed: int = 0
    procedure: Mapping[str, str] = field(default_factory=automatic_procedure)

    method = "auto"
    determined = True

    @property
    def form(self) -> str:
        """What is averaged, in words."""
        return f"damped trend of log loss in log {self.over}, averaged over its damping"

    @property
    def weights(self) -> dict[str, float]:
        """Probability of each form averaged: the formula, and the trend by its damping."""
        share = self.formula.weight if self.formula else 0.0
        trends = {f"damping={k:g}": (1 - share) * w for k, w in self.trend.weights.items()}
        return {"power-constant": share, **trends}

    @property
    def record_variance(self) -> float:
        """Variance of the noise of one new record's log loss."""
        share = self.formula.weight if self.formula else 0.0
        noise = (1 - share) * self.trend.noise + (share * self.formula.noise if self.formula else 0)
        return self.curve.record * noise

    @property
    def residuals(self) -> Array:
        """Log of smooth curve over measured loss at the points of the end, (n,)."""
        end = self.curve.end
        return self._smooth(end.u)[0] - end.y

    @_QUIET
    def _smooth(self, u: Array) -> tuple[Array, Array]:
        """Mean and variance of the noise-free log loss, (n,) each."""
        mean, variance = self.trend.predict(u)
        if self.formula is None:
            return mean, variance
        share, (other, own) = self.formula.weight, self.formula.predict(u)
        centre = (1 - share) * mean + share * other
        apart = share * (1 - share) * (mean - other) ** 2
        return centre, (1 - share) * variance + share * own + apart

    @_QUIET
    def predict(self, x: Array | float, *, level: float | None = None) -> Prediction:
        """Continue the curve.

        Args:
            x: (n,) float, values of the variable, positive; beyond the curve or on its end.
            level: confidence level of the intervals, the fit's own if left out.

        Returns:
            Medians and intervals for one new record each: what is left open of the curve plus
            the noise of a record.

        Raises:
            InputError: a value that is not positive, or lies before the points used.
        """
        level = self.level if level is None else level
        values = np.atleast_1d(np.asarray(x, dtype=np.float64))
        first = self.curve.end.u[0]
        start = float(np.exp(first)) * (1 - 1e-9)
        if not (np.isfinite(values) & (values >= start)).all():
            raise InputError(
                f"the automatic choice continues a curve from {self.over} = {start:.3g}; "
                f"found {np.min(values):.3g}"
            )
        centre, variance = self._smooth(np.maximum(np.log(values), first))
        spread = np.sqrt(variance + self.record_variance)
        half = stdtrit(FREEDOM, (1 + level) / 2) * spread
        return Prediction(np.exp(centre), np.exp(centre - half), np.exp(centre + half), level)

    @property
    @_QUIET
    def params(self) -> dict[str, Estimate]:
        """The local exponent at the end, its damping, and the noise of one record."""
        rng = np.random.default_rng(self.seed)
        draws = -self.trend.slope_draws(N_DRAWS, rng)
        if self.formula is not None:
            exact = rng.random(N_DRAWS) < self.formula.weight
            draws[exact] = -self.formula.slope_draws(int(exact.sum()), rng)
        dampings = np.array(list(self.trend.weights))
        shares = np.array(list(self.trend.weights.values()))
        chosen = rng.choice(dampings, N_DRAWS, p=shares / shares.sum())
        damping = float(np.exp(shares @ np.log(dampings) / shares.sum()))
        return {
            "exponent": interval_from_draws(float(draws.mean()), draws, level=self.level),
            "damping": interval_from_draws(damping, chosen, level=self.level),
            "noise": Estimate(float(np.sqrt(self.record_variance)), level=self.level),
        }

    @property
    def derived(self) -> dict[str, Estimate]:
        """Losses of a record at the end of the curve, at twice and at ten times as much."""
        last = float(np.exp(self.curve.u[-1]))
        found = self.predict(last * np.array([1.0, 2.0, 10.0])).estimates()
        return dict(zip(("loss_end", "loss_x2", "loss_x10"), found, strict=True))

    def to_dict(self) -> dict[str, object]:
        """Return the contract's JSON object, in full precision."""
        curve = self.curve
        return {
            "law": "auto",
            "form": self.form,
            "method": self.method,
            "over": self.over,
            "n_runs": self.n_runs,
            "objective": float(0.5 * self.residuals @ self.residuals),
            "params": {name: e.to_dict() for name, e in self.params.items()},
            "derived": {name: e.to_dict() for name, e in self.derived.items()},
            "weights": dict(self.weights),
            "outcome": "averaged",
            "outcome_sentence": "averaged over every damping, weighed by the end of the curve",
            "findings": [finding.to_dict() for finding in self.findings],
            "level": self.level,
            "seed": self.seed,
            "curve": {
                "u": curve.u.tolist(),
                "y": curve.y.tolist(),
                "noise": curve.noise.tolist(),
                "record": curve.record,
                "n_points": curve.n_points,
                "start": curve.start,
                "stands_for": curve.stands_for,
            },
            "data": None if self.data is None else self.data.to_dict(),
            "procedure": dict(self.procedure),
        }

    def __str__(self) -> str:
        from isoflop.fitting.automatic.card import automatic_card

        return automatic_card(self)


def fit_automatic(
    x: Array, loss: Array, *, over: str = "x", level: float = LEVEL, seed: int = 0
) -> AutomaticFit:
    """Find how a curve goes on, from its end.

    Args:
        x: (n,) float, the variable, positive: tokens, examples, FLOPs, parameters. Any order,
            duplicates are averaged.
        loss: (n,) float, losses or error rates, positive.
        over: name of the variable.
        level: confidence level of the intervals.
        seed: seed of the draws behind the intervals of the constants.

    Raises:
        InputError: values that are not positive, or too few points.
        UnderdeterminedError: x that hardly varies.

    >>> tokens = np.logspace(6, 9, 30)
    >>> fit = fit_automatic(tokens, 20 / tokens**0.1)
    >>> prediction = fit.predict(np.array([2e9]))
    >>> round(float(prediction.value[0]) / (20 / 2e9**0.1), 4)
    1.0
    """
    x, loss = np.asarray(x, dtype=np.float64), np.asarray(loss, dtype=np.float64)
    if x.shape != loss.shape or x.ndim != 1:
        raise InputError(f"a curve is two vectors of one length, found {x.shape} and {loss.shape}")
    if not (np.isfinite(x) & np.isfinite(loss) & (x > 0) & (loss > 0)).all():
        raise InputError(f"{over} and loss of a curve must be positive and finite")
    n_points = len(np.unique(x))
    if n_points < FEWEST_POINTS:
        raise InputError(
            f"a curve of {n_points} distinct values of {over} cannot be continued; at least "
            f"{FEWEST_POINTS} are needed"
        )
    if np.ptp(np.log(x)) < 1e-3:
        raise UnderdeterminedError(f"{over} hardly varies, so nothing says how the loss goes on")
    fit = continue_curve(take_curve(x, loss), over=over, n_runs=len(x), level=level, seed=seed)
    return replace(fit, findings=tuple(judge_curve(fit.curve, fit.params["exponent"])))


@_QUIET
def continue_curve(
    curve: Curve, *, over: str, n_runs: int, level: float = LEVEL, seed: int = 0
) -> AutomaticFit:
    """Weigh trend and formula by a curve that is sorted and joined already."""
    trend = infer_trend(curve.end)
    return AutomaticFit(
        over, curve, trend, weigh_formula(curve, trend), n_runs, level=level, seed=seed
    )
