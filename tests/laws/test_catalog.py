"""The catalog as a whole: every entry evaluates, serialises, and is found or refused by name."""

import math

import pytest

from isoflop.base import strict_json
from isoflop.base.errors import InputError, UnknownNameError
from isoflop.laws.catalog import (
    CATALOG,
    find_published,
    predict_published,
    published_names,
    rounding_warning,
)
from isoflop.laws.published.entry import UNITS


@pytest.mark.parametrize("name", published_names())
def test_every_entry_evaluates_and_serialises(name: str) -> None:
    entry = find_published(name)
    inputs = {"n_params": 1e9, "n_tokens": 2e10, "n_tokens_unique": 1e10}
    inputs |= {"flops": 1e21, "steps": 2e4, "loss": 3.0, "n_finetune": 3e5}
    inputs |= {"n_params_non_embedding": 9e8, "n_params_vocabulary": 1e8}
    inputs |= {"n_experts": 64.0, "granularity": 8.0}
    predicted = predict_published(entry, {v: inputs[v] for v in entry.law.variables}).value
    assert (predicted < 0) == (entry.predicts == "loss_unigram")  # better than counting
    document = strict_json.loads(strict_json.dumps(entry.to_dict()))
    assert document == entry.to_dict()
    assert {"name", "form", "params", "units", "source", "convention"} <= set(document)
    assert list(document["params"].values()) == entry.theta.tolist()
    assert entry.units[entry.predicts] == UNITS[entry.predicts]


@pytest.mark.parametrize("name", published_names())
def test_every_entry_lies_within_the_bounds_of_its_law(name: str) -> None:
    entry = find_published(name)
    for parameter, constant in zip(entry.law.parameters, entry.theta, strict=True):
        assert parameter.low <= constant <= parameter.high, parameter.name


def test_constants_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        find_published("besiroglu-2024").theta[0] = 2.0


def test_case_and_underscores_are_forgiven() -> None:
    assert find_published(" Besiroglu_2024 ") is CATALOG["besiroglu-2024"]


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as caught:
        find_published("hofmann-2022")
    message = "unknown published law 'hofmann-2022'; did you mean hoffmann-2022"
    assert str(caught.value).startswith(message)


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(InputError) as caught:
        predict_published(find_published("hoffmann-2022"), {"n_params": 1e9})
    message = "hoffmann-2022 predicts loss from n_params, n_tokens; found n_params"
    assert str(caught.value) == message


def test_a_variable_the_law_does_not_read_is_refused() -> None:
    with pytest.raises(InputError, match="found flops, n_params"):
        predict_published(find_published("kaplan-2020-l-n"), {"n_params": 1e9, "flops": 1e20})


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_inputs_must_be_positive_and_finite(bad: float) -> None:
    with pytest.raises(InputError, match="n_params must be positive and finite in parameters"):
        predict_published(find_published("kaplan-2020-l-n"), {"n_params": bad})


def test_rounded_constants_come_with_a_warning_and_full_ones_without() -> None:
    assert rounding_warning(find_published("besiroglu-2024")) is None
    assert rounding_warning(find_published("hoffmann-2022-tex")) is None
    warning = rounding_warning(find_published("hoffmann-2022"))
    assert warning is not None
    assert "92.6" in warning
    assert "58.9" in warning
