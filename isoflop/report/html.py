"""Render a report as one HTML page: no script, nothing fetched, every text escaped."""

import base64
import gzip
from html import escape
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
from isoflop.report.page_style import CSS
from isoflop.runs.checks import Finding

LARGEST_SVG = 110_000
"""Bytes of SVG beyond which a picture is carried as PNG, so that the page stays small."""
LARGEST_PLAIN_DOWNLOAD = 100_000
"""Bytes beyond which a carried file is compressed."""
PIXELS = 115
"""CSS pixels an inch of a picture: letters of 8 points then read like the text."""
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""What a browser may do with the page: show its own pictures and style, nothing else."""


def render_html(document: Document) -> str:
    """Write the page; the same document gives the same bytes.

    >>> page = render_html(Document("a <b> & c", "", (Paragraph("<script>"),)))
    >>> "<script>" in page, "a &lt;b&gt; &amp; c" in page
    (False, True)
    """
    title = _text(document.title)
    subtitle = f'<p class="sub">{_text(document.subtitle)}</p>\n' if document.subtitle else ""
    body = "\n".join(_render(block) for block in document.blocks)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_text(POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{CSS}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{title}</h1>\n{subtitle}{body}\n"
        "<footer>Written by isoflop.</footer>\n</main>\n</body>\n</html>\n"
    )


def _render(block: Block) -> str:
    match block:
        case Heading():
            return f"<h{block.level}>{_text(block.text)}</h{block.level}>"
        case Paragraph():
            return f"<p>{_text(block.text)}</p>"
        case Code():
            return f"<pre>{_text(block.text)}</pre>"
        case Answer():
            return _answer(block)
        case Table():
            return _table(block)
        case FigureBlock():
            return _figure(block)
        case FindingList():
            items = "\n".join(_finding(f) for f in sort_findings(block.findings))
            return f'<ul class="findings">\n{items}\n</ul>'
        case Download():
            return _download(block)
        case Details():
            inner = "\n".join(_render(child) for child in block.blocks)
            return f"<details><summary>{_text(block.summary)}</summary>\n{inner}\n</details>"


def _text(text: str) -> str:
    """Escape, and drop the control characters HTML does not allow."""
    return escape("".join(c for c in text if c >= " " or c in "\n\t"), quote=True)


def _answer(block: Answer) -> str:
    """Lines as label and text where a label stands before two spaces."""
    parts = []
    for line in block.lines:
        label, gap, rest = line.strip().partition("  ")
        if gap and rest.strip():
            parts.append(f"<dt>{_text(label)}</dt><dd>{_text(rest.strip())}</dd>")
        else:
            parts.append(f'<dd class="whole">{_text(line.strip())}</dd>')
    return '<dl class="answer">\n' + "\n".join(parts) + "\n</dl>"


def _table(block: Table) -> str:
    numeric = [
        bool(block.rows) and all(is_number(row[k]) or not row[k] for row in block.rows)
        for k in range(len(block.head))
    ]
    caption = f'<p class="caption">{_text(block.caption)}</p>\n' if block.caption else ""
    head = "".join(_cell("th", title, numeric[k]) for k, title in enumerate(block.head))
    rows = "\n".join(
        "<tr>" + "".join(_cell("td", cell, numeric[k]) for k, cell in enumerate(row)) + "</tr>"
        for row in block.rows
    )
    return (
        f'{caption}<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody></table></div>"
    )


def _cell(tag: str, text: str, numeric: bool) -> str:
    """A number's interval stays on one line, under its value where there is no room beside."""
    if numeric:
        return f'<{tag} class="n">{_text(text).replace(", ", ",&nbsp;")}</{tag}>'
    return f"<{tag}>{_text(text)}</{tag}>"


def _figure(block: FigureBlock) -> str:
    """An image rather than inline SVG: its ids stay its own and nothing in it can run."""
    if len(block.svg) <= LARGEST_SVG:
        source = f"data:image/svg+xml,{quote(block.svg.decode(), safe=' /:=;,.!?()@$&+*-_~')}"
        source = source.replace("&", "&amp;")
    else:
        source = f"data:image/png;base64,{base64.b64encode(block.png).decode()}"
    return (
        f'<figure><img src="{source}" width="{round(block.width * PIXELS)}" '
        f'alt="{_text(block.alt)}">\n'
        f"<figcaption>{_text(block.caption)}</figcaption></figure>"
    )


def _finding(finding: Finding) -> str:
    runs = f"<small>runs: {_text(', '.join(finding.runs))}</small>" if finding.runs else ""
    return (
        f'<li class="{_text(finding.severity)}"><b>{_text(finding.severity)}: '
        f"{_text(finding.code)}</b><br>{_text(finding.evidence)}"
        f"<small>Consequence: {_text(finding.consequence)}</small>"
        f"<small>Remedy: {_text(finding.remedy)}</small>{runs}</li>"
    )


def _download(block: Download) -> str:
    content, name, kind = block.text.encode(), block.name, "text/plain"
    if len(content) > LARGEST_PLAIN_DOWNLOAD:
        content, name, kind = gzip.compress(content, mtime=0), f"{name}.gz", "application/gzip"
    link = f"data:{kind};base64,{base64.b64encode(content).decode()}"
    return f'<p><a download="{_text(name)}" href="{link}">{_text(name)}</a> {_text(block.note)}</p>'
