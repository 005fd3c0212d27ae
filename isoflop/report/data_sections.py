"""The last section: the runs themselves, what they are, and the commands that repeat it all."""

from isoflop.base.estimate import shorten
from isoflop.exchange.delimited import format_csv
from isoflop.report.blocks import Block, Code, Details, Download, Heading, Paragraph, Table
from isoflop.report.study_report import StudyReport
from isoflop.runs.columns import NUMBER_COLUMNS
from isoflop.runs.counted import counted
from isoflop.runs.table import RunTable

MOST_ROWS = 300
"""Runs listed in the page; the file carried in it has them all."""


def data_section(study: StudyReport) -> tuple[Block, ...]:
    """Facts, runs and commands."""
    table = study.table
    blocks: list[Block] = [
        Heading("Data and commands"),
        Paragraph(f"{counted(len(table), 'run')} from {study.source}, sha256 {table.sha256()}."),
    ]
    blocks += [Paragraph(f"{note}.") for note in table.notes]
    if study.facts:
        blocks.append(Table(("fact", "value"), tuple(study.facts.items())))
    note = "the runs as fitted; any spreadsheet opens it."
    blocks.append(Download("runs.csv", format_csv(table), note))
    blocks.append(Details(f"The {counted(len(table), 'run')}", (_rows(table),)))
    if study.commands:
        blocks += [Paragraph("Commands:"), Code("\n".join(study.commands))]
    return tuple(blocks)


def _rows(table: RunTable) -> Table:
    """Columns that say something: those whose cells are not all empty."""
    records = table.records()
    head = tuple(
        name for name in table.columns if any(record[name] not in (None, "") for record in records)
    )
    shown = records[:MOST_ROWS]
    rows = tuple(tuple(_cell(name, record[name]) for name in head) for record in shown)
    left = len(records) - len(shown)
    return Table(head, rows, f"{left} more in runs.csv." if left else "")


def _cell(name: str, value: str | float | None) -> str:
    if value is None:
        return ""
    if name in NUMBER_COLUMNS and isinstance(value, float):
        return shorten(value, digits=5) if name == "loss" else f"{value:.6g}"
    return str(value)
