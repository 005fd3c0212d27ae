"""The run table: strict about cells, honest about what is missing."""

import math

import numpy as np
import pytest

from isoflop.base.errors import InputError, RunTableError, UnknownNameError
from isoflop.runs.table import RunTable, derive_column

PLAIN = "; cells must be plain numbers, such as "
ROWS = [
    {"run": "a", "n_params": 1e6, "n_tokens": 2e7, "loss": 3.5},
    {"run": "", "n_params": 2e6, "n_tokens": None, "loss": "3.25"},
    {"run": "c", "n_params": 4e6, "n_tokens": 8e7, "loss": 3},
]


def test_numbers_are_float64_and_missing_cells_are_nan() -> None:
    table = RunTable.from_records(ROWS)
    assert table.numbers("loss").tolist() == [3.5, 3.25, 3.0]
    assert table.numbers("n_tokens").dtype == np.float64
    assert np.isnan(table.numbers("n_tokens")).tolist() == [False, True, False]
    assert table.records()[1]["n_tokens"] is None


def test_a_column_the_table_does_not_know_is_kept_as_written_and_read_as_numbers() -> None:
    rows = [{"commit": "007", "n_experts": "8"}, {"commit": "abc", "n_experts": ""}]
    table = RunTable.from_records(rows)
    assert table.text("commit") == ["007", "abc"]
    np.testing.assert_array_equal(table.numbers("n_experts"), [8.0, math.nan])
    with pytest.raises(RunTableError, match=r"row 2.*commit.*expected a number, found 'abc'"):
        table.numbers("commit")
    with pytest.raises(UnknownNameError):
        table.numbers("run")


def test_a_run_without_a_name_is_called_by_its_row() -> None:
    assert RunTable.from_records(ROWS).names() == ["a", "row 2", "c"]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("three", "expected a number, found 'three'"),
        ("3,5", f"expected a number, found '3,5'{PLAIN}3.5"),
        ("100M", f"expected a number, found '100M'{PLAIN}100e6"),
        ("1,000,000", f"expected a number, found '1,000,000'{PLAIN}1000000"),
        ("3.2 nats", f"expected a number, found '3.2 nats'{PLAIN}3.2"),
        ("1,234", f"expected a number, found '1,234'{PLAIN}1e8"),
        ("2.342.427.896", f"expected a number, found '2.342.427.896'{PLAIN}2342427896"),
        ("1,0003e+17", f"expected a number, found '1,0003e+17'{PLAIN}1.0003e+17"),
        ("1.234,5", f"expected a number, found '1.234,5'{PLAIN}1234.5"),
        ("7.1 billion", f"expected a number, found '7.1 billion'{PLAIN}7.1e9"),
        ("0x10", "expected a number, found '0x10'"),
        ("1_000", f"expected a number, found '1_000'{PLAIN}1000"),
        ("３.5", "expected a number, found '３.5'"),
        ("٣", "expected a number, found '٣'"),
        (True, "expected a number, found True"),
        ([3.0], "expected a number, found [3.0]"),
        ("nan", "found nan; leave the cell empty and set status to diverged, or drop the row"),
        (math.inf, "found inf; leave the cell empty and set status to diverged, or drop the row"),
        ("1e400", "found 1e400; leave the cell empty and set status to diverged, or drop the row"),
        (10**400, "found inf; leave the cell empty and set status to diverged, or drop the row"),
        ("-3", "found -3, expected a positive number"),
        (0, "found 0, expected a positive number"),
        ("1e300", "found 1e+300, expected a number between 1e-40 and 1e+60"),
        ("1e-300", "found 1e-300, expected a number between 1e-40 and 1e+60"),
        ("x" * 99, f"expected a number, found '{'x' * 39}…"),
    ],
)
def test_a_cell_that_is_no_loss_is_refused_by_file_row_and_field(
    cell: object, message: str
) -> None:
    rows = [*ROWS[:2], {"loss": cell}]
    with pytest.raises(RunTableError) as refused:
        RunTable.from_records(rows, source="runs.csv")  # type: ignore[arg-type]
    assert str(refused.value) == f"runs.csv row 3 `loss`: {message}"
    assert (refused.value.source, refused.value.row, refused.value.field) == ("runs.csv", 3, "loss")


@pytest.mark.parametrize("name", ["seed", "lr"])
def test_a_seed_may_be_zero_and_so_may_a_learning_rate(name: str) -> None:
    assert RunTable.from_records([{name: 0, "loss": 3.0}]).numbers(name).tolist() == [0.0]


def test_a_table_without_rows_is_refused() -> None:
    with pytest.raises(RunTableError, match="no runs found; a run table needs at least one row"):
        RunTable.from_records([])


def test_a_loss_unit_nobody_knows_is_refused() -> None:
    rows = [{"loss": 3.0, "loss_unit": "nats/token"}, {"loss": 3.0, "loss_unit": "nits"}]
    with pytest.raises(RunTableError) as refused:
        RunTable.from_records(rows, source="r.csv")
    assert str(refused.value) == (
        "r.csv row 2 `loss_unit`: found 'nits', expected one of nats/token, bits/token, "
        "nats/byte, bits/byte"
    )


def test_asking_for_a_column_that_is_not_there_suggests_the_nearest() -> None:
    table = RunTable.from_records(ROWS)
    with pytest.raises(UnknownNameError, match=r"did you mean n_tokens\?"):
        table.numbers("n_token")
    with pytest.raises(UnknownNameError, match="unknown column 'dataset'"):
        table.text("dataset")


def test_selecting_keeps_the_rows_of_the_source_and_the_reason() -> None:
    table = RunTable.from_records(ROWS).select(np.array([False, True, True]), note="why")
    assert len(table) == 2
    assert table.rows.tolist() == [2, 3]
    assert table.names() == ["row 2", "c"]
    assert table.notes == ("why",)


def test_the_fingerprint_changes_with_values_names_and_order_only() -> None:
    table = RunTable.from_records(ROWS)
    same = RunTable.from_records(ROWS, source="elsewhere.csv")
    others = [
        RunTable.from_records([{**ROWS[0], "loss": 3.5 + 1e-15}, *ROWS[1:]]),
        RunTable.from_records([{**ROWS[0], "run": "b"}, *ROWS[1:]]),
        RunTable.from_records(ROWS[::-1]),
        RunTable.from_records(ROWS[:2]),
        RunTable.from_records([{**row, "seed": 0} for row in ROWS]),
    ]
    assert same.sha256() == table.sha256()
    assert len({table.sha256(), *(other.sha256() for other in others)}) == 6


def test_tokens_are_derived_by_c_over_6n_and_compute_by_6nd() -> None:
    table = RunTable.from_records([{"n_params": 7e9, "flops": 5.88e22, "loss": 2.0}])
    with_tokens = derive_column(table, "n_tokens")
    assert with_tokens.numbers("n_tokens").tolist() == pytest.approx([1.4e12], rel=1e-15)
    assert with_tokens.notes == ("n_tokens derived by D = C/6N, not recorded",)
    table = RunTable.from_records([{"n_params": 7e9, "n_tokens": 1.4e12, "loss": 2.0}])
    with_flops = derive_column(table, "flops")
    assert with_flops.numbers("flops").tolist() == pytest.approx([5.88e22], rel=1e-15)
    assert with_flops.notes == ("flops derived by C = 6ND, not recorded",)


def test_what_is_recorded_is_not_derived_over() -> None:
    table = RunTable.from_records([{"n_params": 1e6, "n_tokens": 1e7, "flops": 6e13, "loss": 3.0}])
    with pytest.raises(RunTableError, match="already recorded; drop the column to derive C = 6ND"):
        derive_column(table, "flops")


def test_nothing_is_derived_from_what_is_not_there() -> None:
    table = RunTable.from_records([{"n_params": 1e6, "loss": 3.0}])
    with pytest.raises(RunTableError, match="D = C/6N needs column `flops`"):
        derive_column(table, "n_tokens")
    with pytest.raises(InputError, match="not loss"):
        derive_column(table, "loss")  # type: ignore[arg-type]
