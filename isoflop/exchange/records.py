"""From one run of a source to one record of the run table; totals are those at its loss's step."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from isoflop.exchange.candidates import loss_unit
from isoflop.exchange.final_value import FinalRule, final_value
from isoflop.exchange.foreign_json import Scalar, number
from isoflop.exchange.found import Found, Series, SourceRun
from isoflop.exchange.header_units import loss_unit_of, times
from isoflop.exchange.match_columns import value_of
from isoflop.runs.cells import Cell
from isoflop.runs.columns import NUMBER_COLUMNS

TOTALS = ("n_tokens", "flops", "steps")
"""Amounts that grow with a run: read at the step of the loss, not at the end of the log."""


@dataclass(frozen=True)
class Reading:
    """How the runs of a source are read.

    Args:
        found: what the source holds.
        mapping: {column of the run table: name in the source}.
        rule: which value of a curve stands for its run.
        multiples: {column: factor} that a name tells of its values.
    """

    found: Found
    mapping: Mapping[str, str]
    rule: FinalRule
    multiples: Mapping[str, float] = field(default_factory=dict)


def make_record(run: SourceRun, reading: Reading) -> dict[str, Cell]:
    """Return {column: cell} of one run; a loss that is no number makes it `diverged`."""
    mapping, found = reading.mapping, reading.found
    record: dict[str, Cell] = {"run": run.name} if run.name and "run" not in mapping else {}
    for column, name in mapping.items():
        record[column] = _cell(run, name, column, reading)
    for column, factor in reading.multiples.items():
        amount = number(record[column])
        record[column] = record[column] if amount is None else times(amount, factor)
    named = mapping.get("loss", "")
    unit = found.units.get(named) or loss_unit(named)
    if unit and "loss_unit" not in mapping:
        record["loss_unit"] = unit
    elif isinstance(record.get("loss_unit"), str):
        told = str(record["loss_unit"])
        record["loss_unit"] = loss_unit_of(told) or told
    if run.status and "status" not in mapping:
        record["status"] = run.status
    loss = record.get("loss")
    if isinstance(loss, float) and not math.isfinite(loss):
        record |= {"loss": None, "status": "diverged"}
    return record


def timing_lines(reading: Reading) -> list[str]:
    """Say of how many runs the loss ends before the log, and a total was not logged with it."""
    ends, lines = [(run, _loss_step(run, reading)) for run in reading.found.runs], []
    early = [(run, at, _last_step(run)) for run, at in ends if at is not None]
    early = [(run, at, last) for run, at, last in early if at < last]
    if early:
        run, at, last = early[0]
        lines.append(
            f"the loss of {len(early)} runs ends before their log does ({run.name}: step {at:g} of "
            f"{last:g}); tokens, FLOPs and steps are read at the step of the loss"
        )
    for column in TOTALS:
        name = reading.mapping.get(column, "")
        apart = [
            (run, at, _total(run.curves[name], at)[1])
            for run, at in ends
            if at is not None and name in run.curves
        ]
        carried = [(run, at, of) for run, at, of in apart if of is not None and of != at]
        if carried:
            run, at, of = max(carried, key=lambda each: abs(each[1] - each[2]))
            lines.append(
                f"{column} of {len(carried)} runs was not logged at the step of the loss: the last "
                f"point before it holds, else the first after ({run.name}: step {of:g} for {at:g})"
            )
    return lines


def _cell(run: SourceRun, name: str, column: str, reading: Reading) -> Cell:
    if name in run.curves:
        curve = run.curves[name]
        if column in TOTALS:
            return _total(curve, _loss_step(run, reading))[0]
        if column == "lr":  # the peak of the rate
            return max(_finite(curve.value.tolist()), default=None)
        value = final_value(curve, reading.rule)
        return value if math.isfinite(value) or column == "loss" else None
    value = _single(value_of(run, name), column, table=run.row > 0)
    if column in TOTALS and name == reading.found.known.get(column):
        return _on_axis(run, value, reading)
    return value


def _single(value: Scalar, column: str, *, table: bool) -> Cell:
    """A value that has no curve; NaN is one not recorded, and so is a tracker's infinity."""
    if isinstance(value, bool):
        return str(value).lower()
    if column in NUMBER_COLUMNS:
        amount = number(value)
        if amount is not None and not math.isfinite(amount):
            if column == "loss" or (table and not math.isnan(amount)):
                return amount
            return None
    elif isinstance(value, float) and value.is_integer():
        return int(value) if abs(value) < 2**53 else value
    return value


def _total(curve: Series, until: float | None) -> tuple[float | None, float | None]:
    """The largest value up to a step, else the first after it; and the step it was logged at."""
    points = [
        (s, v)
        for s, v in zip(curve.step.tolist(), curve.value.tolist(), strict=True)
        if math.isfinite(v)
    ]
    if not points:
        return None, None
    before = points if until is None else [point for point in points if point[0] <= until]
    if not before:
        step, value = points[0]
        return value, step
    return max(value for _, value in before), before[-1][0]


def _on_axis(run: SourceRun, value: Cell, reading: Reading) -> Cell:
    """An end of the run that is told on the axis of its curves, at the step of the loss."""
    until, last = _loss_step(run, reading), number(value)
    if until is None or last is None or last not in (_last_step(run), run.last_step):
        return value
    return min(until, last)


def _loss_step(run: SourceRun, reading: Reading) -> float | None:
    """Step of the last point of the loss, None where it has no curve."""
    curve = run.curves.get(reading.mapping.get("loss", ""))
    return float(curve.step[-1]) if curve is not None and len(curve.step) else None


def _last_step(run: SourceRun) -> float:
    return max(float(curve.step[-1]) for curve in run.curves.values() if len(curve.step))


def _finite(values: Sequence[float]) -> list[float]:
    return [value for value in values if math.isfinite(value)]
