"""What a fit keeps of its data: fingerprint, ranges, the count it is stated in, its scales."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from isoflop.fitting.best_losses import best_losses
from isoflop.fitting.definitions import define_columns
from isoflop.fitting.solve.solver import Array
from isoflop.laws.law import AbstractLaw
from isoflop.runs.columns import NUMBER_COLUMNS
from isoflop.runs.cost import fit_cost
from isoflop.runs.table import RunTable

SAME_SIZE = 0.005
"""Relative difference up to which two amounts are one: digits lost to a figure or a format."""
MOST_SCALES = 12
"""Decades shown at most; more are joined."""


@dataclass(frozen=True)
class DataRecord:
    """What a fit was fitted to.

    Args:
        sha256: fingerprint of the rows and columns used, after exclusions.
        source: file or study.
        n_rows: rows used.
        mapping: {column: name in the source}.
        notes: what was derived or left out.
        ranges: {column: (lowest, highest)} of every variable and the loss.
        loss_unit: unit of the loss.
        cost_per_root: c of C/D = 6N + c·sqrt(N) as the runs spent it, 0 for C = 6ND.
        best: (compute, loss) of the runs better than all of less compute; empty where compute is
            not known, or the fit is not one of losses.
        definitions: {N, D, C or eval set: what it is}, as far as the table tells.
    """

    sha256: str
    source: str
    n_rows: int
    mapping: Mapping[str, str]
    notes: tuple[str, ...]
    ranges: Mapping[str, tuple[float, float]]
    loss_unit: str = "nats/token"
    cost_per_root: float = 0.0
    best: tuple[tuple[float, float], ...] = ()
    definitions: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "sha256": self.sha256,
            "source": self.source,
            "n_rows": self.n_rows,
            "mapping": dict(self.mapping),
            "notes": list(self.notes),
            "ranges": {name: list(ends) for name, ends in self.ranges.items()},
            "loss_unit": self.loss_unit,
            "cost_per_root": self.cost_per_root,
            "best": [list(step) for step in self.best],
            "definitions": dict(self.definitions),
        }


@dataclass(frozen=True)
class ScaleResiduals:
    """Residuals of the runs of one scale.

    Args:
        low: smallest compute of the runs, or smallest value of the law's first variable.
        high: largest.
        n_runs: runs.
        mean: their mean residual: a law that bends away shows here first.
        rms: their root mean square.
    """

    low: float
    high: float
    n_runs: int
    mean: float
    rms: float


def record_data(table: RunTable, columns: tuple[str, ...]) -> DataRecord:
    """Fingerprint the rows and columns a fit used."""
    flops = _run_flops(table)
    amounts = {name: table.numbers(name) for name in columns}
    amounts |= {} if flops is None else {"flops": flops}
    ranges = {name: (float(values.min()), float(values.max())) for name, values in amounts.items()}
    units = sorted(set(table.text("loss_unit")) - {""}) if "loss_unit" in table else []
    return DataRecord(
        sha256=table.sha256((*columns, *(() if flops is None else ("flops",)))),
        source=table.source,
        n_rows=len(table),
        mapping={name: table.mapping.get(name, "derived") for name in columns},
        notes=table.notes,
        ranges=ranges,
        loss_unit=units[0] if units else "nats/token (assumed)",
        cost_per_root=fit_cost(table).per_root,
        best=() if flops is None or "loss" not in columns else best_losses(flops, amounts["loss"]),
        definitions=define_columns(table),
    )


def _run_flops(table: RunTable) -> Array | None:
    """Compute of every run: as recorded, else 6ND; None where neither is known."""
    known = None
    if "flops" in table:
        known = table.numbers("flops")
    elif "n_params" in table and "n_tokens" in table:
        known = 6 * table.numbers("n_params") * table.numbers("n_tokens")
    return known if known is not None and np.isfinite(known).all() else None


def describe_convention(table: RunTable) -> str:
    """Say which N the fit is stated in, as far as the table tells."""
    if "n_params" not in table:
        return "no parameter count used"
    return f"N as in column `{table.mapping.get('n_params', 'n_params')}`"


def label_groups(table: RunTable, column: str) -> list[str]:
    """Label each run by its value in a column; amounts read off a figure are joined when alike.

    Args:
        table: the runs.
        column: any column; numbers closer than half a per cent count as one.

    >>> rows = [{"n_params": n, "loss": 3.0} for n in (1e8, 2e8, 1.0001e8)]
    >>> label_groups(RunTable.from_records(rows), "n_params")
    ['1.0000e+08', '2.0000e+08', '1.0000e+08']
    """
    if column not in NUMBER_COLUMNS:
        return table.text(column)
    values = table.numbers(column)
    if not (values > 0).all():
        return table.text(column)
    order = np.argsort(values, kind="stable")
    apart = np.diff(np.log(values[order]), prepend=-np.inf) > SAME_SIZE
    firsts = values[order][apart][np.cumsum(apart) - 1]
    labels = np.empty(len(values), dtype=object)
    labels[order] = [f"{value:.4e}" for value in firsts]
    return [str(label) for label in labels]


def split_scales(table: RunTable, law: AbstractLaw, residuals: Array) -> tuple[ScaleResiduals, ...]:
    """Gather residuals by decade of compute, or of the law's first variable.

    Args:
        table: the runs.
        law: the law.
        residuals: (n_runs,) float.
    """
    amounts = _run_flops(table)
    amounts = table.numbers(law.variables[0]) if amounts is None else amounts
    if not (amounts > 0).all():
        return ()
    decade = np.floor(np.log10(amounts) + 1e-9)
    decade = np.floor(decade / max(1.0, np.ceil((np.ptp(decade) + 1) / MOST_SCALES)))
    return tuple(
        ScaleResiduals(
            low=float(amounts[decade == d].min()),
            high=float(amounts[decade == d].max()),
            n_runs=int((decade == d).sum()),
            mean=float(residuals[decade == d].mean()),
            rms=float(np.sqrt(np.mean(residuals[decade == d] ** 2))),
        )
        for d in np.unique(decade)
    )
