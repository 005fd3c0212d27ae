import json

import pytest

from isoflop.base.errors import InputError
from isoflop.lab.data.readers import READERS, cut_blocks, read_documents, strip_html


def read(content: bytes, reader: str, key: str = "text", on_bad_bytes: str = "refuse") -> list:
    return list(read_documents(content, "f", reader=reader, key=key, on_bad_bytes=on_bad_bytes))


def test_html_loses_its_markup_and_keeps_its_text() -> None:
    page = (
        "<!DOCTYPE html><html><head><title>no</title></head><body><nav><a>menu</a></nav>"
        "<!-- <p>no</p> --><h1>Title</h1><p>A &amp; B &lt;x&gt; <b>bold</b>word</p>"
        "<SCRIPT type='a'>if (1 < 2) no()</SCRIPT><ul><li>one<li>two</ul>2 < 3 > 1</body></html>"
    )
    text = strip_html(page)
    assert [line for line in text.split("\n") if line.strip()] == [
        "Title", "A & B <x> boldword", "one", "two", "2 < 3 > 1"
    ]  # fmt: skip


def test_blocks_keep_entries_whole_and_lose_nothing() -> None:
    text = "".join(f"entry{i}\n   meaning {i}\n" for i in range(1000))
    blocks = list(cut_blocks(text, size=500))
    assert "".join(blocks) == text
    assert all(block.startswith("entry") for block in blocks)
    assert max(map(len, blocks)) < 600


def test_json_strings_are_found_at_any_depth() -> None:
    value = {
        "a": {"text": "<p>one</p>"},
        "b": [{"text": "two", "c": "no"}, {"text": {"text": "3"}}],
    }
    content = json.dumps(value).encode()
    assert read(content, "json") == [b"one\ntwo\n3"]
    assert read(content, "json-entries") == [b"one", b"two", b"3"]


def test_the_longest_literal_of_a_python_file_is_read_and_nothing_runs() -> None:
    source = (
        b'import nowhere\nx = """short"""\ny = """the long one\nwith lines"""\nraise SystemExit\n'
    )
    assert read(source, "literal") == [b"the long one\nwith lines"]


def test_documents_are_clean_and_never_empty() -> None:
    assert read(b"\r\n a\x00b\r\nc \n\n", "text") == [b"ab\nc"]
    for reader in ("text", "html", "blocks", "literal"):
        assert read(b"  \n ", reader) == []


def test_bytes_that_are_not_utf8_are_refused_or_dropped() -> None:
    with pytest.raises(InputError, match="not UTF-8"):
        read(b"a\x92b", "text")
    assert read(b"a\x92b", "text", on_bad_bytes="drop") == [b"ab"]


@pytest.mark.parametrize("content", [b"{not json", b"[" * 100_000])
def test_bad_json_is_one_sentence(content: bytes) -> None:
    with pytest.raises(InputError, match="cannot be read as json"):
        read(content, "json")
    assert "json" in READERS
