"""Data frames of pandas, polars and their kin, through narwhals (extra `frames`)."""

import math
import sys
from typing import Any

import numpy as np

from isoflop.base.errors import InputError, MissingExtraError
from isoflop.exchange.bounded import MAX_CELLS
from isoflop.exchange.found import Found
from isoflop.exchange.sources.csv_rows import require_once
from isoflop.exchange.sources.tables import from_columns

_MAKERS = ("pandas", "polars", "pyarrow", "modin", "cudf")


def is_frame(source: object) -> bool:
    """Tell whether something is a data frame of a library that is already imported."""
    maker = type(source).__module__.partition(".")[0]
    return maker in _MAKERS and maker in sys.modules


def read_frame(frame: Any) -> Found:
    """Read any data frame, its rows as runs, or as points where a run's name repeats.

    Raises:
        MissingExtraError: narwhals is not installed.
        InputError: not a frame, a column named twice, or larger than the bounds.
    """
    try:
        import narwhals
    except ImportError:
        raise MissingExtraError("reading a data frame", "frames") from None
    maker = type(frame).__module__.partition(".")[0]
    if maker == "pandas" and any(name is not None for name in frame.index.names):
        frame = frame.reset_index(allow_duplicates=True)  # narwhals knows no index
    try:
        wrapped = narwhals.from_native(frame, allow_series=False)
    except TypeError:
        raise InputError(f"cannot read a {type(frame).__name__}; expected a data frame") from None
    except narwhals.exceptions.DuplicateError:
        require_once(_names(frame, maker), f"{maker} frame")
        raise
    if isinstance(wrapped, narwhals.LazyFrame):
        wrapped = wrapped.collect()
    if wrapped.shape[0] * wrapped.shape[1] > MAX_CELLS:
        raise InputError(f"a frame of {wrapped.shape} has more cells than are read")
    listed = {str(name): series.to_list() for name, series in wrapped.to_dict().items()}
    if maker == "pandas":  # whose NaN and NA are cells not recorded
        listed = {n: [None if is_missing(c) else c for c in cells] for n, cells in listed.items()}
    return from_columns(listed, f"{maker} frame")


def is_missing(cell: object) -> bool:
    """Tell whether a cell of pandas is one not recorded: NaN, NA or NaT.

    Asked by name: NA refuses every comparison, and an array answers with an array.

    >>> is_missing(math.nan), is_missing(np.array([1.0, 2.0]))
    (True, False)
    """
    if isinstance(cell, float | np.floating):
        return math.isnan(cell)
    return type(cell).__name__ in ("NAType", "NaTType")


def _names(frame: Any, maker: str) -> list[str]:
    """Names of the columns, asked of the frame itself: narwhals refuses those given twice."""
    return [str(name) for name in (frame.column_names if maker == "pyarrow" else frame.columns)]
