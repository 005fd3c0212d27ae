"""Durations read back by what they say."""

import pytest

from isoflop.base.duration import clock


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (-3.0, "0 s"),
        (0.0, "0 s"),
        (0.4, "0 s"),
        (0.6, "1 s"),
        (59.4, "59 s"),
        (59.6, "1:00"),
        (61.0, "1:01"),
        (3599.4, "59:59"),
        (3599.6, "1:00 h"),
        (3600.0, "1:00 h"),
        (5400.0, "1:30 h"),
        (360_000.0, "100:00 h"),
    ],
)
def test_seconds_then_minutes_then_hours(seconds: float, written: str) -> None:
    assert clock(seconds) == written


@pytest.mark.parametrize("seconds", [7, 60, 599, 3599, 3600, 86_399, 1_000_000])
def test_what_is_written_is_within_its_last_digit(seconds: int) -> None:
    text = clock(seconds)
    if text.endswith(" s"):
        read = int(text[:-2])
    else:
        first, second = map(int, text.removesuffix(" h").split(":"))
        read = (60 * first + second) * (60 if text.endswith("h") else 1)
    assert abs(read - seconds) <= (30 if seconds >= 3600 else 0)
