"""What would have ruined the fit is said before it."""

import pytest

from isoflop.base.errors import RunTableError
from isoflop.runs.checks import Finding, check_comparable, check_duplicates, keep_usable
from isoflop.runs.table import FINISHED, RunTable

COLUMNS = ("n_params", "loss")


def table_with(**cells: list[object]) -> RunTable:
    rows = zip(*cells.values(), strict=True)
    records = [dict(zip(cells, row, strict=True)) for row in rows]
    return RunTable.from_records(records, source="r.csv")  # type: ignore[arg-type]


def test_only_finished_runs_are_kept_and_the_others_named() -> None:
    status = ["finished", "running", "Done", "diverged", "", "completed"]
    table = table_with(
        run=list("abcdef"), n_params=[1e6] * 6, loss=[3, 3, 3, None, 3, 3], status=status
    )
    kept, findings = keep_usable(table, COLUMNS)
    assert kept.names() == ["a", "c", "e", "f"]
    assert [finding.code for finding in findings] == ["unfinished-runs"]
    assert findings[0].runs == ("b", "d")
    assert findings[0].evidence == "2 of 6 runs are not marked finished"
    assert kept.notes == ("2 unfinished runs left out",)


@pytest.mark.parametrize("status", sorted(FINISHED))
def test_every_word_for_finished_is_understood(status: str) -> None:
    kept, findings = keep_usable(
        table_with(n_params=[1e6], loss=[3.0], status=[status.upper()]), COLUMNS
    )
    assert (len(kept), findings) == (1, [])


def test_a_table_without_a_finished_run_is_refused() -> None:
    with pytest.raises(RunTableError, match=r"r\.csv: no finished run in the table"):
        keep_usable(table_with(n_params=[1e6], loss=[3.0], status=["failed"]), COLUMNS)


def test_a_finished_run_without_a_loss_is_refused_by_its_row() -> None:
    table = table_with(n_params=[1e6, 2e6], loss=[3.0, None])
    with pytest.raises(RunTableError) as refused:
        keep_usable(table, COLUMNS)
    assert str(refused.value) == (
        "r.csv row 2 `loss`: no value; fill it in, drop the row, or mark its status"
    )


def test_a_law_of_steps_needs_steps_above_zero() -> None:
    table = table_with(n_params=[1e6, 2e6], steps=[10, 0], loss=[3.0, 2.0])
    with pytest.raises(RunTableError, match=r"r\.csv row 2 `steps`: found 0; a law needs"):
        keep_usable(table, ("n_params", "steps", "loss"))


@pytest.mark.parametrize(
    ("cells", "needed", "hint"),
    [
        ({"flops": [1e20]}, "n_tokens", "record it, or ask for D = C/6N with --derive n_tokens"),
        ({"n_tokens": [1e9]}, "flops", "record it, or ask for C = 6ND with --derive flops"),
        ({}, "steps", "name it with --columns steps=COLUMN"),
    ],
)
def test_a_missing_column_comes_with_the_way_to_get_it(
    cells: dict[str, list[object]], needed: str, hint: str
) -> None:
    table = table_with(n_params=[1e6], loss=[3.0], **cells)
    with pytest.raises(RunTableError) as refused:
        keep_usable(table, (*COLUMNS, needed))
    found = ", ".join(["n_params", "loss", *cells])
    assert str(refused.value) == (
        f"r.csv: column `{needed}` is needed and absent (found: {found}); {hint}"
    )


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        (
            "loss_unit",
            ["nats/token", "bits/byte"],
            "losses in different units (bits/byte in row 2, nats/token in row 1)",
        ),
        (
            "loss_unit",
            ["nats/token", ""],
            "losses in different units (not recorded in row 2, nats/token in row 1)",
        ),
        (
            "eval_set",
            ["c4", "wiki"],
            "losses on different held-out sets (c4 in row 1, wiki in row 2)",
        ),
        (
            "tokenizer",
            ["gpt2", "llama"],
            "losses per different tokens (gpt2 in row 1, llama in row 2)",
        ),
    ],
)
def test_losses_that_cannot_be_compared_are_refused(
    name: str, values: list[object], message: str
) -> None:
    table = table_with(loss=[3.0, 2.0], **{name: values})
    with pytest.raises(RunTableError) as refused:
        check_comparable(table)
    assert str(refused.value) == (
        f"r.csv `{name}`: {message} cannot be fitted together; select one"
    )


def test_losses_that_can_be_compared_pass() -> None:
    table = table_with(loss=[3.0, 2.0], loss_unit=["bits/byte"] * 2, eval_set=["", ""])
    assert check_comparable(table) == []


def test_rows_that_repeat_another_are_counted_and_named() -> None:
    table = table_with(run=list("abcd"), n_params=[1e6, 2e6, 1e6, 1e6], loss=[3.0, 2.0, 3.0, 3.0])
    (finding,) = check_duplicates(table, COLUMNS)
    assert finding.code == "duplicate-runs"
    assert finding.evidence == "2 of 4 rows repeat another exactly (rows 3, 4)"
    assert finding.runs == ("a",)


def test_seeds_of_one_size_are_no_duplicates() -> None:
    table = table_with(n_params=[1e6, 1e6], loss=[3.0, 3.0001])
    assert check_duplicates(table, COLUMNS) == []


def test_a_finding_is_the_contracts_object() -> None:
    finding = Finding("code", "warning", "e", "c", "r", ("a", "b"))
    assert finding.to_dict() == {
        "code": "code",
        "severity": "warning",
        "evidence": "e",
        "consequence": "c",
        "remedy": "r",
        "runs": ["a", "b"],
    }
