"""The plain part of YAML: nested mappings of scalars by indentation, as trackers write configs.

No anchors, aliases, tags or flow collections, so nothing expands and nothing is built; lists and
block text are passed over, since a run table has no place for them.
"""

import re
from typing import Any

from isoflop.base.errors import InputError
from isoflop.exchange.foreign_json import Scalar, number

_ENTRY = re.compile(
    r"^( *)((?:\"[^\"]*\"|'[^']*'|[^\s#:'\"\-?&*!|>%@`{\[][^#:]*?|-?[\w.]+)):(?: +(.*))?$"
)
_NUMBER = re.compile(r"^[-+]?(\d[\d_]*)?\.?\d*([eE][-+]?\d+)?$", re.ASCII)
MAX_DEPTH = 32


def parse_yaml(text: str, *, source: str) -> dict[str, Any]:
    r"""Read nested mappings; whatever is no plain entry is passed over.

    Raises:
        InputError: nested too deeply.

    >>> parse_yaml("lr:\n    value: 0.001\nmodel:\n    n: 2\n    act: 'a: b'\n", source="c.yaml")
    {'lr': {'value': 0.001}, 'model': {'n': 2, 'act': 'a: b'}}
    """
    root: dict[str, Any] = {}
    stack: list[tuple[int, dict[str, Any]]] = [(-1, root)]
    for line in text.splitlines():
        entry = _ENTRY.match(line.rstrip()) if len(line) < 10_000 else None
        if entry is None:
            continue
        indent, key, rest = len(entry[1]), str(_scalar(entry[2])), (entry[3] or "").strip()
        while indent <= stack[-1][0]:
            stack.pop()
        if len(stack) > MAX_DEPTH:
            raise InputError(f"{source}: nested too deeply")
        if rest and not rest.startswith("#"):
            if rest[0] not in "&*!{[|>":
                stack[-1][1][key] = _scalar(rest)
            continue
        child: dict[str, Any] = {}
        stack[-1][1][key] = child
        stack.append((indent, child))
    return root


def _scalar(text: str) -> Scalar:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1].replace("''", "'") if text[0] == "'" else text[1:-1]
    text = text.split(" #", 1)[0].strip()
    if text in ("null", "~", "Null", "NULL"):
        return None
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if text in (".nan", ".NaN", ".inf", "-.inf"):
        return float(text.replace(".", ""))
    amount = number(text.replace("_", "")) if _NUMBER.match(text) else None
    if amount is None:
        return text
    return int(text) if text.lstrip("+-").isdigit() else amount
