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
