"""The section on what the main fit states: item by item, gaps first."""

from isoflop.fitting.checklist import ITEMS, Checklist
from isoflop.report.blocks import Block, Heading, Paragraph, Table
from isoflop.report.study_report import StudyReport

NOT_STATED = "not stated"


def checklist_section(study: StudyReport) -> tuple[Block, ...]:
    """The fit report checklist."""
    return checklist_blocks(study.checklist) if study.checklist else ()


def checklist_blocks(checklist: Checklist) -> tuple[Block, ...]:
    """Say what is missing, then list every item."""
    rows = tuple(
        (item.name, item.value or f"{NOT_STATED}: {ITEMS[item.name]}", _source(item.by_user))
        for item in checklist.items
    )
    return (
        Heading("Fit report checklist"),
        Paragraph(_verdict(checklist)),
        Table(("item", "stated", "by"), rows, "After the survey of Li et al. 2025."),
    )


def _verdict(checklist: Checklist) -> str:
    missing = checklist.missing
    if not missing:
        return "Complete: a reader can repeat this fit."
    return (
        f"{len(missing)} of {len(ITEMS)} items are not stated: {', '.join(missing)}. State them "
        'with --state "item=text".'
    )


def _source(by_user: bool) -> str:
    return "user" if by_user else "record"
