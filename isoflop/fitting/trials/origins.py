"""The rolling-origin backtest: stand at several scales, fit what is smaller, predict the rest.

The headline score of a law. R² within the runs says how well it bends; this says whether it
foresees (Alabdulmohsin et al. 2022 score laws so).
"""

from dataclasses import dataclass

import numpy as np

from isoflop.base.errors import InputError, IsoflopError
from isoflop.base.estimate import Estimate, shorten
from isoflop.fitting.fit import Fit
from isoflop.fitting.foresight.foresight import find_misfit, predict_loss
from isoflop.fitting.foresight.misfit import Misfit
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.fitting.trials.scales import Scales, find_scales
from isoflop.laws.law import AbstractLaw
from isoflop.runs.checks import Finding, keep_usable
from isoflop.runs.table import RunTable

CONSTANT = "E"
"""The parameter whose drift from origin to origin betrays a law: the irreducible loss."""
DRIFT = 1.5
"""Half-widths of a 90 % interval beyond which it has drifted: 2.5 standard errors."""


@dataclass(frozen=True)
class Origin:
    """One scale that one pretends to stand at.

    Args:
        largest: largest scale fitted.
        n_fitted: runs fitted.
        n_hidden: larger runs, predicted.
        rmsle: root mean square of log measured − log predicted of the hidden runs.
        bias: its mean; positive where they measured above the prediction, the law too optimistic.
        coverage: share of the hidden runs inside their interval, None without intervals.
        constant: the irreducible loss as these runs give it, None for a law without one.
    """

    largest: float
    n_fitted: int
    n_hidden: int
    rmsle: float
    bias: float
    coverage: float | None
    constant: Estimate | None

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        constant = self.constant.to_dict() if self.constant else None
        return {**vars(self), "constant": constant}


@dataclass(frozen=True)
class RollingBacktest:
    """A law's foresight from several origins.

    Args:
        law: name of the form.
        column: what scale means, such as `flops`.
        origins: smallest first.
        failures: (largest scale fitted, why the law could not be) of the other origins.
    """

    law: str
    column: str
    origins: tuple[Origin, ...]
    failures: tuple[tuple[float, str], ...] = ()

    @property
    def complete(self) -> bool:
        """Whether the law could be fitted at every origin."""
        return bool(self.origins) and not self.failures

    @property
    def rmsle(self) -> float:
        """Root mean square of the origins' misses; infinite where none could be fitted."""
        if not self.origins:
            return float("inf")
        return float(np.sqrt(np.mean([origin.rmsle**2 for origin in self.origins])))

    @property
    def coverage(self) -> float | None:
        """Share of all hidden runs inside their interval, each origin's counted."""
        known = [(o.coverage, o.n_hidden) for o in self.origins if o.coverage is not None]
        if not known:
            return None
        return float(np.average([c for c, _ in known], weights=[n for _, n in known]))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """A finding where the irreducible loss drifts with the origin."""
        return tuple(_judge_drift(self))

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "law": self.law,
            "scale": self.column,
            "rmsle": self.rmsle if self.origins else None,
            "coverage": self.coverage,
            "complete": self.complete,
            "origins": [origin.to_dict() for origin in self.origins],
            "failures": [{"largest": scale, "reason": why} for scale, why in self.failures],
        }


def roll_backtest(
    table: RunTable, law: AbstractLaw, spec: FitSpec | None = None
) -> RollingBacktest:
    """Fit the runs below each of several scales and predict all larger ones.

    Origins depend on the table alone, so that laws can be held against each other: the first has
    half of the scales below it, the last all but one.

    Args:
        table: the runs.
        law: the form.
        spec: how to fit; with resamples, the hidden runs' intervals are scored too.

    Raises:
        InputError: one scale only.
    """
    spec = spec or FitSpec()
    signed = (law.response,) if law.residual_scale == "linear" else ()
    table, _ = keep_usable(table, (*law.variables, law.response), signed=signed)
    scales = find_scales(table, law.variables)
    if len(scales) < 2:
        raise InputError(
            f"{table.source}: all runs are of one scale; a backtest hides the largest of several"
        )
    origins, failures = [], []
    for k in range(first_origin(len(scales)), len(scales)):
        below = scales.rows_before(k)
        try:
            shown = table.select(below)
            fit = fit_parametric(shown, law, spec)
            misfit = find_misfit(fit, shown) if len(fit.draws) else None
        except IsoflopError as error:
            failures.append((_edge(scales, k), str(error)))
            continue
        origins.append(_score(fit, misfit, table.select(~below), _edge(scales, k)))
    return RollingBacktest(law.name, scales.column, tuple(origins), tuple(failures))


def first_origin(n_scales: int) -> int:
    """Scales below the first origin: half of them, and two at least where there are three.

    >>> [first_origin(n) for n in (2, 3, 5, 7, 8)]
    [1, 2, 3, 4, 4]
    """
    return max(min(2, n_scales - 1), (n_scales + 1) // 2)


def _edge(scales: Scales, k: int) -> float:
    return float(scales.values[scales.groups[k - 1]].max())


def _score(fit: Fit, misfit: Misfit | None, hidden: RunTable, largest: float) -> Origin:
    """Predict the hidden runs of one origin. A law that overflows there misses infinitely."""
    variables = {name: hidden.numbers(name) for name in fit.law.variables}
    predicted = predict_loss(fit, variables, misfit=misfit)
    measured = hidden.numbers(fit.law.response)
    values = np.array([estimate.value for estimate in predicted])
    with np.errstate(divide="ignore", invalid="ignore"):
        misses = fit.objective.enter(measured) - fit.objective.enter(values)
    misses = np.where(np.isfinite(misses), misses, np.inf)
    bounded = all(e.low is not None and e.high is not None for e in predicted)
    inside = [
        (e.low or 0.0) <= loss <= (e.high or np.inf)
        for e, loss in zip(predicted, measured, strict=True)
    ]
    has_constant = CONSTANT in fit.law.parameter_names and fit.determined
    return Origin(
        largest=largest,
        n_fitted=fit.n_runs,
        n_hidden=len(hidden),
        rmsle=float(np.sqrt(np.mean(misses**2))),
        bias=float(misses.mean()),
        coverage=float(np.mean(inside)) if bounded else None,
        constant=fit.params[CONSTANT] if has_constant else None,
    )


def _judge_drift(rolling: RollingBacktest) -> list[Finding]:
    """Hold each origin's constant, with its interval, against the last origin's."""
    known = [(o.largest, o.constant) for o in rolling.origins if o.constant]
    if len(known) < 2:
        return []
    (_, last), shifts = known[-1], []
    for largest, constant in known[:-1]:
        half = constant.half_width
        if half and abs(constant.value - last.value) > DRIFT * half:
            shifts.append((largest, constant))
    if not shifts:
        return []
    path = ", ".join(f"{shorten(e.value)} below {shorten(c)}" for c, e in known)
    return [
        Finding(
            code="constant-drifts",
            severity="warning",
            evidence=f"the {rolling.law} law's {CONSTANT} depends on where one stands: {path} "
            f"{rolling.column}",
            consequence="it is no constant of the data but of the range fitted, and the loss "
            "extrapolated from it will drift on",
            remedy="trust the rolling backtest's miss rather than the interval; compare laws",
        )
    ]
