"""From the files of a package to documents: plain text, HTML, dictionaries, JSON, a string.

Only regular expressions and `html.unescape` touch the markup: the standard library's HTML parser
changes between patch releases, and with it a corpus's hash would.
"""

import html
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from isoflop.base.errors import InputError

BLOCK_BYTES = 16_000
"""Texts without documents, such as dictionaries, are cut into documents of about this length."""

_HIDDEN = re.compile(
    r"<!--.*?-->|<(script|style|head|nav|svg|form)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE
)
_BREAK = re.compile(
    r"</?(p|div|br|hr|li|ul|ol|dl|dt|dd|tr|table|h[1-6]|pre|blockquote|section)\b[^>]*>",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[A-Za-z][^>]*>|<![A-Za-z][^>]*>|<\?[^>]*>")
_SPACES = re.compile(r"[ \t\xa0]+\n")
_GAPS = re.compile(r"\n{3,}")
_LITERAL = re.compile(r'"""(.*?)"""', re.DOTALL)


def strip_html(text: str) -> str:
    r"""Return the text of a page: scripts and navigation gone, blocks on lines of their own.

    >>> strip_html("<head><title>x</title></head><p>A &lt; B<br>c</p><script>1</script>")
    'A < B\nc'
    """
    text = _BREAK.sub("\n", _HIDDEN.sub(" ", text))
    text = html.unescape(_TAG.sub("", text)).replace("\r\n", "\n").replace("\xa0", " ")
    return _GAPS.sub("\n\n", _SPACES.sub("\n", text)).strip()


def cut_blocks(text: str, size: int = BLOCK_BYTES) -> Iterator[str]:
    r"""Cut a long text into documents of about `size` characters.

    A block ends before a line that begins with a letter at the margin, so that the entry of a
    dictionary stays whole.

    >>> list(cut_blocks("one\n  1\ntwo\n  2\n", size=3))
    ['one\n  1\n', 'two\n  2\n']
    """
    lines: list[str] = []
    length = 0
    for line in text.splitlines(keepends=True):
        if length >= size and not line[0].isspace():
            yield "".join(lines)
            lines, length = [], 0
        lines.append(line)
        length += len(line)
    if lines:
        yield "".join(lines)


def _read_text(text: str, key: str) -> Iterator[str]:
    yield text


def _read_html(text: str, key: str) -> Iterator[str]:
    yield strip_html(text)


def _read_blocks(text: str, key: str) -> Iterator[str]:
    yield from cut_blocks(text)


def _read_json(text: str, key: str) -> Iterator[str]:
    """One document a file: every string under `key`, at any depth, markup stripped."""
    yield "\n".join(strip_html(found) for found in _strings_under(json.loads(text), key))


def _read_json_entries(text: str, key: str) -> Iterator[str]:
    """One document for each string under `key`."""
    yield from (strip_html(found) for found in _strings_under(json.loads(text), key))


def _read_literal(text: str, key: str) -> Iterator[str]:
    """Blocks of the longest triple-quoted string of a Python file, which is never run."""
    found = max(_LITERAL.findall(text), key=len, default="")
    yield from cut_blocks(found)


Reader = Callable[[str, str], Iterator[str]]

READERS: Mapping[str, Reader] = {
    "text": _read_text,
    "html": _read_html,
    "blocks": _read_blocks,
    "json": _read_json,
    "json-entries": _read_json_entries,
    "literal": _read_literal,
}
"""How a file becomes documents; a seventh way is one function and one line here."""


def read_documents(
    content: bytes, path: str, *, reader: str, key: str, on_bad_bytes: str
) -> Iterator[bytes]:
    """Yield the documents of one file: UTF-8, lines ended by LF, no NUL, none empty.

    Args:
        content: of the file, unpacked.
        path: used in errors.
        reader: one of `READERS`.
        key: see `Part`.
        on_bad_bytes: `refuse` what is not UTF-8, or `drop` those bytes.

    Raises:
        InputError: not UTF-8, or not the format the reader expects.
    """
    try:
        text = content.decode("utf-8", "ignore" if on_bad_bytes == "drop" else "strict")
        for document in READERS[reader](text, key):
            clean = document.replace("\r\n", "\n").replace("\x00", "").strip()
            if clean:
                yield clean.encode()
    except UnicodeError as error:
        raise InputError(f"{path}: not UTF-8 text ({error})") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read as {reader} ({error})") from None


def _strings_under(value: Any, key: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == key and isinstance(inner, str):
                yield inner
            else:
                yield from _strings_under(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings_under(inner, key)
