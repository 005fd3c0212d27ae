"""What a report is made of: plain values that HTML and Markdown render, escaped by each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from isoflop.runs.checks import Finding


@dataclass(frozen=True)
class Heading:
    """A heading.

    Args:
        text: plain text.
        level: 2 for a section, 3 within one.
    """

    text: str
    level: Literal[2, 3] = 2


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of plain text."""

    text: str


@dataclass(frozen=True)
class Answer:
    """The answer, a few lines that stand first.

    Args:
        lines: plain text; a label before two spaces is set apart.
    """

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table of plain text; cells that read as numbers are set to the right.

    Args:
        head: column titles.
        rows: cells, as many a row as titles.
        caption: what the table shows, "" for none.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""


@dataclass(frozen=True)
class FigureBlock:
    """A picture.

    Args:
        name: file stem, unique in the report.
        svg: the picture as SVG.
        png: the same as PNG.
        caption: one or two sentences.
        alt: what a reader who cannot see it should know.
        data: its numbers, CSV text.
        document: its numbers, JSON text.
        width: inches.
    """

    name: str
    svg: bytes
    png: bytes
    caption: str
    alt: str
    data: str = ""
    document: str = ""
    width: float = 7.0


@dataclass(frozen=True)
class Code:
    """Text to be shown letter by letter."""

    text: str


@dataclass(frozen=True)
class FindingList:
    """Findings, errors first."""

    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Download:
    """A file carried inside the page.

    Args:
        name: file name offered.
        text: its content.
        note: what it is.
    """

    name: str
    text: str
    note: str


@dataclass(frozen=True)
class Details:
    """Blocks folded away under a line.

    Args:
        summary: the line.
        blocks: what it opens.
    """

    summary: str
    blocks: "tuple[Block, ...]"


Block = Heading | Paragraph | Answer | Table | FigureBlock | Code | FindingList | Download | Details


@dataclass(frozen=True)
class Document:
    """A whole report.

    Args:
        title: plain text.
        subtitle: one line under it, "" for none.
        blocks: in order.
    """

    title: str
    subtitle: str
    blocks: tuple[Block, ...]


SEVERITIES = ("error", "warning", "note")
"""Findings are shown in this order."""


def sort_findings(findings: Sequence[Finding]) -> list[Finding]:
    """Put errors before warnings before notes, each kept once, otherwise as they came."""
    return sorted(dict.fromkeys(findings), key=lambda f: SEVERITIES.index(f.severity))


def is_number(cell: str) -> bool:
    """Whether a cell reads as a number, an interval or a percentage.

    >>> [is_number(cell) for cell in ("0.52 [0.4, 0.6]", "3.1 %", "7.2e10", "chinchilla", "")]
    [True, True, True, False, False]
    """
    return bool(cell) and all(letter in "0123456789.,eE+-−–…[]% kMBT×^" for letter in cell)


def figures_of(document: Document) -> list[FigureBlock]:
    """Return every picture of a report, folded ones too, in order."""
    found: list[FigureBlock] = []
    pending: list[Block] = list(reversed(document.blocks))
    while pending:
        block = pending.pop()
        if isinstance(block, FigureBlock):
            found.append(block)
        elif isinstance(block, Details):
            pending.extend(reversed(block.blocks))
    return found
