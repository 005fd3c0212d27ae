"""Data frames: what their libraries call missing, names twice, cells that are no numbers."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from isoflop.base.errors import RunTableError
from isoflop.exchange.import_runs import import_runs
from isoflop.exchange.sources.frames import is_missing
from isoflop.exchange.sources.tables import plain_cell

N, LOSS = [1e6, 2e6, 4e6], [3.0, 2.9, 2.8]


class NAType:
    """As pandas.NA: no comparison with it is an answer."""

    def __eq__(self, other: object) -> Any:
        return self

    def __bool__(self) -> bool:
        raise TypeError("boolean value of NA is ambiguous")

    __hash__ = None  # type: ignore[assignment]


def test_missing_is_asked_of_cells_that_refuse_comparison() -> None:
    missing = [float("nan"), np.float32("nan"), NAType()]
    recorded = [None, 0.0, "", "nan", np.array([1.0, 2.0]), np.array([np.nan])]
    assert [is_missing(cell) for cell in missing] == [True] * 3
    assert [is_missing(cell) for cell in recorded] == [False] * 6


def test_cells_of_numpy_and_decimals_are_numbers() -> None:
    cells = [np.int64(5), np.float32(0.5), Decimal("3.25"), np.bool_(True)]
    assert [plain_cell(cell) for cell in cells] == [5, 0.5, 3.25, True]
    assert plain_cell(np.array([[1], [2]])) == "ndarray array([[1], [2]])"


def test_names_twice_in_an_arrow_table_are_refused() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    pytest.importorskip("narwhals")
    table = pyarrow.table([N, LOSS, LOSS], names=["N", "loss", "loss"])
    with pytest.raises(RunTableError, match="pyarrow frame: column 'loss' appears twice"):
        import_runs(table)


@pytest.mark.parametrize("dtype", ["Float64", "object"])
def test_na_of_pandas_is_a_cell_not_recorded(dtype: str) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("narwhals")
    loss = pandas.array([3.0, pandas.NA, 2.8], dtype=dtype)
    frame = pandas.DataFrame({"N": N, "loss": loss, "run": ["a", pandas.NA, "c"]})
    table = import_runs(frame).table
    assert table.numbers("loss").tolist() == pytest.approx([3.0, float("nan"), 2.8], nan_ok=True)
    assert table.text("run") == ["a", "", "c"]


def test_pandas_columns_twice_and_cells_that_are_arrays_name_column_and_row() -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("narwhals")
    with pytest.raises(RunTableError, match="pandas frame: column 'loss' appears twice"):
        import_runs(pandas.DataFrame([[1e6, 3.0, 3.1]], columns=["N", "loss", "loss"]))
    imported = import_runs(pandas.DataFrame({"N": N, "loss": [3.0, np.array([1, 2]), 2.8]}))
    assert [r.where for r in imported.refused] == ["row 2 `loss`"]
    assert imported.table.rows.tolist() == [1, 3]
    with pytest.raises(RunTableError, match="row 1 `loss`: expected a number, found 'ndarray"):
        import_runs(pandas.DataFrame({"N": [1e6], "loss": [np.array([1, 2])]}))


def test_a_named_index_of_pandas_is_a_column() -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("narwhals")
    frame = pandas.DataFrame({"N": N, "loss": LOSS}, index=pandas.Index(list("abc"), name="run"))
    assert import_runs(frame).table.names() == ["a", "b", "c"]
    with pytest.raises(RunTableError, match="column 'N' appears twice"):
        import_runs(frame.set_index("N", drop=False))
