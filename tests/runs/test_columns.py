"""Which column of a file is which column of the run table."""

from pathlib import Path

import pytest

from isoflop.base.errors import InputError, RunTableError, UnknownNameError
from isoflop.runs.columns import (
    ALIASES,
    NUMBER_COLUMNS,
    TEXT_COLUMNS,
    map_columns,
    parse_overrides,
)
from isoflop.runs.table import RunTable


@pytest.mark.parametrize(
    ("found", "canonical"),
    [
        ("N", "n_params"),
        ("Model Size", "n_params"),
        ("num-params", "n_params"),
        ("D", "n_tokens"),
        ("Training Tokens", "n_tokens"),
        ("C", "flops"),
        ("Training FLOP", "flops"),
        ("val_loss", "loss"),
        (" Loss ", "loss"),
        ("learning_rate", "lr"),
        ("State", "status"),
        ("perplexity", "perplexity"),
    ],
)
def test_the_usual_spellings_are_recognised(found: str, canonical: str) -> None:
    assert map_columns([found]) == {canonical: found}


def test_what_the_checks_read_is_a_number_with_a_unit_and_refused_as_text() -> None:
    read = ("warmup_tokens", "warmup_steps", "averaged_tokens", "n_examples", "n_layer",
            "d_model", "n_ctx")  # fmt: skip
    for name in read:
        assert NUMBER_COLUMNS[name]
        with pytest.raises(RunTableError, match=f"`{name}`: expected a number, found 'many'"):
            RunTable.from_records([{"loss": 3.0, name: "many"}])
    for name in ("warmup_tokens", "warmup_steps", "averaged_tokens"):
        assert RunTable.from_records([{"loss": 3.0, name: 0}]).numbers(name).tolist() == [0.0]
    for name in ("n_examples", "n_layer", "d_model", "n_ctx"):
        with pytest.raises(RunTableError, match="expected a positive number"):
            RunTable.from_records([{"loss": 3.0, name: 0}])


def test_every_column_stands_on_its_page_with_its_unit() -> None:
    page = (Path(__file__).parents[2] / "docs" / "columns.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    listed = {**NUMBER_COLUMNS, **TEXT_COLUMNS}
    assert rows == [f"| `{name}` | {what} |" for name, what in listed.items()]


def test_every_alias_belongs_to_one_column_and_shadows_none() -> None:
    spellings = [alias for aliases in ALIASES.values() for alias in aliases]
    assert len(set(spellings)) == len(spellings)
    assert set(ALIASES) <= {*NUMBER_COLUMNS, *TEXT_COLUMNS}
    assert not set(spellings) & {*NUMBER_COLUMNS, *TEXT_COLUMNS}


def test_two_columns_that_read_as_one_are_refused_until_one_is_named() -> None:
    with pytest.raises(InputError) as refused:
        map_columns(["params", "N", "loss"])
    assert str(refused.value) == (
        "columns 'params' and 'N' both read as `n_params`; say which with --columns n_params=NAME"
    )
    mapping = map_columns(["params", "N", "loss"], {"n_params": "N"})
    assert mapping == {"n_params": "N", "params": "params", "loss": "loss"}


def test_an_override_wins_over_the_very_name() -> None:
    mapping = map_columns(["loss", "ema_loss"], {"loss": "ema_loss"})
    assert mapping == {"loss": "ema_loss", "loss_as_read": "loss"}


def test_an_override_must_name_a_column_of_the_file() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown column 'Nn'; did you mean N\?"):
        map_columns(["N", "loss"], {"n_params": "Nn"})


@pytest.mark.parametrize(
    ("text", "overrides"),
    [
        ("", {}),
        ("n_params=N", {"n_params": "N"}),
        (" n_params = Model Size ,loss=val", {"n_params": "Model Size", "loss": "val"}),
        ("loss=a=b,", {"loss": "a=b"}),
    ],
)
def test_overrides_are_read_from_text(text: str, overrides: dict[str, str]) -> None:
    assert parse_overrides(text) == overrides


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "--columns wants name=column, found 'nonsense'"),
        ("loss=", "--columns wants name=column, found 'loss='"),
        ("loss= ", "--columns wants name=column, found 'loss= '"),
        ("n_param=N", "unknown run-table column 'n_param'; did you mean n_params or "),
        ("=N", "unknown run-table column ''"),
    ],
)
def test_nonsense_in_place_of_overrides_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_overrides(text)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            {"nonsense": "N"},
            "`nonsense` is no column of the run table, and 'N' reads as `n_params`; "
            "known: n_params, n_params_non_embedding, ",
        ),
        (
            {"n_params": "N", "n_tokens": "N"},
            "--columns names 'N' as `n_params` and as `n_tokens`; it is one",
        ),
    ],
)
def test_overrides_that_cannot_be_meant_are_refused(
    overrides: dict[str, str], message: str
) -> None:
    with pytest.raises(InputError) as refused:
        map_columns(["N", "params", "loss"], overrides)
    assert str(refused.value).startswith(message)
    assert map_columns(["width", "loss"], {"d": "width"}) == {"loss": "loss", "d": "width"}


def test_a_column_is_named_once() -> None:
    with pytest.raises(InputError, match="--columns names `loss` twice; say it once"):
        parse_overrides("loss=a,loss=b")
