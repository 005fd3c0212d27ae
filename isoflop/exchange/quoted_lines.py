"""Records of separated text with the lines they are made of, and quotes that are never closed."""

import csv
import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

_LINE_END = re.compile(r"\r\n|\r|\n")
_SEPARATORS = ",\t;"


@dataclass(frozen=True)
class Record:
    """One record of separated text.

    Args:
        cells: as read; [] if nothing could be.
        first: line on which it begins, from 1.
        last: line on which it ends.
        fault: why it could not be read, "" if it could.
        quote: line of a quote that is not closed, 0 if there is none.
    """

    cells: list[str]
    first: int
    last: int
    fault: str = ""
    quote: int = 0

    @property
    def n_lines(self) -> int:
        """How many lines it takes up."""
        return self.last - self.first + 1

    def quote_fault(self, where: str) -> str:
        """Say what the open quote did; `where` it opens in words."""
        swallowed = f"; {self.n_lines} lines are swallowed, up to line {self.last}"
        return f"the quote opened {where} is not closed{swallowed if self.n_lines > 1 else ''}"


def split_records(text: str, delimiter: str) -> Iterator[Record]:
    r"""Yield the records of separated text, those that an open quote made of several lines too.

    A quote that is not closed makes one record of every line up to the next quote, or to the end.
    Such a record is told by its lines: read strictly they are none.

    >>> [(record.n_lines, record.quote) for record in split_records('N,loss\n1,"3\n2,4\n', ",")]
    [(1, 0), (2, 2)]
    """
    lines = io.StringIO(text, newline="").readlines()
    reader = csv.reader(lines, delimiter=delimiter)
    while reader.line_num < len(lines):
        first, fault, cells = reader.line_num + 1, "", []
        try:
            cells = next(reader)
        except csv.Error as error:
            fault = f"not readable ({error})"
        last = reader.line_num
        at_end = last == len(lines)
        torn = (last > first or at_end) and _is_torn(lines[first - 1 : last], delimiter)
        yield Record(cells, first, last, fault, _opening(cells, first) if torn else 0)


def _is_torn(lines: list[str], delimiter: str) -> bool:
    """Whether a quote is open at the end of a record's lines, or closes where no cell does.

    Of a single line only an open quote counts, so that it need be asked of the last alone.
    """
    if len(lines) > 1:
        try:
            return len(list(csv.reader(lines, delimiter=delimiter, strict=True))) > 1
        except csv.Error:
            return True
    if '"' not in lines[0]:
        return False
    try:  # were the quote closed, a line more would be a record more
        return len(list(csv.reader([lines[0].rstrip("\r\n") + "\n", "x"], delimiter=delimiter))) < 2
    except csv.Error:
        return False


def _opening(cells: list[str], first: int) -> int:
    """Line on which the last cell that spans lines begins."""
    spans = [len(_LINE_END.findall(cell)) for cell in cells]
    at = max((k for k, span in enumerate(spans) if span), default=len(spans))
    return first + sum(spans[:at])


def blank_comments(text: str) -> str:
    r"""Empty the lines above a header that begin with # and have other cells than what follows.

    A header that begins so itself, as NumPy writes it, has as many cells as its rows.

    >>> blank_comments("# runs of May, tuned\nN,D,loss\n1e6,1e8,3\n")
    '\nN,D,loss\n1e6,1e8,3\n'
    >>> blank_comments("# N,loss\n1e6,3\n")
    '# N,loss\n1e6,3\n'
    """
    if not text.lstrip().startswith("#"):
        return text
    lines = text.splitlines(keepends=True)
    written = [k for k, line in enumerate(lines) if line.strip()]
    for at, below in itertools.pairwise(written):
        if not lines[at].lstrip().startswith("#") or _alike(lines[at], lines[below]):
            break
        lines[at] = lines[at][len(lines[at].rstrip("\r\n")) :]
    return "".join(lines)


def _alike(one: str, other: str) -> bool:
    return all(one.count(mark) == other.count(mark) for mark in _SEPARATORS)
