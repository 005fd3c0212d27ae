"""What every figure is made of: points, lines with a band, and the names of the axes."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.fitting.fit import Fit
from isoflop.fitting.foresight.foresight import predict_loss
from isoflop.runs.table import RunTable

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Points:
    """Measured points.

    Args:
        label: what they are, for the legend and the data file.
        x: (k,) float.
        y: (k,) float.
        colour_by: (k,) float, the amount their colour shows; empty for one colour.
        names: (k,) names of the runs; empty if they have none.
    """

    label: str
    x: Array
    y: Array
    colour_by: Array
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """A line, with a band where its uncertainty is known.

    Args:
        label: what it is, for the legend and the data file.
        x: (k,) float.
        y: (k,) float.
        low: (k,) float lower end of the band; empty for none.
        high: (k,) float upper end of the band; empty for none.
    """

    label: str
    x: Array
    y: Array
    low: Array
    high: Array

    @property
    def has_band(self) -> bool:
        """Whether there is a band to draw."""
        return len(self.low) == len(self.x) > 0


@dataclass(frozen=True)
class AxisLabels:
    """Names of the axes, with units; the caller knows which N and which loss these are.

    Args:
        n_params: of parameters.
        n_tokens: of tokens.
        flops: of compute.
        loss: of the loss.
    """

    n_params: str = "parameters N"
    n_tokens: str = "tokens D"
    flops: str = "training compute C (FLOPs)"
    loss: str = "loss (nats/token)"

    def of(self, column: str) -> str:
        """Return the label of a run-table column; any other column is named as it is.

        >>> AxisLabels().of("steps")
        'steps'
        """
        return dict(vars(self)).get(column, column.replace("_", " "))


NONE: Array = np.zeros(0)
"""No colours, no band."""


def axis_labels(table: RunTable, *, n_params: str = "", n_tokens: str = "") -> AxisLabels:
    """Name the axes for a table, its loss unit read from the table.

    Args:
        table: the runs.
        n_params: which parameters, such as "non-embedding + head".
        n_tokens: what a token is, such as "bytes".

    >>> table = RunTable.from_records([{"loss": 2.0, "loss_unit": "nats/byte"}])
    >>> axis_labels(table, n_tokens="bytes").n_tokens
    'tokens D (bytes)'
    >>> axis_labels(table).loss
    'loss (nats/byte)'
    """
    units = sorted(set(table.text("loss_unit")) - {""}) if "loss_unit" in table else []
    return AxisLabels(
        n_params=f"parameters N ({n_params})" if n_params else "parameters N",
        n_tokens=f"tokens D ({n_tokens})" if n_tokens else "tokens D",
        loss=f"loss ({units[0] if units else 'nats/token'})",
    )


def law_line(fit: Fit, variables: Mapping[str, Array], x: Array, *, label: str) -> Line:
    """Evaluate a fitted law along x, with the band of its mean.

    Args:
        fit: the fit.
        variables: {name: (k,) float}, the law's variables along the line.
        x: (k,) float, the coordinate drawn.
        label: name of the line.
    """
    estimates = predict_loss(fit, variables, future=False)
    y = np.array([estimate.value for estimate in estimates])
    if not len(fit.draws):
        return Line(label, x, y, NONE, NONE)
    low = np.array([np.nan if e.low is None else e.low for e in estimates])
    high = np.array([np.nan if e.high is None else e.high for e in estimates])
    return Line(label, x, y, low, high)


def complete_rows(*columns: Array) -> NDArray[np.bool_]:
    """Return which rows record every column, (n_runs,) bool."""
    return np.asarray(np.isfinite(np.stack(columns)).all(axis=0), dtype=bool)


def widen(values: Array, share: float = 0.06) -> tuple[float, float]:
    """Return the range of positive values, a little wider on both sides in log space.

    >>> low, high = widen(np.array([1.0, 100.0]), 0.5)
    >>> round(low, 6), round(high, 6)
    (0.1, 1000.0)
    """
    finite = values[np.isfinite(values) & (values > 0)]
    low, high = np.log(finite.min()), np.log(finite.max())
    margin = max(share * (high - low), 0.01)
    return float(np.exp(low - margin)), float(np.exp(high + margin))


def flops_per_param_token(table: RunTable) -> float:
    """Read C/(N·D) off the runs, 6 where they do not record their compute.

    >>> flops_per_param_token(RunTable.from_records([{"n_params": 10, "n_tokens": 5, "loss": 2}]))
    6.0
    """
    if not all(name in table for name in ("n_params", "n_tokens", "flops")):
        return 6.0
    ratio = table.numbers("flops") / (table.numbers("n_params") * table.numbers("n_tokens"))
    finite = ratio[np.isfinite(ratio)]
    return float(np.median(finite)) if len(finite) else 6.0


def pick_levels(values: Array, most: int = 5, *, few: int = 8) -> Array:
    """Choose the distinct values if they are few, else `most` from lowest to highest in log.

    >>> pick_levels(np.array([1.0, 10.0, 11.0, 100.0]))
    array([  1.,  10.,  11., 100.])
    >>> pick_levels(np.array([1.0, 10.0, 11.0, 100.0]), most=3, few=3)
    array([  1.,  10., 100.])
    """
    distinct = np.unique(values[np.isfinite(values)])
    if len(distinct) <= few:
        return distinct
    wanted = np.linspace(np.log(distinct[0]), np.log(distinct[-1]), most)
    nearest = np.abs(np.log(distinct)[None, :] - wanted[:, None]).argmin(axis=1)
    return distinct[np.unique(nearest)]


def count_levels(levels: Array, values: Array) -> str:
    """Say how many of the distinct values the levels are, "" if they are all.

    >>> count_levels(np.array([1.0, 3.0]), np.array([1.0, 2.0, 3.0, 3.0]))
    '2 of 3'
    """
    distinct = np.unique(values[np.isfinite(values)])
    return f"{len(levels)} of {len(distinct)}" if len(levels) < len(distinct) else ""
