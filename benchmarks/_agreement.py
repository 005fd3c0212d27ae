"""Digits in which a number found here agrees with a printed one."""

import re
from math import floor, log10

NUMBER = re.compile(r"[+−-]?(?:\d[\d,]*\.?\d*|\.\d+)(?:e[+-]?\d+)?")


def read_numbers(text: str) -> list[str]:
    """Return the numbers of a text as they are written, minus signs and commas made plain."""
    return [found.replace("−", "-").replace(",", "") for found in NUMBER.findall(text)]


def last_unit(written: str) -> float:
    """Return the worth of the last digit that is written.

    >>> last_unit(".835"), last_unit("478"), last_unit("2.38e11")
    (0.001, 1.0, 1000000000.0)
    """
    digits, _, power = written.partition("e")
    return float(f"1e{int(power or 0) - len(digits.partition('.')[2])}")


def same_number(one: str, other: str) -> bool:
    """Whether two written numbers are equal to the last digit of the shorter one."""
    coarser = max(last_unit(one), last_unit(other))
    return abs(float(one) - float(other)) <= 0.5 * coarser * (1 + 1e-6)


def digits_agreed(published: str, ours: float) -> str:
    """Return the digits agreed: `all`, or minus log10 of the relative difference, rounded down.

    >>> digits_agreed(".835", 0.8352), digits_agreed(".706", 0.7149)
    ('all', '1')
    """
    unit = last_unit(published)
    if abs(ours - float(published)) <= 0.5 * unit * (1 + 1e-6):
        return "all"
    return str(max(0, floor(-log10(abs(ours / float(published) - 1)))))


def write_plain(value: float, published: str) -> str:
    """Write a number to the last digit of a published one."""
    if "e" in published:
        digits, power = f"{value:.{len(published.partition('e')[0].partition('.')[2])}e}".split("e")
        return f"{digits}e{int(power)}"
    text = f"{value:.{len(published.partition('.')[2])}f}"
    return re.sub(r"^(-?)0\.", r"\1.", text)
