"""Import runs from wherever they were recorded, with an account of what was done."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from isoflop.base.errors import InputError, RunTableError
from isoflop.exchange.candidates import columns_sought, is_training_loss, loss_unit
from isoflop.exchange.completeness import gap_lines, summary_lines
from isoflop.exchange.doubts import repeated_names, units_told
from isoflop.exchange.final_value import FinalRule, final_value, parse_final
from isoflop.exchange.foreign_json import Scalar, number
from isoflop.exchange.found import Found, Refused, SourceRun
from isoflop.exchange.gather_points import gather_points
from isoflop.exchange.imported import Imported
from isoflop.exchange.match_columns import match_columns, value_of
from isoflop.exchange.sniff import find_runs
from isoflop.exchange.sources.frames import is_frame, read_frame
from isoflop.exchange.sources.wandb_project import is_address, read_project
from isoflop.runs.cells import Cell
from isoflop.runs.columns import NUMBER_COLUMNS
from isoflop.runs.table import RunTable

_GROWING = frozenset({"n_tokens", "flops", "steps", "lr"})
"""Of these a run's value is the largest of its curve: totals at its end, the peak of its rate."""


def import_runs(
    source: object,
    *,
    columns: Mapping[str, str] | None = None,
    final: str = "last",
    format: str | None = None,  # noqa: A002
    tokens_per_step: float | None = None,
) -> Imported:
    """Read runs from a file, a folder, or a pandas or polars frame.

    A learning curve becomes one value by `final`: its last value, or the mean over the last share
    of the run. Names that could be several columns are asked about, never guessed.

    Args:
        source: path, a data frame, or `wandb:ENTITY/PROJECT`.
        columns: {column of the run table: name in the source}.
        final: "last" or "mean:SHARE".
        format: name of the format (see `isoflop.exchange.sniff.FORMATS`), if it cannot be told.
        tokens_per_step: tokens an optimiser step; where tokens were not recorded,
            D = steps · tokens_per_step.

    Returns:
        The run table, with the mapping, counts, refusals, gaps and notes.

    Raises:
        InputError: nothing readable, several formats, or several names for one column.
        RunTableError: no row can be taken.
        MissingExtraError: Parquet or a frame without its extra.

    >>> import_runs(Path("docs/none.csv"))
    Traceback (most recent call last):
    isoflop.base.errors.InputError: docs/none.csv: no such file or folder
    """
    rule = parse_final(final)
    if is_frame(source):
        found, where = read_frame(source), "frame"
    elif isinstance(source, str | Path) and is_address(str(source)):
        if format is not None:
            raise InputError(f"{source}: a live W&B project; leave --format {format} out")
        found, where = read_project(str(source)), str(source)
    elif isinstance(source, str | Path):
        found, where = find_runs(Path(source), format), str(source)
    else:
        raise InputError(f"cannot import a {type(source).__name__}; expected a path or a frame")
    found, columns = gather_points(found, columns)
    if not found.runs:
        why = f" ({found.refused[0].where}: {found.refused[0].why})" if found.refused else ""
        raise RunTableError(f"no runs found in this {found.format}{why}", source=where)
    table = all(not run.curves and not run.summary for run in found.runs)
    if rule.share and not any(run.curves for run in found.runs):
        raise InputError(
            f"{where}: {found.format} holds no learning curves, so --final {final} cannot be "
            "computed; leave it out"
        )
    mapping = match_columns(found, columns, table=table)
    _require_amounts(mapping, where)
    records = [_record(run, mapping, rule, found) for run in found.runs]
    unit_known = any(record.get("loss_unit") for record in records)
    notes = [
        *(*found.notes, *_derive_tokens(records, tokens_per_step), *_notes(found, mapping)),
        *(*repeated_names(records), *units_told(mapping, unit_known=unit_known)),
    ]
    rows = [run.row or k for k, run in enumerate(found.runs, start=1)]
    taken, at, refused = _take(records, rows, where)
    shown = {name: mapping[name] for name in mapping if any(name in record for record in taken)}
    used = {name for column, name in mapping.items() if column in columns_sought()}
    return Imported(
        table=replace(RunTable.from_records(taken, source=where, mapping=shown), rows=np.array(at)),
        format=found.format,
        rule=str(rule) if any(run.curves for run in found.runs) else "",
        n_read=found.n_read,
        unit=found.unit,
        refused=(*found.refused, *refused),
        gaps=gap_lines(found, used),
        ends=summary_lines(found, used),
        notes=tuple(notes),
    )


def _require_amounts(mapping: Mapping[str, str], where: str) -> None:
    """Refuse a source none of whose names is known: it is no table of runs, or its own words."""
    if not set(mapping) & set(NUMBER_COLUMNS):
        shown = ", ".join(repr(name[:40]) for name in list(mapping.values())[:8])
        raise InputError(
            f"{where}: no amount of a run table among its columns ({shown}); "
            "name them with --columns n_params=NAME,loss=NAME"
        )


def _record(
    run: SourceRun, mapping: Mapping[str, str], rule: FinalRule, found: Found
) -> dict[str, Cell]:
    record: dict[str, Cell] = {"run": run.name} if run.name and "run" not in mapping else {}
    for column, name in mapping.items():
        record[column] = _cell(run, name, column, rule)
    unit = found.units.get(mapping.get("loss", "")) or loss_unit(mapping.get("loss", ""))
    if unit and "loss_unit" not in mapping:
        record["loss_unit"] = unit
    if run.status and "status" not in mapping:
        record["status"] = run.status
    loss = record.get("loss")
    if isinstance(loss, float) and not math.isfinite(loss) and (run.curves or run.summary):
        record |= {"loss": None, "status": "diverged"}
    return record


def _cell(run: SourceRun, name: str, column: str, rule: FinalRule) -> Cell:
    if name in run.curves:
        curve = run.curves[name]
        if column in _GROWING:
            finite = [v for v in curve.value.tolist() if math.isfinite(v)]
            return max(finite, default=None)
        value = final_value(curve, rule)
        return value if math.isfinite(value) or column == "loss" else None
    value: Scalar = value_of(run, name)
    if isinstance(value, bool):
        return str(value).lower()
    if column in NUMBER_COLUMNS and (run.curves or run.summary):
        amount = number(value)  # trackers write NaN where a run diverged
        if amount is not None and not math.isfinite(amount):
            return amount if column == "loss" else None
    if column not in NUMBER_COLUMNS and isinstance(value, float) and value.is_integer():
        return int(value) if abs(value) < 2**53 else value
    return value


def _derive_tokens(records: list[dict[str, Cell]], per_step: float | None) -> list[str]:
    without = [record for record in records if record.get("n_tokens") in (None, "")]
    if not without:
        return ["n_tokens is recorded; --tokens-per-step was not needed"] if per_step else []
    if per_step is None:
        missing = "n_tokens" not in records[0] or len(without) == len(records)
        has_steps = any(record.get("steps") for record in without)
        ask = "; give --tokens-per-step to have D = steps · tokens per step" if has_steps else ""
        return [f"tokens seen are not recorded{ask}"] if missing else []
    if not per_step > 0 or not math.isfinite(per_step):
        raise InputError(f"--tokens-per-step wants a positive number, found {per_step:g}")
    done = 0
    for record in without:
        steps = record.get("steps")
        if isinstance(steps, int | float) and steps > 0:
            record["n_tokens"] = steps * per_step
            done += 1
    return [f"n_tokens of {done} runs is steps · {per_step:g}, as told; not recorded"]


def _notes(found: Found, mapping: Mapping[str, str]) -> list[str]:
    notes = []
    loss = mapping.get("loss")
    logged = any(loss in run.curves or loss in run.summary for run in found.runs)
    if loss is None and "accuracy" not in mapping:
        notes.append("no loss found; name it with --columns loss=NAME")
    elif loss is not None and logged and is_training_loss(loss):
        notes.append(f"loss is {loss!r}, a training loss: no held-out loss was found")
    if "n_params" not in mapping:
        notes.append("n_params not found; name it with --columns n_params=NAME, or add the column")
    return notes


def _take(
    records: list[dict[str, Cell]], rows: list[int], where: str
) -> tuple[list[dict[str, Cell]], list[int], list[Refused]]:
    """Split rows into those the run table takes, with their numbers, and those it refuses."""
    try:
        RunTable.from_records(records)
    except RunTableError:
        pass
    else:
        return records, rows, []
    taken: list[dict[str, Cell]] = []
    at: list[int] = []
    refused: list[Refused] = []
    for row, record in zip(rows, records, strict=True):
        try:
            RunTable.from_records([record])
        except RunTableError as error:
            field = f" `{error.field}`" if error.field else ""
            why = str(error).partition(": ")[2] or str(error)
            refused.append(Refused(f"row {row}{field}", why))
        else:
            taken.append(record)
            at.append(row)
    if not taken:
        first = refused[0]
        raise RunTableError(
            f"none of {len(records)} rows can be taken; {first.where}: {first.why}", source=where
        )
    return taken, at, refused
