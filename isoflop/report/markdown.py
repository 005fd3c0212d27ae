"""Render a report as Markdown, pictures as files beside it."""

import re
from urllib.parse import quote

from isoflop.report.blocks import (
    Answer,
    Block,
    Code,
    Details,
    Document,
    Download,
    FigureBlock,
    FindingList,
    Heading,
    Paragraph,
    Table,
    is_number,
    sort_findings,
)
from isoflop.runs.checks import Finding

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$])")
_LIST_START = re.compile(r"^([-+=])")
_LINK_START = re.compile(r"(?i)\b(https?|javascript|data|ftp):")


def render_markdown(document: Document, *, figures: str = "figures") -> str:
    r"""Write the twin of the page; the same document gives the same bytes.

    Args:
        document: the report.
        figures: folder of the pictures, relative to the Markdown file.

    >>> print(render_markdown(Document("a|b", "", (Paragraph("<i>"),))))
    # a\|b
    <BLANKLINE>
    \<i\>
    <BLANKLINE>
    """
    parts = [f"# {_text(document.title)}"]
    if document.subtitle:
        parts.append(_text(document.subtitle))
    parts += [_render(block, figures) for block in document.blocks]
    return "\n\n".join(part for part in parts if part) + "\n"


def _render(block: Block, figures: str) -> str:
    match block:
        case Heading():
            return f"{'#' * block.level} {_text(block.text)}"
        case Paragraph():
            return _text(block.text)
        case Code():
            return _fence(block.text)
        case Answer():
            return _fence("\n".join(block.lines))
        case Table():
            return _table(block)
        case FigureBlock():
            path = quote(f"{figures}/{block.name}.png")
            return f"![{_text(block.alt)}]({path})\n\n*{_text(block.caption)}*"
        case FindingList():
            return "\n".join(_finding(f) for f in sort_findings(block.findings))
        case Download():
            return f"`{block.name}` {_text(block.note)}"
        case Details():
            inner = "\n\n".join(_render(child, figures) for child in block.blocks)
            summary = _html(block.summary)
            return f"<details><summary>{summary}</summary>\n\n{inner}\n\n</details>"


def _text(text: str) -> str:
    """One line in which no letter is taken for markup and no address for a link."""
    flat = " ".join(text.split())
    escaped = _SPECIAL.sub(r"\\\1", flat.replace("&", "&amp;"))
    escaped = _LIST_START.sub(r"\\\1", escaped).replace("@", "&#64;")
    return _LINK_START.sub(r"\1&#58;", escaped)


def _html(text: str) -> str:
    flat = " ".join(text.split())
    return flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _fence(text: str) -> str:
    """A code block whose fence is longer than any run of backticks inside it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def _table(block: Table) -> str:
    lines = [_row(block.head)]
    aligned = [
        "---:" if all(is_number(row[k]) or not row[k] for row in block.rows) else "---"
        for k in range(len(block.head))
    ]
    lines.append("| " + " | ".join(aligned) + " |")
    lines += [_row(row) for row in block.rows]
    table = "\n".join(lines)
    return f"{_text(block.caption)}\n\n{table}" if block.caption else table


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(_text(cell) for cell in cells) + " |"


def _finding(finding: Finding) -> str:
    runs = f" Runs: {_text(', '.join(finding.runs))}." if finding.runs else ""
    return (
        f"- **{finding.severity}: {_text(finding.code)}**: {_text(finding.evidence)}. "
        f"Consequence: {_text(finding.consequence)}. Remedy: {_text(finding.remedy)}.{runs}"
    )
