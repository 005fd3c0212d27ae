"""What every fault test has: one thread, and a row of the table that ends the run.

`python -m pytest -m study tests/faults` runs the full counts and prints the table.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

RecordFault = Callable[..., None]
_HEADER = ("fault", "tried", "expected", "found")
_PROPERTY = "fault"


@pytest.fixture
def record_fault(request: pytest.FixtureRequest) -> RecordFault:
    """Add a row: `record_fault(1, tried="50 SIGKILLs", expected="0 lost", found="0 lost")`.

    Record before the last assertion, so that a failing fault stands in the table too.
    """

    def record(number: int | str, *, tried: Any, expected: Any, found: Any) -> None:
        # A property of the report: it comes back from the processes of pytest-xdist.
        row = [str(number), str(tried), str(expected), str(found)]
        request.node.user_properties.append((_PROPERTY, row))

    return record


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """One thread, as in training; a test that trains in this process leaves no setting behind."""
    try:
        import torch
    except ImportError:
        yield
        return
    torch.set_num_threads(1)
    before = torch.get_float32_matmul_precision()
    yield
    torch.set_float32_matmul_precision(before)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table, in the order of the faults."""
    rows = [
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", None) == "call"
        for name, value in report.user_properties
        if name == _PROPERTY
    ]
    if not rows:
        return
    rows.sort(key=lambda row: [int("".join(filter(str.isdigit, row[0])) or 0), *row])
    widths = [max(map(len, column)) for column in zip(_HEADER, *rows, strict=True)]
    terminalreporter.section("faults")
    for row in (_HEADER, ["-" * width for width in widths], *rows):
        line = " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        terminalreporter.write_line(line.rstrip())
