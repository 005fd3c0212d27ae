"""Ladder files spoiled at random: a ladder, or one SpecError in plain words, a line a mistake."""

import random
import re

import pytest

from isoflop.base.errors import SpecError
from isoflop.runs.designs.examples import EXAMPLES
from isoflop.runs.ladders.toml import parse_ladder, print_ladder

VALUES = (
    "true", "3", "-1", "0", "2.5", "nan", "inf", "-inf", "1e400", '"x"', '""', "[]", "[1]", '["a"]',
    "[[1, 2], 3]", "{}", "{a = 1}", "1979-05-27", "9223372036854775807", "1e308", '"bytes"',
    '"bpe-300"', "[nan]", "[-1, 0]", "[2, 1]", "1e-300",
)  # fmt: skip
PYTHON = re.compile(r"\b(int|float|str|bool|tuple|dict|NoneType|iterable|unhashable|attribute)\b")
QUOTED = re.compile(r"'[^']*'")


def spoil(text: str, chance: random.Random) -> str:
    """Give up to six keys another value or another name, or take them away."""
    lines = text.splitlines()
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(lines))
        key, equals, _ = lines[place].partition(" = ")
        if equals and not key.startswith("#"):
            other = f"{key} = {chance.choice(VALUES)}"
            lines[place] = chance.choice([other, other, other, f"{key}x = 1", ""])
    return "\n".join(lines)


def error_of(text: str) -> SpecError | None:
    """The error of a file; one that has none reads back as it is printed."""
    try:
        ladder = parse_ladder(text, source="f", corpora=lambda _: "")
    except SpecError as error:
        return error
    assert parse_ladder(print_ladder(ladder)) == ladder
    return None


@pytest.mark.parametrize("seed", range(10))
def test_a_spoiled_file_is_a_ladder_or_mistakes_in_plain_words(seed: int) -> None:
    chance = random.Random(seed)
    texts = [spoil(EXAMPLES[chance.choice(list(EXAMPLES))], chance) for _ in range(20)]
    errors = [error for error in map(error_of, texts) if error is not None]
    assert errors
    for error in errors:
        told = error.mistakes
        assert len(set(told)) == len(told) > 0
        assert len(str(error).splitlines()) == (1 if len(told) == 1 else 1 + len(told))
        assert not PYTHON.search(QUOTED.sub("", str(error))), error
