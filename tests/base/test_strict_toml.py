import pytest

from isoflop.base import strict_toml
from isoflop.base.errors import SpecError
from isoflop.runs.ladders.toml import parse_ladder


def test_a_mistake_names_the_file_and_the_place() -> None:
    with pytest.raises(SpecError, match=r"^ladder\.toml: not valid TOML: .*line 2"):
        strict_toml.loads("a = 1\nb ==", source="ladder.toml")


def test_nesting_too_deep_is_one_sentence_and_no_recursion() -> None:
    with pytest.raises(SpecError, match=r"deep\.toml: nested too deeply"):
        parse_ladder("rungs = " + "[" * 100_000, source="deep.toml")


@pytest.mark.parametrize("digits", ["9" * 5000, "0x" + "f" * 5000, str(2**63), str(-(2**63) - 1)])
def test_an_integer_of_too_many_digits_is_one_sentence(digits: str) -> None:
    with pytest.raises(SpecError, match=r"^long\.toml: not valid TOML: an integer beyond 64 bits$"):
        parse_ladder(f"seed = 1\nrungs = [{{seeds = {digits}}}]", source="long.toml")
    assert strict_toml.loads(f"a = {2**63 - 1}") == {"a": 2**63 - 1}
