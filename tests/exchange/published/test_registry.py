"""The registry itself: complete entries, unknown names, one error for a broken entry."""

import re

import pytest

from isoflop.base.errors import SpecError, UnknownNameError
from isoflop.exchange.published.registry import (
    find_published_table,
    parse_published_table,
    published_table_names,
)


@pytest.mark.parametrize("name", published_table_names())
def test_every_entry_says_source_licence_citation_and_hash(name: str) -> None:
    entry = find_published_table(name)
    assert re.fullmatch(r"[0-9a-f]{64}", entry.sha256)
    assert re.fullmatch(r"[\w-]+/[\w.-]+", entry.repository)
    assert entry.licence
    assert entry.citation
    assert entry.rows > 0
    assert entry.columns
    assert ".." not in entry.local
    if not entry.made:  # it can be fetched, so it must be pinned to a commit
        assert re.fullmatch(r"[0-9a-f]{40}", entry.commit)
        assert entry.address.endswith(f"{entry.repository}/{entry.commit}/{entry.path}")


def test_examples_that_training_saw_are_no_items_of_a_task() -> None:
    columns = find_published_table("alabdulmohsin-2022-curves").columns
    assert dict(columns) == {"examples_seen": "Seen Examples", "loss": "Loss"}


def test_an_unknown_table_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean besiroglu-2024-points"):
        find_published_table("besiroglu-2024-point")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title = ", "not valid TOML"),
        ('title = "a"', "not an entry"),
        ('titel = "a"', "unknown key 'titel'"),
    ],
)
def test_a_broken_entry_is_one_error(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        parse_published_table("broken", text)
