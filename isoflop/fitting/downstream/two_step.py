"""Accuracy of a run not yet trained, in two steps: loss from scale, accuracy from loss.

An accuracy that small runs hardly leave zero says nothing about large ones, while the loss below
it falls all along: predict the loss, then map it, and let both uncertainties through.

Legend: L loss, Acc accuracy or error, z normal quantile.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from isoflop.base.errors import InputError
from isoflop.base.estimate import Estimate
from isoflop.fitting.fit import Fit
from isoflop.fitting.foresight.foresight import predict_loss
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.fitting.solve.solver import Array
from isoflop.laws.law import AbstractLaw
from isoflop.runs.checks import Finding
from isoflop.runs.table import RunTable

SHARES = ("accuracy", "error", "error_upstream")
"""Responses that lie between 0 and 1."""
MANY_AT_FLOOR = 0.2
"""Share of accuracies of exactly zero from which a curve through them cannot be trusted."""
NODES = 101
"""Losses, and accuracies at each loss, that stand for a predictive distribution."""


@dataclass(frozen=True)
class TwoStep:
    """A law of loss and a map of the loss.

    Args:
        loss: the loss as a function of scale.
        mapped: accuracy or error as a function of the loss.
        findings: how many of the accuracies say nothing.
    """

    loss: Fit
    mapped: Fit
    findings: tuple[Finding, ...] = ()


def fit_two_step(
    table: RunTable,
    loss_law: AbstractLaw,
    map_law: AbstractLaw,
    *,
    mapped: RunTable | None = None,
    n_questions: int | None = None,
    spec: FitSpec | None = None,
) -> TwoStep:
    """Fit a loss law to the runs, and the map from loss to accuracy to those that were evaluated.

    Args:
        table: runs with the loss and the variables of its law.
        loss_law: law of the loss.
        map_law: law over `loss`, such as `AccuracySigmoidLaw` or `ErrorLaw`.
        mapped: runs with the loss and the map's response; those of `table` that record it if
            left out.
        n_questions: questions an accuracy is the share of, for the finding about zeros.
        spec: how to fit both.

    Raises:
        InputError: a map of something other than the loss, or no run with its response.

    >>> from isoflop.laws.downstream import AccuracyExponentialLaw
    >>> from isoflop.laws.power import PowerLaw
    >>> C = np.logspace(18, 21, 8)
    >>> rows = [{"flops": c, "loss": (1e26 / c) ** 0.05} for c in C]
    >>> rows = [{**row, "accuracy": np.exp(-2 * row["loss"])} for row in rows]
    >>> laws = PowerLaw("flops"), AccuracyExponentialLaw()
    >>> both = fit_two_step(RunTable.from_records(rows), *laws)
    >>> round(predict_two_step(both, {"flops": np.array([1e26])})[0].value, 6)
    0.135335
    """
    if map_law.variables != ("loss",):
        raise InputError(
            f"{map_law.name} is a law of {', '.join(map_law.variables)}; the second step maps the "
            "loss: accuracy-sigmoid, accuracy-exponential or error"
        )
    evaluated = _recorded(table if mapped is None else mapped, map_law.response)
    return TwoStep(
        loss=fit_parametric(table, loss_law, spec),
        mapped=fit_parametric(evaluated, map_law, spec),
        findings=tuple(check_floor(evaluated, map_law.response, n_questions)),
    )


def predict_two_step(
    fit: TwoStep,
    variables: Mapping[str, Array],
    *,
    future: bool = True,
    n_questions: int | None = None,
) -> list[Estimate]:
    """Predict accuracies, with intervals that hold the uncertainty of both steps.

    The predicted loss is represented by `NODES` quantiles of a two-piece normal distribution on log
    loss, each mapped to as many quantiles of the accuracy there.

    Args:
        fit: from `fit_two_step`.
        variables: {name: (n,) float}, of the loss law.
        future: for one future run; else for the mean of many.
        n_questions: take the map's noise to be that of so many questions, p(1 - p)/n, instead of
            the scatter of the fitted runs, most of which may lie where there is none.

    Returns:
        n estimates of the map's response.
    """
    losses = predict_loss(fit.loss, variables, future=future)
    return [_map_loss(fit, loss, future, n_questions) for loss in losses]


def check_floor(table: RunTable, response: str, n_questions: int | None = None) -> list[Finding]:
    """Report how many runs have an accuracy of exactly zero, or an error of one.

    Args:
        table: runs.
        response: `accuracy` or `error`; other columns have no floor.
        n_questions: questions an accuracy is the share of.
    """
    if response not in ("accuracy", "error"):
        return []
    values = table.numbers(response)
    count = int(np.sum(values == (0.0 if response == "accuracy" else 1.0)))
    if count < MANY_AT_FLOOR * len(values):
        return []
    unseen = ""
    if n_questions is not None:  # a share p is missed n times with chance (1 - p)^n, 5 % at p = 3/n
        unseen = f"; 0 of {n_questions} is anything below {3 / n_questions:.1%}"
    return [
        Finding(
            code="accuracy-at-floor",
            severity="warning",
            evidence=f"{count} of {len(values)} runs solve no question at all{unseen}",
            consequence="their accuracies say nothing about larger runs; their losses do",
            remedy="predict the loss and map it; never extrapolate the accuracy itself",
        )
    ]


def _recorded(table: RunTable, response: str) -> RunTable:
    """Runs that record a response and a loss."""
    missing = [name for name in ("loss", response) if name not in table]
    if missing:
        raise InputError(f"{table.source}: no column `{missing[0]}` to map the loss with")
    known = np.isfinite(table.numbers(response)) & np.isfinite(table.numbers("loss"))
    if not known.any():
        raise InputError(f"{table.source}: no run records both its loss and its {response}")
    return table if known.all() else table.select(known)


def _map_loss(fit: TwoStep, loss: Estimate, future: bool, n_questions: int | None) -> Estimate:
    """Carry one predicted loss through the map."""
    nodes = np.append(np.exp(_quantiles(loss, log=True)), loss.value)
    scatter = future and n_questions is None
    mapped = predict_loss(fit.mapped, {"loss": nodes}, future=scatter)
    value, level = mapped[-1].value, loss.level
    if loss.low is None or mapped[-1].low is None:
        return Estimate(_within(fit, value), level=level)
    values = np.array([_quantiles(estimate, log=False) for estimate in mapped[:-1]])
    if future and n_questions is not None:
        values = values + _binomial(values, n_questions)
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    ends = (_within(fit, float(min(low, value))), _within(fit, float(max(high, value))))
    return Estimate(_within(fit, value), *ends, level)


def _quantiles(estimate: Estimate, *, log: bool) -> Array:
    """Equally likely values of a two-piece normal with the estimate's interval, (NODES,)."""
    value, low, high = estimate.value, estimate.low, estimate.high
    low, high = (value if end is None else end for end in (low, high))
    if log:
        value, low, high = np.log([value, low, high])
    z = ndtri((np.arange(NODES) + 0.5) / NODES) / ndtri((1 + estimate.level) / 2)
    return value + np.where(z > 0, z * (high - value), z * (value - low))


def _binomial(values: Array, n_questions: int) -> Array:
    """Deviations of shares of n questions at each value, in an order unrelated to the values'."""
    p = np.clip(values, 0.0, 1.0)
    z = np.random.default_rng(0).permuted(ndtri((np.arange(p.size) + 0.5) / p.size))
    return z.reshape(p.shape) * np.sqrt(p * (1 - p) / n_questions)


def _within(fit: TwoStep, value: float) -> float:
    """Bring a share into 0 to 1."""
    return float(np.clip(value, 0.0, 1.0)) if fit.mapped.law.response in SHARES else value
