"""Sentences that follow from a field whose own mistake is told already."""

import re
from collections.abc import Iterable


def without_unread(sentences: Iterable[str], unread: Iterable[str]) -> list[str]:
    """Leave out sentences that name one of the paths.

    >>> without_unread(["a.tokens is 3, expected 4", "a.tokens_b is 1"], ["a.tokens"])
    ['a.tokens_b is 1']
    """
    paths = [re.compile(rf"(?<![\w.]){re.escape(path)}(?!\w)") for path in unread]
    return [each for each in sentences if not any(path.search(each) for path in paths)]
