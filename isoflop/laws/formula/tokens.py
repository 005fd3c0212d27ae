"""Split a formula into words, and refuse every character that has no place in one."""

import keyword
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from isoflop.base.errors import InputError

MAX_LENGTH = 2000
"""Characters of a formula; the longest published one has 260."""
MAX_DIGITS = 40
"""Characters of one number."""
MAX_NAME = 40

_TOKEN = re.compile(
    r"[ \t]*(?:"
    r"(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign>\*\*|[-+*/(),])"
    r")",
    re.ASCII,
)
_HINTS: Mapping[str, str] = {
    "^": "; a power is written **",
    "=": "; write the right-hand side only, without `loss =`",
    "[": "; use ( )",
    "·": "; a product is written *",
    "×": "; a product is written *",
    "−": "; that is not the minus of the keyboard",
}


@dataclass(frozen=True)
class Token:
    """A word of a formula and where it stands."""

    kind: str
    text: str
    at: int


class FormulaError(InputError):
    """A formula outside the grammar; the message marks the place."""


def tokenize(text: str) -> list[Token]:
    """Split a formula into words, refusing every character that has no place in one."""
    if len(text) > MAX_LENGTH:
        raise FormulaError(f"formula of {len(text)} characters; at most {MAX_LENGTH} are read")
    if not text.strip():
        raise FormulaError("empty formula; expected one such as E + A/n_params**alpha")
    tokens, at, end = [], 0, len(text.rstrip(" \t"))
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            at += len(text[at:]) - len(text[at:].lstrip(" \t"))
            character = text[at]
            raise FormulaError(mark_place(text, at, f"{character!a} has no place in a formula")
                               + _HINTS.get(character, ""))  # fmt: skip
        kind = str(found.lastgroup)
        token = Token(kind, found.group(kind), found.start(kind))
        _check_token(token, text, found.end())
        tokens.append(token)
        at = found.end()
    return [*tokens, Token("end", "", end)]


def _check_token(token: Token, text: str, end: int) -> None:
    """Refuse numbers and names that no law has."""
    if token.kind == "number":
        follows = text[end : end + 1]
        if follows.isalnum() or follows in ("_", "."):
            raise FormulaError(mark_place(text, token.at, "not a number; a product needs its *"))
        if len(token.text) > MAX_DIGITS:
            raise FormulaError(
                mark_place(text, token.at, f"number of {len(token.text)} characters")
            )
        if not math.isfinite(float(token.text)):
            raise FormulaError(mark_place(text, token.at, f"{token.text} is too large for a float"))
    if token.kind == "name":
        if len(token.text) > MAX_NAME:
            raise FormulaError(mark_place(text, token.at, f"name of {len(token.text)} characters"))
        if "__" in token.text or keyword.iskeyword(token.text):
            raise FormulaError(
                mark_place(text, token.at, f"{token.text} cannot be the name of a constant")
            )


def mark_place(text: str, at: int, problem: str) -> str:
    """Say what is wrong and where: the few characters around the place."""
    before, after = text[max(0, at - 12) : at], text[at : at + 12]
    start = "…" if at > 12 else ""
    stop = "…" if at + 12 < len(text) else ""
    near = "".join(c if c.isprintable() else "?" for c in f"{start}{before}▸{after}{stop}")
    return f"formula, character {at + 1} ({near}): {problem}"
