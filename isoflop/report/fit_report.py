"""A saved fit as a page: its card, its findings and what it states."""

from dataclasses import dataclass, replace
from pathlib import Path

from isoflop.base.atomic import write_atomic
from isoflop.fitting.checklist import Checklist, Stated, state_fit
from isoflop.fitting.saved import AnyFit, read_fit
from isoflop.report.blocks import Block, Code, Document, FindingList, Heading
from isoflop.report.checklist_sections import checklist_blocks
from isoflop.report.html import render_html
from isoflop.report.markdown import render_markdown
from isoflop.report.study_report import source_name
from isoflop.runs.counted import counted


@dataclass(frozen=True)
class ReportedFit:
    """A page that was written about a saved fit.

    Args:
        report: the page.
        written: every file written, the page first.
        fit: the fit.
        checklist: what it states and what not.
    """

    report: Path
    written: tuple[Path, ...]
    fit: AnyFit
    checklist: Checklist

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "report": str(self.report),
            "law": self.fit.to_dict(),
            "checklist": self.checklist.to_dict(),
        }


def report_fit(
    law_path: Path | str, path: Path | str, *, stated: Stated | None = None
) -> ReportedFit:
    """Report on a saved fit; its runs are not at hand, so neither figures nor a backtest.

    Args:
        law_path: a file of `isoflop fit -o`.
        path: the page; a Markdown twin is written beside it.
        stated: what you state for the fit report checklist, and whether gaps are refused.

    Raises:
        InputError: no fit there.
        RefusalError: `stated` is strict and items are missing.
    """
    fit, path = read_fit(law_path), Path(path)
    checklist = state_fit(fit, stated=stated)
    document = _document(fit, source_name(str(law_path)), checklist)
    written = (
        write_atomic(path, render_html(document)),
        write_atomic(path.with_suffix(".md"), render_markdown(document, figures="")),
    )
    return ReportedFit(path, written, fit, checklist)


def _document(fit: AnyFit, name: str, checklist: Checklist) -> Document:
    source = ""
    if fit.data is not None:
        source = source_name(fit.data.source)
        fit = replace(fit, data=replace(fit.data, source=source))
    blocks: list[Block] = [Heading("The fit"), Code(str(fit))]
    if fit.findings:
        blocks += [Heading("Findings"), FindingList(fit.findings)]
    blocks += checklist_blocks(checklist)
    subtitle = f"{counted(fit.n_runs, 'run')} from {source}"
    return Document(f"The fit {name}", subtitle, tuple(blocks))
