"""TensorBoard event files: every scalar of every file, both kinds, up to a torn tail.

A folder with event files is a run; several files in it are one run that was resumed. Nothing is
sampled: TensorBoard's own reader keeps 10,000 points of a curve by default. Field numbers are
those of tensorflow's event.proto, summary.proto and tensor.proto.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from isoflop.exchange.bounded import count_links, read_bounded, walk
from isoflop.exchange.foreign_json import Scalar
from isoflop.exchange.found import Found, Refused, SourceRun, collect_series
from isoflop.exchange.protobuf import (
    WireError,
    as_bytes,
    as_double,
    as_float,
    as_signed,
    as_text,
    fields,
)
from isoflop.exchange.sources.tensorboard_hparams import join_settings, read_settings
from isoflop.exchange.tfrecord import read_records

MARK = "tfevents"
_EVENT_STEP, _EVENT_SUMMARY, _SUMMARY_VALUE = 2, 5, 1
_VALUE_TAG, _VALUE_SIMPLE, _VALUE_TENSOR = 1, 2, 8
_DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 19: "<f2"}
_TENSOR_DTYPE, _TENSOR_SHAPE, _TENSOR_CONTENT = 1, 2, 4
_PACKED = {5: "<f4", 6: "<f8"}
Points = dict[str, tuple[list[float], list[float]]]


def read(path: Path) -> Found:
    """Read an event file, or every event file below a folder."""
    files = [path] if path.is_file() else [p for p in walk(path) if MARK in p.name]
    folders: dict[Path, list[Path]] = defaultdict(list)
    for file in files:
        folders[file.parent].append(file)
    runs: dict[Path, SourceRun] = {}
    settings: dict[Path, dict[str, Scalar]] = {}
    refused: list[Refused] = []
    n_read = 0
    for folder, members in folders.items():
        settings[folder] = {}
        name = _run_name(path, folder)
        runs[folder], count, bad = _read_run(name, members, settings[folder])
        n_read += count
        refused += bad
    joined = tuple(join_settings(runs, settings))
    known = {"steps": "step"}
    return Found(
        "TensorBoard event files", joined, n_read, "points", tuple(refused), _notes(path), known
    )


def scalars(record: bytes) -> Iterator[tuple[str, int, float]]:
    """Yield (tag, step, value) of each scalar in one event record.

    Raises:
        WireError: not an event.
    """
    step, summaries = 0, []
    for number, value in fields(record):
        if number == _EVENT_STEP:
            step = as_signed(value)
        elif number == _EVENT_SUMMARY:
            summaries.append(as_bytes(value))
    for summary in summaries:
        for number, value in fields(summary):
            if number == _SUMMARY_VALUE:
                tag, scalar = _scalar(as_bytes(value))
                if scalar is not None:
                    yield tag, step, scalar


def _read_run(
    name: str, files: list[Path], settings: dict[str, Scalar]
) -> tuple[SourceRun, int, list[Refused]]:
    """Read the files of one folder; what add_hparams wrote there is put into `settings`."""
    points: Points = {}
    refused: list[Refused] = []
    count = 0
    for file in files:
        records = read_records(read_bounded(file))
        bad = records.damaged
        for record in records.data:
            try:
                found = list(scalars(record))
                settings.update(read_settings(record))
            except WireError:
                bad += 1
                continue
            for tag, step, value in found:
                steps, values = points.setdefault(tag, ([], []))
                steps.append(float(step))
                values.append(value)
                count += 1
        if bad:
            refused.append(Refused(file.name, "records whose checksum or content is wrong", bad))
        if records.torn:
            why = f"{records.torn} bytes after the last whole record; the file was not closed"
            refused.append(Refused(file.name, why))
    curves, twice = collect_series(points, where=name)
    last = max((float(s.step[-1]) for s in curves.values()), default=0.0)
    return SourceRun(name, {"step": last}, curves), count, [*refused, *twice]


def _scalar(message: bytes) -> tuple[str, float | None]:
    tag, scalar = "", None
    for number, value in fields(message):
        if number == _VALUE_TAG:
            tag = as_text(value)
        elif number == _VALUE_SIMPLE:
            scalar = as_float(value)
        elif number == _VALUE_TENSOR:
            scalar = _tensor(as_bytes(value))
    return tag, scalar


def _tensor(message: bytes) -> float | None:
    """Return the value of a tensor of one number, None of any other."""
    kind, content, values = 0, b"", []
    for number, value in fields(message):
        if number == _TENSOR_DTYPE:
            kind = as_signed(value)
        elif number == _TENSOR_SHAPE and as_bytes(value):
            if any(n == 2 for n, _ in fields(as_bytes(value))):
                return None
        elif number == _TENSOR_CONTENT:
            content = as_bytes(value)
        elif number in _PACKED and isinstance(value, bytes):
            values += _unpack(value, _PACKED[number])
        elif number == 6 and isinstance(value, bytes):
            values.append(as_double(value))
        elif number in (7, 10) and isinstance(value, int):
            values.append(float(as_signed(value)))
    if content and kind in _DTYPES:
        values = _unpack(content, _DTYPES[kind])
    return values[0] if len(values) == 1 else None


def _unpack(content: bytes, kind: str) -> list[float]:
    width = np.dtype(kind).itemsize
    if len(content) % width or len(content) > 64:
        return []
    return np.frombuffer(content, kind).astype(np.float64).tolist()


def _run_name(path: Path, folder: Path) -> str:
    if path.is_file() or folder == path:
        return folder.resolve().name
    return str(folder.relative_to(path))


def _notes(path: Path) -> tuple[str, ...]:
    links = count_links(path) if path.is_dir() else 0
    return (f"{links} symbolic links were passed over",) if links else ()
