"""Data frames of pandas, polars and their kin, through narwhals (extra `frames`)."""

import sys
from typing import Any

from isoflop.base.errors import InputError, MissingExtraError
from isoflop.exchange.bounded import MAX_CELLS
from isoflop.exchange.found import Found
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
        InputError: not a frame, or larger than the bounds.
    """
    try:
        import narwhals
    except ImportError:
        raise MissingExtraError("reading a data frame", "frames") from None
    try:
        wrapped = narwhals.from_native(frame, allow_series=False)
    except TypeError:
        raise InputError(f"cannot read a {type(frame).__name__}; expected a data frame") from None
    if isinstance(wrapped, narwhals.LazyFrame):
        wrapped = wrapped.collect()
    if wrapped.shape[0] * wrapped.shape[1] > MAX_CELLS:
        raise InputError(f"a frame of {wrapped.shape} has more cells than are read")
    columns = {str(name): series.to_list() for name, series in wrapped.to_dict().items()}
    maker = type(frame).__module__.partition(".")[0]
    if maker == "pandas":  # whose NaN is a cell not recorded
        columns = {n: [None if c != c else c for c in cells] for n, cells in columns.items()}
    return from_columns(columns, f"{maker} frame")
