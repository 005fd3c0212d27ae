"""Put the sections in order, and write the page, its Markdown twin and its figures."""

from pathlib import Path

from isoflop.base.atomic import write_atomic
from isoflop.report.blocks import Answer, Block, Document, figures_of
from isoflop.report.checklist_sections import checklist_section
from isoflop.report.data_sections import data_section
from isoflop.report.evidence_sections import (
    backtest_section,
    findings_section,
    identification_section,
    learning_section,
)
from isoflop.report.frontier_sections import conventions_section, frontier_section, plan_section
from isoflop.report.html import render_html
from isoflop.report.law_sections import curves_section, law_section, residuals_section
from isoflop.report.markdown import render_markdown
from isoflop.report.study_report import StudyReport
from isoflop.runs.counted import counted

SECTIONS = (
    frontier_section,
    law_section,
    curves_section,
    plan_section,
    backtest_section,
    learning_section,
    residuals_section,
    identification_section,
    conventions_section,
    findings_section,
    checklist_section,
    data_section,
)
"""In the order of the page, after the answer; each is empty where its input is absent."""


def build_report(study: StudyReport) -> Document:
    """Assemble a report; the same study gives the same document, byte for byte.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    opening: tuple[Block, ...] = (Answer(study.answer),) if study.answer else ()
    blocks = [block for section in SECTIONS for block in section(study)]
    units = f"{counted(len(study.table), 'run')} from {study.source}; {study.axis_labels.loss}"
    return Document(study.title, units, (*opening, *blocks))


def write_report(study: StudyReport, path: Path | str) -> list[Path]:
    """Write the page, and beside it a Markdown twin with its figures and their data.

    Args:
        study: what to report.
        path: the HTML file; `report.html` brings `report.md` and the folder `report_figures/`.

    Returns:
        The paths written, the page first.
    """
    path = Path(path)
    document = build_report(study)
    folder = path.with_name(f"{path.stem}_figures")
    written = [
        write_atomic(path, render_html(document)),
        write_atomic(path.with_suffix(".md"), render_markdown(document, figures=folder.name)),
    ]
    for block in figures_of(document):
        for suffix, content in (
            (".png", block.png),
            (".svg", block.svg),
            (".csv", block.data),
            (".json", block.document),
        ):
            written.append(write_atomic(folder / f"{block.name}{suffix}", content))
    return written
