"""Sizes and tokens in millions are told from D/N and C/6ND, in some rows or in all."""

import numpy as np
import pytest

from isoflop.runs.table import RunTable
from isoflop.runs.unit_checks import check_units
from isoflop.runs.unit_slips import find_slips, mend_slips

BUDGETS = np.repeat([1e18, 1e19, 1e20], 5)
SIZES = np.sqrt(BUDGETS / 120) * np.tile([0.25, 0.5, 1, 2, 4], 3)
TOKENS = BUDGETS / 6 / SIZES
HALF = np.arange(15) % 2 == 0


def table_of(N=SIZES, D=TOKENS, flops=None) -> RunTable:
    rows = [{"n_params": n, "n_tokens": d, "loss": 3.0} for n, d in zip(N, D, strict=True)]
    if flops is not None:
        rows = [{**row, "flops": c} for row, c in zip(rows, flops, strict=True)]
    return RunTable.from_records(rows)


@pytest.mark.parametrize("flops", [None, BUDGETS])
@pytest.mark.parametrize("unit", [1e6, 1e9])
@pytest.mark.parametrize("rows", [HALF, np.ones(15, dtype=bool)])
@pytest.mark.parametrize("column", ["n_params", "n_tokens"])
def test_rows_in_another_unit_are_found_and_mended(flops, unit, rows, column) -> None:
    factor = np.where(rows, 1 / unit, 1.0)
    spoiled = (
        table_of(N=SIZES * factor, flops=flops)
        if column == "n_params"
        else table_of(D=TOKENS * factor, flops=flops)
    )
    (slip,) = find_slips(spoiled)
    assert slip.columns == (column,)
    assert (slip.rows == rows).all()
    assert 10.0**slip.power == unit
    mended = mend_slips(spoiled, [slip])
    assert mended.numbers(column) == pytest.approx(table_of().numbers(column))


def test_a_slip_is_an_error_in_some_rows_and_a_warning_in_all_and_flops_are_not_blamed() -> None:
    columns = ("n_params", "n_tokens", "flops", "loss")
    for rows, severity in ((HALF, "error"), (np.ones(15, dtype=bool), "warning")):
        table = table_of(D=np.where(rows, TOKENS / 1e6, TOKENS), flops=BUDGETS)
        (found,) = check_units(table, columns)
        assert (found.code, found.severity) == ("units-unlikely", severity)
        assert "`n_tokens` looks written in millions" in found.evidence
        assert "flops" not in found.remedy


def test_both_in_millions_without_flops_are_too_little_to_be_meant() -> None:
    (slip,) = find_slips(table_of(N=SIZES / 1e6, D=TOKENS / 1e6))
    assert slip.columns == ("n_params", "n_tokens")
    (slip,) = find_slips(table_of(N=SIZES / 1e6, D=TOKENS / 1e9, flops=BUDGETS))
    assert slip.columns == ("n_params", "n_tokens")


def test_flops_in_another_unit_are_one_finding_that_names_it() -> None:
    table = table_of(flops=BUDGETS / 1e12)
    assert find_slips(table) == []
    (found,) = check_units(table, ("n_params", "n_tokens", "flops"))
    assert found.code == "units-unlikely"  # below 1e9 in every run
    assert "teraFLOPs: multiply `flops` by 1e+12" in found.remedy


def test_flops_that_no_unit_explains_are_left_to_flops_disagree() -> None:
    table = table_of(flops=BUDGETS / 3e4)
    assert find_slips(table) == []
    (found,) = check_units(table, ("n_params", "n_tokens", "flops"))
    assert found.code == "flops-disagree"
    assert "multiply" not in found.remedy


@pytest.mark.parametrize("ratio", [0.2, 20.0, 5000.0])
def test_healthy_tables_and_over_training_are_no_slip(ratio: float) -> None:
    assert find_slips(table_of()) == []
    assert find_slips(table_of(flops=1.5 * BUDGETS)) == []
    N, D = np.array([1e6, 1e7, 1e8]), np.array([ratio * 1e6, 2e8, 2e9])
    assert find_slips(table_of(N=N, D=D)) == []


def test_flops_derived_from_what_slipped_are_mended_with_it_and_a_doubt_is_not() -> None:
    factor = np.where(HALF, 1e-6, 1.0)
    spoiled = table_of(D=TOKENS * factor, flops=BUDGETS * factor)
    (slip,) = find_slips(spoiled)
    assert (slip.columns, slip.power) == (("n_tokens",), 6)
    mended = mend_slips(spoiled, [slip])
    assert mended.numbers("n_tokens") == pytest.approx(TOKENS)
    assert mended.numbers("flops") == pytest.approx(BUDGETS)
    odd = table_of(N=SIZES / 1e4, D=TOKENS * 1e4, flops=BUDGETS)  # D/N of 1e9, and C = 6ND
    (slip,) = find_slips(odd)
    assert slip.whole
    assert mend_slips(odd, [slip]).numbers("n_params") == pytest.approx(SIZES / 1e4)
