"""JSON as the standard means it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.base.errors import InputError
from isoflop.base.strict_json import dumps, loads

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
DOCUMENTS = st.recursive(
    SCALARS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(DOCUMENTS)
def test_a_document_comes_back_equal_and_other_readers_agree(document: object) -> None:
    assert loads(dumps(document)) == document == json.loads(dumps(document))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": NaN}', "NaN is not a JSON number"),
        ("[Infinity]", "Infinity is not a JSON number"),
        ("[-Infinity]", "-Infinity is not a JSON number"),
        ("[1e999]", "1e999 is too large"),
        ('{"a": 1, "a": 2}', "key 'a' appears twice"),
        ('{"a": {"b": 1, "b": 1}}', "key 'b' appears twice"),
        ("", "Expecting value"),
        ("{", "Expecting property name"),
        ("[1,]", "law.json: not valid JSON"),
        ("[1] [2]", "Extra data"),
        ("9" * 5000, "law.json: not valid JSON"),
        ("[" * 100_000, "law.json: nested too deeply"),
    ],
)
def test_what_the_standard_refuses_is_refused_in_one_line(text: str, reason: str) -> None:
    with pytest.raises(InputError) as refused:
        loads(text, source="law.json")
    assert reason in str(refused.value)
    assert str(refused.value).startswith("law.json: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_what_json_cannot_say_is_never_written(number: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        dumps({"value": number})
