"""Amounts as people type them: 1e9, 7B, 1.4T, 300M."""

from typing import Any

import click

_SUFFIXES = {"k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12}


class Amount(click.ParamType[float]):
    """A positive number, with an optional suffix k, M, B or T.

    Args:
        example: named where something else is given.

    >>> Amount().convert("1.4T", None, None)
    1400000000000.0
    """

    name = "amount"

    def __init__(self, example: str = "1e9 or 7B") -> None:
        self._example = example

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Parse, and refuse anything that is not a positive finite number."""
        text = str(value).strip().lower().replace(",", "").replace("_", "")
        factor = _SUFFIXES.get(text[-1:], 1.0)
        try:
            if not text.isascii():
                raise ValueError(text)
            number = float(text[:-1] if factor != 1.0 else text) * factor
        except ValueError:
            self.fail(f"expected a number such as {self._example}, found {value!r}", param, ctx)
        if not 0 < number < float("inf"):
            self.fail(f"expected a positive number, found {value!r}", param, ctx)
        return number


AMOUNT = Amount()
