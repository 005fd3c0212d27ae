"""Import runs from wherever they were recorded, with an account of what was done."""

import contextlib
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from isoflop.base.errors import InputError, RunTableError
from isoflop.exchange.candidates import columns_sought, is_training_loss, loss_unit, names_training
from isoflop.exchange.completeness import gap_lines, summary_lines
from isoflop.exchange.doubts import losses_absent, repeated_names, shares_beyond, units_left
from isoflop.exchange.final_value import parse_final
from isoflop.exchange.foreign_json import number
from isoflop.exchange.found import Found, Refused
from isoflop.exchange.gather_points import gather_points
from isoflop.exchange.header_units import multiple_lines, told_multiples
from isoflop.exchange.imported import Imported
from isoflop.exchange.match_columns import match_columns
from isoflop.exchange.records import Reading, make_record, timing_lines
from isoflop.exchange.sniff import find_runs
from isoflop.exchange.sources.frames import is_frame, read_frame
from isoflop.exchange.sources.wandb_project import is_address, read_project
from isoflop.runs.cells import Cell
from isoflop.runs.columns import NUMBER_COLUMNS
from isoflop.runs.table import RunTable


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
    if tokens_per_step is not None and not 0 < tokens_per_step < math.inf:
        raise InputError(f"--tokens-per-step wants a positive number, found {tokens_per_step:g}")
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
    found = gather_points(found, columns)
    if not found.runs:
        why = f"; {found.refused[0].where}: {found.refused[0].why}" if found.refused else ""
        raise RunTableError(f"no runs found (read as {found.format}){why}", source=where)
    table = all(not run.curves and not run.summary for run in found.runs)
    if rule.share and not any(run.curves for run in found.runs):
        raise InputError(
            f"{where}: {found.format} holds no learning curves, so --final {final} cannot be "
            "computed; leave it out"
        )
    mapping = match_columns(found, columns, table=table)
    _require_amounts(mapping, where)
    reading = Reading(found, mapping, rule, told_multiples(mapping, found))
    records = [make_record(run, reading) for run in found.runs]
    derived = _derive_tokens(records, tokens_per_step)
    rows = [run.row or k for k, run in enumerate(found.runs, start=1)]
    taken, at, refused = _take(records, rows, found, where)
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
        notes=(*found.notes, *derived, *_notes(reading, taken)),
    )


def _require_amounts(mapping: Mapping[str, str], where: str) -> None:
    """Refuse a source none of whose names is known: it is no table of runs, or its own words."""
    if not set(mapping) & set(NUMBER_COLUMNS):
        shown = (
            ", ".join(repr(name[:40]) for name in list(mapping.values())[:8]) or "there are none"
        )
        raise InputError(
            f"{where}: no amount of a run table among its columns ({shown}); "
            "name them with --columns n_params=NAME,loss=NAME"
        )


def _derive_tokens(records: list[dict[str, Cell]], per_step: float | None) -> list[str]:
    without = [record for record in records if record.get("n_tokens") in (None, "")]
    if not without:
        return [_not_needed(records, per_step)] if per_step else []
    if per_step is None:
        missing = "n_tokens" not in records[0] or len(without) == len(records)
        has_steps = any(record.get("steps") for record in without)
        ask = "; give --tokens-per-step to have D = steps · tokens per step" if has_steps else ""
        return [f"tokens seen are not recorded{ask}"] if missing else []
    done = 0
    for record in without:
        steps = record.get("steps")
        if isinstance(steps, int | float) and steps > 0:
            record["n_tokens"] = steps * per_step
            done += 1
    return [f"n_tokens of {done} runs is steps · {per_step:g}, as told; not recorded"]


def _not_needed(records: list[dict[str, Cell]], per_step: float) -> str:
    """Say that tokens were recorded, and where they are not steps times what was told."""
    pairs = [(number(record["n_tokens"]), number(record.get("steps"))) for record in records]
    found = [tokens / steps for tokens, steps in pairs if tokens and steps]
    apart = [each for each in found if abs(each - per_step) > 0.01 * per_step]
    said = "n_tokens is recorded; --tokens-per-step was not needed"
    if not apart:
        return said
    return f"{said}, and {len(apart)} runs hold others than {per_step:g} (as {apart[0]:.4g})"


def _notes(reading: Reading, records: list[dict[str, Cell]]) -> list[str]:
    mapping, found = reading.mapping, reading.found
    notes = [*multiple_lines(mapping, reading.multiples), *timing_lines(reading)]
    if "loss" in mapping:
        notes += [*_kind_of_loss(mapping["loss"], found), *losses_absent(records)]
        told = loss_unit(mapping["loss"])
        if told and "loss_unit" not in mapping:
            notes.append(f"loss_unit = {told}, as the name {mapping['loss']!r} tells")
    elif "accuracy" not in mapping:
        notes.append("no loss found; name it with --columns loss=NAME")
    if "n_params" not in mapping:
        notes.append("n_params not found; name it with --columns n_params=NAME, or add the column")
    unit_known = any(record.get("loss_unit") for record in records)
    return [
        *notes,
        *repeated_names(records),
        *shares_beyond(records),
        *units_left(mapping, unit_known=unit_known),
    ]


def _kind_of_loss(loss: str, found: Found) -> list[str]:
    """Say of a logged loss that it is of training, or that its name does not say of what."""
    logged = any(loss in run.curves or loss in run.summary for run in found.runs)
    if not logged or not is_training_loss(loss):
        return []
    if all(run.row for run in found.runs) and not names_training(loss):
        return [f"loss is {loss!r}: held-out or of training, its name does not say"]
    return [f"loss is {loss!r}, a training loss: no held-out loss was found"]


def _take(
    records: list[dict[str, Cell]], rows: list[int], found: Found, where: str
) -> tuple[list[dict[str, Cell]], list[int], list[Refused]]:
    """Split rows into those the run table takes, with their numbers, and those it refuses."""
    if not any(map(_is_empty, records)):
        with contextlib.suppress(RunTableError):
            RunTable.from_records(records)
            return records, rows, []
    taken: list[dict[str, Cell]] = []
    at: list[int] = []
    refused: list[Refused] = []
    for row, run, record in zip(rows, found.runs, records, strict=True):
        fault = _fault(record)
        if fault is None:
            taken.append(record)
            at.append(row)
            continue
        field, why = fault
        name = f"row {run.row}" if run.row and not run.curves else f"run {run.name}"
        n_points = sum(len(curve.step) for curve in run.curves.values())
        count = run.n_rows if run.row else max(1, n_points)
        refused.append(Refused(f"{name}{field}", why, count, found.unit))
    if not taken:
        first = refused[0]
        raise RunTableError(
            f"none of {len(records)} rows can be taken; {first.where}: {first.why}", source=where
        )
    return taken, at, refused


def _fault(record: dict[str, Cell]) -> tuple[str, str] | None:
    """Return field and reason if the run table does not take a record, else None."""
    if _is_empty(record):
        return "", "nothing but a name"
    try:
        RunTable.from_records([record])
    except RunTableError as error:
        return f" `{error.field}`" if error.field else "", str(error).partition(": ")[2]
    return None


def _is_empty(record: dict[str, Cell]) -> bool:
    return all(cell in (None, "") for name, cell in record.items() if name != "run")
