"""Units that cannot be are refused by row; units that hardly can be are findings."""

import numpy as np
import pytest

from isoflop.base.errors import RunTableError
from isoflop.runs.finding import Finding
from isoflop.runs.table import RunTable
from isoflop.runs.unit_checks import check_units, name_rows

GOOD = {"n_params": 1e8, "n_tokens": 2e9, "flops": 1.2e18, "loss": 3.1}
COLUMNS = ("n_params", "n_tokens", "flops", "loss")


def table_of(*changes: dict[str, float | str]) -> RunTable:
    """Four good runs, the first ones changed; columns named `without` fall away."""
    rows = [{**GOOD, "run": f"r{k}", **(changes[k] if k < len(changes) else {})} for k in range(4)]
    return RunTable.from_records(rows, source="r.csv")


def found(table: RunTable) -> list[Finding]:
    return check_units(table, COLUMNS)


def test_good_units_are_silent() -> None:
    assert found(table_of()) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            [{}, {"n_params": 1e-3}],
            "r.csv row 2 `n_params`: found 0.001; a count cannot be below one; write it out rather "
            "than in millions or billions",
        ),
        (
            [{"n_tokens": 0.3}, {}, {"n_tokens": 0.9}],
            "r.csv row 1 `n_tokens`: found 0.3 (and row 3); a count cannot be below one; write it "
            "out rather than in millions or billions",
        ),
        (
            [{"batch_tokens": 5e5}, {"batch_tokens": 3e9}],
            "r.csv row 2 `n_tokens`: found 2e+09; fewer tokens than one batch of `batch_tokens`; "
            "one of them is in another unit",
        ),
        (
            [{}, {}, {"loss": 40.0}],
            "r.csv row 3 `loss`: found 40; no model is that bad: the limit is 25 nats per token; "
            "is it a perplexity, or in another unit?",
        ),
        (
            [{"loss_unit": "bits/byte", "loss": 18.0}, *([{"loss_unit": "bits/byte"}] * 3)],
            "r.csv row 1 `loss`: found 18; no model is that bad: the limit is 12 nats per byte; "
            "is it a perplexity, or in another unit?",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_row(changes, message: str) -> None:
    with pytest.raises(RunTableError) as refused:
        found(table_of(*changes))
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("changes", "code", "evidence"),
    [
        (
            [{"loss": 14.0}],
            "worse-than-guessing",
            "row 1: up to 14 nats per token, where guessing costs 13",
        ),
        (
            [{"loss": 0.9}] * 4,
            "loss-unit-unsure",
            "losses from 0.9 to 0.9, no `loss_unit`; taken for nats per token, low for text",
        ),
        (
            [{"n_params": 70.0, "flops": 8.4e11}] * 4,
            "units-unlikely",
            "`n_params` is at most 70 in every run",
        ),
        (
            [{}, {"flops": 1.2e15}],
            "flops-disagree",
            "row 2: `flops` is 0.001 times 6ND",
        ),
    ],
)
def test_what_hardly_can_be_is_a_finding(changes, code: str, evidence: str) -> None:
    (finding,) = found(table_of(*changes))
    assert (finding.code, finding.evidence) == (code, evidence)


@pytest.mark.parametrize(
    "columns", [{"n_vocab": 256.0}, {"n_params_vocabulary": 131072.0, "d_model": 512.0}]
)
def test_guessing_costs_log_of_the_vocabulary_where_it_is_recorded(columns) -> None:
    (finding,) = found(table_of({**columns, "loss": 5.6}, columns, columns, columns))
    assert finding.code == "worse-than-guessing"
    assert finding.evidence == (
        "row 1: up to 5.6 nats per token, where guessing one of 256 tokens costs 5.55"
    )
    assert finding.runs == ("r0",)
    assert found(table_of(*[{**columns, "loss": 5.5}] * 4)) == []
    assert found(table_of({"loss": 5.6})) == []  # no vocabulary, no bound below 13 nats


@pytest.mark.parametrize("unit", ["bits/byte", "nats/byte"])
def test_a_unit_that_is_recorded_is_believed(unit: str) -> None:
    assert found(table_of(*[{"loss": 0.9, "loss_unit": unit}] * 4)) == []


def test_columns_a_law_does_not_use_are_not_judged() -> None:
    assert check_units(table_of({"n_params": 0.07}), ("n_tokens", "loss")) == []


def test_rows_are_named_until_there_are_too_many() -> None:
    assert name_rows(np.array([4])) == "row 4"
    assert name_rows(np.arange(1, 9)) == "rows 1, 2, 3, 4, 5 and 3 more"


@pytest.mark.parametrize(
    ("unit", "factor", "code"),
    [("PF-days", 8.64e19, ""), ("petaFLOPs", 1e15, "units-unlikely"),
     ("teraFLOPs", 1e12, "units-unlikely"), ("zettaFLOPs", 1e21, "")],
)  # fmt: skip
@pytest.mark.parametrize("counted", [0.6, 1.0, 1.9])
def test_flops_in_another_unit_are_told_which(unit: str, factor: float, code: str, counted: float):
    flops = counted * 1.2e18 / factor
    table = table_of(*[{"flops": flops}] * 4)
    says = f"C/6ND is that of {unit}"
    if not code:
        with pytest.raises(RunTableError, match=says):
            found(table)
        return
    (told,) = found(table)
    assert told.code == code
    assert told.remedy.startswith(says)
    assert told.remedy.endswith(f"multiply `flops` by {factor:.3g}")


def test_large_runs_in_pf_days_are_told_so_too() -> None:
    large = {"n_params": 1e11, "n_tokens": 2e12, "flops": 1.2e24 / 8.64e19}
    (told,) = found(table_of(*[large] * 4))
    assert (told.code, told.remedy[:24]) == ("units-unlikely", "C/6ND is that of PF-days")
    (one,) = found(table_of(large))
    assert (one.code, one.remedy[:24], one.runs) == (
        "flops-disagree", "C/6ND is that of PF-days", ("r0",)
    )  # fmt: skip
