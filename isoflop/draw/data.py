"""The numbers behind a figure, as JSON and as CSV in long form."""

import csv
import dataclasses
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from isoflop.base.strict_json import dumps
from isoflop.draw.series import Line, Points
from isoflop.exchange.delimited import neutralise_cell

COLUMNS = ("part", "label", "run", "x", "y", "low", "high", "colour_by")
"""Columns of the CSV: where in the figure, which series, and its numbers."""


def figure_document(figure: object) -> dict[str, Any]:
    """Return a figure's data as a JSON object, NaN as null.

    Args:
        figure: any of the frozen figure dataclasses.
    """
    document = _plain(figure)
    return {"figure": type(figure).__name__, **document}


def figure_json(figure: object) -> str:
    """Return a figure's data as JSON text, in full precision."""
    return dumps(figure_document(figure)) + "\n"


def figure_csv(figure: object) -> str:
    """Return every point and line of a figure, one row a coordinate pair.

    A figure without points and lines gives its arrays of one length as columns.
    """
    series = list(_series(figure, ""))
    if not series:
        return _columns_csv(figure)
    rows = [row for part, item in series for row in _rows(part, item)]
    return _csv(COLUMNS, rows)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value


def _series(value: Any, part: str) -> Iterator[tuple[str, Points | Line]]:
    """Every series in a figure, with its place such as `panels.0.points`."""
    if isinstance(value, Points | Line):
        yield part, value
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _series(getattr(value, field.name), f"{part}.{field.name}".lstrip("."))
    elif isinstance(value, tuple):
        for k, item in enumerate(value):
            yield from _series(item, f"{part}.{k}")


def _rows(part: str, item: Points | Line) -> list[list[str]]:
    blank = [""] * len(item.x)
    names, low, high, colour = blank, blank, blank, blank
    if isinstance(item, Points):
        names = list(item.names) or blank
        colour = _numbers(item.colour_by) or blank
    elif item.has_band:
        low, high = _numbers(item.low), _numbers(item.high)
    x, y = _numbers(item.x), _numbers(item.y)
    return [
        [part, neutralise_cell(item.label), neutralise_cell(name), *rest]
        for name, *rest in zip(names, x, y, low, high, colour, strict=True)
    ]


def _columns_csv(figure: Any) -> str:
    columns: dict[str, list[str]] = {}
    for field in dataclasses.fields(figure):
        value = getattr(figure, field.name)
        if isinstance(value, np.ndarray) and value.ndim == 1:
            columns[field.name] = _numbers(value)
        elif isinstance(value, tuple) and all(isinstance(item, str) for item in value):
            columns[field.name] = [neutralise_cell(item) for item in value]
    return _csv(tuple(columns), [list(row) for row in zip(*columns.values(), strict=True)])


def _numbers(values: np.ndarray) -> list[str]:
    return ["" if math.isnan(value) else repr(value) for value in values.tolist()]


def _csv(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return buffer.getvalue()
