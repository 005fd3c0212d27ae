"""HTML and Markdown of single blocks: escaped, whole, readable."""

import base64
import gzip
import re

from isoflop.report.blocks import (
    Answer,
    Code,
    Details,
    Document,
    Download,
    FigureBlock,
    FindingList,
    Heading,
    Paragraph,
    Table,
    figures_of,
)
from isoflop.report.html import LARGEST_SVG, render_html
from isoflop.report.markdown import render_markdown
from isoflop.runs.checks import Finding

PAYLOAD = "\"><script>alert(1)</script><img src=x onerror='alert(2)'>"
PICTURE = FigureBlock("pic", b"<svg>#%&</svg>", b"png", f"cap {PAYLOAD}", f"alt {PAYLOAD}")


def every_block(text: str) -> Document:
    finding = Finding(text, "warning", text, text, text, (text,))
    blocks = (
        Heading(text),
        Paragraph(text),
        Answer((text, f"{text}  {text}")),
        Table((text,), ((text,),), text),
        FigureBlock("pic", b"<svg/>", b"png", text, text),
        Code(text),
        FindingList((finding,)),
        Download("runs.csv", text, text),
        Details(text, (Paragraph(text),)),
    )
    return Document(text, text, blocks)


def page_of(*blocks) -> str:
    return render_html(Document("t", "", blocks))


def test_no_block_lets_markup_through_into_html():
    page = render_html(every_block(PAYLOAD))
    assert "<script" not in page
    assert "<img src=x" not in page
    assert page.count("<img ") == 1
    assert "onerror='" not in page


def test_no_block_lets_markup_through_into_markdown():
    text = render_markdown(every_block(PAYLOAD))
    outside = re.sub(r"^(`{3,})text\n.*?\n\1$", "", text, flags=re.S | re.M)
    assert re.findall(r"(?<!\\)<(?!/?details|/?summary)", outside) == []


def test_a_fence_cannot_be_closed_from_inside():
    text = render_markdown(Document("t", "", (Code("a\n```\n<script>\n````"),)))
    assert "`````text\n" in text
    assert text.rstrip().endswith("`````")


def test_a_cell_cannot_end_its_row_in_markdown():
    text = render_markdown(Document("t", "", (Table(("a", "b"), (("x|y", "p\nq"),)),)))
    assert "| x\\|y | p q |" in text


def test_an_address_in_a_name_does_not_become_a_link_in_markdown():
    text = render_markdown(Document("t", "", (Paragraph("https://evil.example [x](y) @team"),)))
    assert "https:" not in text
    assert "\\[x\\]" in text
    assert "@team" not in text


def test_the_page_may_load_and_run_nothing():
    page = page_of(PICTURE)
    assert "default-src &#x27;none&#x27;; img-src data:;" in page
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []


def test_a_small_picture_is_carried_as_svg_with_its_signs_encoded():
    page = page_of(PICTURE)
    assert 'src="data:image/svg+xml,%3Csvg%3E%23%25&amp;%3C/svg%3E"' in page


def test_a_large_picture_is_carried_as_png():
    block = FigureBlock("pic", b"x" * (LARGEST_SVG + 1), b"png", "", "")
    assert f"data:image/png;base64,{base64.b64encode(b'png').decode()}" in page_of(block)


def test_a_carried_file_comes_back_as_it_was():
    small = re.search(r'base64,([^"]+)"', page_of(Download("runs.csv", "a,b\n", "")))
    assert small
    assert base64.b64decode(small[1]) == b"a,b\n"
    text = "a,b\n" * 60_000
    large = re.search(r'download="runs.csv.gz" href="[^,]+,([^"]+)"', page_of(
        Download("runs.csv", text, "")
    ))  # fmt: skip
    assert large
    assert gzip.decompress(base64.b64decode(large[1])).decode() == text


def test_numbers_stand_right_and_words_left():
    page = page_of(Table(("a", "b"), (("0.5 [0.4, 0.6]", "word"),)))
    assert '<td class="n">0.5 [0.4,&nbsp;0.6]</td><td>word</td>' in page


def test_errors_come_before_notes_and_twins_are_shown_once():
    note = Finding("a-note", "note", "e", "c", "r")
    error = Finding("an-error", "error", "e", "c", "r")
    page = page_of(FindingList((note, error, note)))
    assert page.index("an-error") < page.index("a-note")
    assert page.count("a-note") == 1


def test_control_characters_do_not_reach_the_page():
    assert "\x00" not in page_of(Paragraph("a\x00b\x1bc"))


def test_folded_pictures_are_found_in_order():
    other = FigureBlock("other", b"", b"", "", "")
    document = Document("t", "", (Details("more", (PICTURE,)), other))
    assert [block.name for block in figures_of(document)] == ["pic", "other"]
