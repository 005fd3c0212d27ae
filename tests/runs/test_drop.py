"""Leaving runs out, and saying so."""

import pytest

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.runs.drop import drop_highest_loss, drop_runs
from isoflop.runs.table import RunTable

TABLE = RunTable.from_records(
    [
        {"run": "a", "loss": 3.0},
        {"run": "b#1", "loss": 5.0},
        {"run": "4", "loss": 2.0},
        {"run": "d", "loss": 5.0},
        {"loss": 4.0},
    ]
)


@pytest.mark.parametrize(
    ("listed", "kept"),
    [
        ([], ["a", "b#1", "4", "d", "row 5"]),
        (["a", " d "], ["b#1", "4", "row 5"]),
        (["1", "row 5"], ["b#1", "4", "d"]),
        (["5"], ["a", "b#1", "4", "d"]),
        (["4"], ["a", "b#1", "d", "row 5"]),  # the run of that name, not the fourth row
        (["b#1"], ["a", "4", "d", "row 5"]),
        (["# all of these diverged", "", "a # at step 7"], ["b#1", "4", "d", "row 5"]),
        (["a", "a"], ["b#1", "4", "d", "row 5"]),
    ],
)
def test_runs_are_dropped_by_name_or_row(listed: list[str], kept: list[str]) -> None:
    assert drop_runs(TABLE, listed).names() == kept


def test_dropping_is_recorded() -> None:
    assert drop_runs(TABLE, ["a", "d"]).notes == ("2 runs dropped by name or row",)
    assert drop_highest_loss(TABLE, 2).notes == ("the 2 runs with the highest loss dropped",)


def test_rows_keep_their_numbers_after_a_first_drop() -> None:
    assert drop_runs(drop_runs(TABLE, ["1"]), ["5"]).names() == ["b#1", "4", "d"]


@pytest.mark.parametrize("entry", ["z", "6", "0", "-1"])
def test_a_run_that_is_not_there_is_refused(entry: str) -> None:
    with pytest.raises(UnknownNameError, match="unknown run or row"):
        drop_runs(TABLE, [entry])


def test_the_highest_losses_go_first_and_the_earlier_of_equals() -> None:
    assert drop_highest_loss(TABLE, 0).names() == TABLE.names()
    assert drop_highest_loss(TABLE, 1).names() == ["a", "4", "d", "row 5"]
    assert drop_highest_loss(TABLE, 3).names() == ["a", "4"]


@pytest.mark.parametrize("count", [-1, 5, 6])
def test_dropping_everything_or_less_than_nothing_is_refused(count: int) -> None:
    with pytest.raises(InputError, match=f"cannot drop {count} of 5 runs"):
        drop_highest_loss(TABLE, count)


def test_a_name_that_runs_share_drops_them_all_and_is_suggested_once() -> None:
    table = RunTable.from_records([{"run": r, "loss": 3.0} for r in ("one", "one", "two")])
    left = drop_runs(table, ["one"])
    assert left.names() == ["two"]
    assert left.notes == ("2 runs dropped by name or row; 'one' names 2 of them",)
    assert drop_runs(table, ["2"]).names() == ["one", "two"]
    with pytest.raises(UnknownNameError, match=r"did you mean one\?$"):
        drop_runs(table, ["ones"])
